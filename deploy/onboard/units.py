"""The units of the release that runs, as links through `current`: whoever switches that link switches the units with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from deploy.onboard import disk
from deploy.onboard.layout import Layout
from deploy.onboard.site import Site

PLACES = {
    "journald.conf.d": "etc/systemd/journald.conf.d",
    "system.conf.d": "etc/systemd/system.conf.d",
    "tmpfiles.d": "etc/tmpfiles.d",
    "sysctl.d": "etc/sysctl.d",
    "modules-load.d": "etc/modules-load.d",
    "rules.d": "etc/udev/rules.d",
    "": "etc/systemd/system",
}
"""Folder below `units/` of a release -> where its files belong; `NAME.service.d` and the like belong to the units."""


def settle(site: Site, *, read: bool = False) -> None:
    """Links to all that `current` has, and none to what it no longer has; enabled as their [Install] asks. A second time changes nothing.

    `read`: systemd has read what `current` leads to now, and reads again only where a link was wrong: that costs a small machine seconds of each start.
    """
    wanted, changed = dict(_wanted(site.layout)), not read
    for link in _ours(site.layout):
        if link not in wanted:
            disk.take_away(link)
            changed = True
            site.step(f"unlinked {link.name}")
    for link, goal in wanted.items():
        if not (link.is_symlink() and os.readlink(link) == goal):
            disk.point(link, goal)
            changed = True
            site.step(f"linked {link.name}")
    if changed:
        site.machine.reload()


def remove(site: Site) -> None:
    """Every link of ours."""
    for link in list(_ours(site.layout)):
        disk.take_away(link)
        site.step(f"unlinked {link.name}")


def sweep(site: Site) -> None:
    """Folders that only we had filled."""
    folders = [site.layout.at(place) for place in PLACES.values() if place.startswith("etc/systemd/") and place.endswith(".d")]
    for folder in [*folders, *site.layout.units.glob("*.d"), *site.layout.units.glob("*.wants"), *site.layout.units.glob("*.requires")]:
        if folder.name != "multi-user.target.wants" and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            site.step(f"swept {folder.name}")


def services(layout: Layout) -> list[str]:
    """What the release that runs has to start: all that is enabled by itself."""
    return sorted({link.name for link, _ in _wanted(layout) if link.parent.name.endswith(".wants")})


def enabling(layout: Layout, name: str, text: str) -> Iterator[Path]:
    """The links that `systemctl enable` would make for a unit."""
    section = ""
    for line in text.splitlines():
        section = line.strip() if line.startswith("[") else section
        key, _, value = line.partition("=")
        if section == "[Install]" and key.strip() in ("WantedBy", "RequiredBy"):
            kind = {"WantedBy": "wants", "RequiredBy": "requires"}[key.strip()]
            yield from (layout.units / f"{target}.{kind}" / name for target in value.split())


def _wanted(layout: Layout) -> Iterator[tuple[Path, str]]:
    """(link, where it leads)."""
    folder = layout.current / "units"
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        part = path.relative_to(folder)
        below = "" if len(part.parts) == 1 else part.parts[0]
        place = layout.at(PLACES[below]) if below in PLACES else layout.units / below
        goal = layout.inside(layout.current) + f"/units/{part}"
        yield place / part.name, goal
        if not below:
            for link in enabling(layout, part.name, path.read_text(encoding="utf-8")):
                yield link, goal


def _ours(layout: Layout) -> Iterator[Path]:
    """Every link that leads into a release's units."""
    for place in PLACES.values():
        folder = layout.at(place)
        for path in sorted([*folder.glob("*"), *folder.glob("*.d/*"), *folder.glob("*.wants/*"), *folder.glob("*.requires/*")]):
            if path.is_symlink() and os.readlink(path).startswith("/opt/platewatch/"):
                yield path
