"""Where everything stands on the device. Tests put the root elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

USER = "platewatch"
GROUPS = ("video", "render", "gpio")
"""Camera, GPU and relay; a group that the system does not have is left out."""
SERVICES = ("platewatch.service", "platewatch-web.service")
RESUME, FIRSTBOOT, FAILURE = "platewatch-resume.service", "platewatch-firstboot.service", "platewatch-failure.service"
COMPLETE = "COMPLETE"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below `root`."""

    root: Path = Path("/")

    def at(self, path: str | Path) -> Path:
        """An absolute path of the device, below `root`."""
        return self.root / str(path).lstrip("/")

    def inside(self, path: Path) -> str:
        """The inverse of `at`: what programs on the device call it."""
        return "/" + str(path.relative_to(self.root))

    @property
    def opt(self) -> Path:
        return self.at("opt/platewatch")

    @property
    def releases(self) -> Path:
        return self.opt / "releases"

    @property
    def current(self) -> Path:
        """A link; the one truth about which release runs."""
        return self.opt / "current"

    @property
    def previous(self) -> Path:
        return self.opt / "previous"

    @property
    def etc(self) -> Path:
        return self.at("etc/platewatch")

    @property
    def config(self) -> Path:
        return self.etc / "platewatch.toml"

    @property
    def secrets(self) -> Path:
        return self.etc / "secrets"

    @property
    def trusted(self) -> Path:
        return self.etc / "trusted.pub"

    @property
    def var(self) -> Path:
        return self.at("var/lib/platewatch")

    @property
    def run(self) -> Path:
        return self.at("run/platewatch")

    @property
    def own(self) -> Path:
        """Root's alone: what the updater knows."""
        return self.at("var/lib/platewatch-deploy")

    @property
    def state(self) -> Path:
        return self.own / "state.json"

    @property
    def lock(self) -> Path:
        return self.own / "lock"

    @property
    def report(self) -> Path:
        return self.own / "report.txt"

    @property
    def spool(self) -> Path:
        return self.own / "spool"

    @property
    def judge(self) -> Path:
        """The zipapp of the last release that proved itself: what is on trial does not judge itself."""
        return self.own / "onboard.pyz"

    @property
    def restoring(self) -> Path:
        return self.own / "restore"

    @property
    def units(self) -> Path:
        return self.at("etc/systemd/system")

    @property
    def tool(self) -> Path:
        return self.at("usr/local/sbin/platewatch-deploy")

    @property
    def command(self) -> Path:
        return self.at("usr/local/bin/platewatch")

    def release(self, id: str) -> Path:
        return self.releases / id

    def is_complete(self, id: str) -> bool:
        """Whether a release stands there whole."""
        return bool(ID.fullmatch(id)) and (self.release(id) / COMPLETE).is_file()
