"""Which system a boot folder belongs to, and so which way its first start is told what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from deploy.card.boot import BootFolder
from deploy.card.errors import CardError
from deploy.card.merge.cmdline import RUN, words

Way = Literal["cloudinit", "firstrun", "preseed"]
WAYS: tuple[Way, ...] = ("cloudinit", "firstrun", "preseed")
SYSTEMS: dict[Way, tuple[str, str]] = {"cloudinit": ("Trixie", "3.13"), "firstrun": ("Bookworm", "3.11"), "preseed": ("Trixie or newer", "3.13")}
"""What it is as a rule, and its Python."""
SEEDS = ("user-data", "network-config", "meta-data")
OLD_FIRSTBOOT = "init=/usr/lib/raspberrypi-sys-mods/firstboot"
"""On Bookworm's command line; Trixie has the word `resize` there."""
LOG = "platewatch-log.txt"


@dataclass(frozen=True, slots=True)
class System:
    """`issue` is the date and the making that the image tells of itself, '' where it does not."""

    way: Way
    issue: str
    python: str
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"Raspberry Pi OS {SYSTEMS[self.way][0]}{f' of {self.issue}' if self.issue else ''}, first start by {self.way}"


def detect(boot: BootFolder, told: Way | None = None) -> System:
    """Raises CardError where it is no boot folder of a 64-bit Raspberry Pi OS, or `told` is needed."""
    names = {name.lower() for name in boot.list()}
    if "cmdline.txt" not in names or "config.txt" not in names:
        raise CardError("this is no boot folder of Raspberry Pi OS: it has no cmdline.txt and config.txt; name the small partition, bootfs")
    if "kernel7.img" in names or "kernel8.img" not in names:
        raise CardError("this is a 32-bit Raspberry Pi OS, for which there is no TFLite runtime; take Raspberry Pi OS Lite (64-bit)")
    issue = _issue(boot.read("issue.txt") or b"")
    line = words(boot.read("cmdline.txt"))
    way = told or _way(names, line, issue)
    notes = []
    if way != "firstrun" and any(word.startswith(RUN) for word in line):
        notes.append("cmdline.txt runs a firstrun.sh, as Raspberry Pi Imager 1.x writes it; this system may lose what was set there: use Imager 2, or flash")
    if LOG in names:
        notes.append("this card was started before, so that name, user and Wi-Fi are not read again; where Platewatch runs, use python -m deploy update")
    return System(way, issue, SYSTEMS[way][1], tuple(notes))


def _way(names: set[str], line: list[str], issue: str) -> Way:
    if "rpi-preseed.toml" in names:
        return "preseed"
    if names & set(SEEDS) or any(word.startswith("ds=nocloud") for word in line):
        return "cloudinit"
    if OLD_FIRSTBOOT in line or "firstrun.sh" in names or "2023-10" <= issue < "2025-10":
        return "firstrun"
    raise CardError(
        "this boot folder does not show how its system is told what to do on its first start; say --first-boot cloudinit (Trixie) or firstrun (Bookworm)"
    )


def _issue(content: bytes) -> str:
    """The day in `Raspberry Pi reference 2025-10-01`."""
    found = re.search(rb"reference (\d{4}-\d\d-\d\d)", content)
    return found[1].decode() if found else ""
