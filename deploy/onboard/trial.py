"""A release on trial: watched, then kept or taken back. What looks at the daemon and the page stands here, the verdict in `watch`."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from deploy.onboard import disk
from deploy.onboard.layout import Layout
from deploy.onboard.site import Site
from deploy.onboard.tarball import NAME
from deploy.onboard.watch import EVERY_S, Sight, Verdict, Wanted, judge

PATIENCE_S = 40.0


def look(site: Site) -> Sight:
    """What the daemon's status file and the page's /healthz say now."""
    config = settings(site.layout)
    address = page_address(config)
    answer = site.machine.page(f"{address}/healthz")
    found = status(site.layout, config)
    pid = _whole(found.get("pid"))
    if not pid or found.get("state") == "stopped" or not site.machine.alive(pid):
        return Sight(site.machine.now(), page=_fine(answer))
    bundles = _table(found.get("bundles"))
    models = all(_table(bundles.get(kind)).get("name") and not _table(bundles.get(kind)).get("refused") for kind in ("detector", "reader"))
    return Sight(
        site.machine.now(),
        pid,
        str(found.get("updated_at", "")),
        str(found.get("version", "")),
        str(found.get("state", "")),
        str(found.get("detail", ""))[:200],
        _whole(_table(found.get("camera")).get("frames")),
        models,
        _fine(answer),
    )


def watch(site: Site, wanted: Wanted) -> Verdict:
    """Looks until there is a verdict, which is at most five minutes away."""
    sights: list[Sight] = []
    while True:
        sights.append(look(site))
        if (found := judge(sights, wanted)) is not None:
            return found
        site.step("watched")
        site.machine.sleep(EVERY_S)


def works_now(site: Site) -> tuple[bool, bool]:
    """Whether pictures come and the page answers, with patience for a device that has just started."""
    until = site.machine.now() + PATIENCE_S
    while True:
        seen = look(site)
        frames = seen.frames > 0 and seen.state == "watching"
        if (frames and seen.page) or site.machine.now() >= until:
            return frames, seen.page
        site.machine.sleep(EVERY_S)


def wanted_of(site: Site, id: str, *, frames: bool = True, page: bool = True) -> Wanted:
    """The version that must report, as the release itself says."""
    return Wanted(version_of(site.layout, id), frames, page)


def version_of(layout: Layout, id: str) -> str:
    return str(about(layout, id).get("version", ""))


def serial_of(layout: Layout, id: str) -> int:
    return _whole(about(layout, id).get("serial"))


def about(layout: Layout, id: str) -> dict[str, Any]:
    """The release.json of a release that stands there, {} where it cannot be read."""
    try:
        return _table(json.loads((layout.release(id) / NAME).read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}


def settings(layout: Layout) -> dict[str, Any]:
    """The device's configuration as it is written, {} where it cannot be read."""
    try:
        return tomllib.loads(layout.config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def status(layout: Layout, config: dict[str, Any]) -> dict[str, Any]:
    """The daemon's own words, {} where there are none."""
    folder = str(_table(config.get("runtime")).get("directory", "var/run"))
    path = (layout.at(folder) if folder.startswith("/") else layout.etc / folder) / "status.json"
    try:
        return _table(json.loads(path.read_bytes())) if path.is_file() else {}  # a pipe in its place would be waited for, for ever
    except (OSError, ValueError, RecursionError):
        return {}


def forget_status(layout: Layout) -> None:
    """A daemon that was stopped left its last words; they are not to be taken for the next one's."""
    folder = str(_table(settings(layout).get("runtime")).get("directory", "var/run"))
    path = layout.at(folder) if folder.startswith("/") else layout.etc / folder
    if (path / "status.json").exists():
        disk.take_away(path / "status.json")


def page_address(config: dict[str, Any]) -> str:
    """Where the page answers on this machine itself."""
    web = _table(config.get("web"))
    host = str(web.get("host", "127.0.0.1"))
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "localhost": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    scheme = "https" if web.get("tls") or web.get("tls_certificate") else "http"
    return f"{scheme}://{host}:{_whole(web.get('port', 8080)) or 8080}"


def _fine(answer: dict[str, object] | None) -> bool:
    return answer is not None and answer.get("ok") is True


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
