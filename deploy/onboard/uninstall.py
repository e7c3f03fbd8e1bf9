"""Leave nothing behind, or all but the owner's own things. Written down first, so that a cut within goes on at the next start."""

from __future__ import annotations

from deploy.onboard import cmdline, disk, ground, kit, units
from deploy.onboard.layout import FAILURE, FIRSTBOOT, RESUME, SERVICES, USER
from deploy.onboard.site import Site


def uninstall(site: Site, *, keep_data: bool = False) -> None:
    """`keep_data`: configuration, secrets, events and labels stay, and the user that they belong to."""
    disk.make_folder(site.layout.own, 0o700)
    site.note(removing="program" if keep_data else "all", trial=None, pending="")
    site.step("removal-noted")
    finish(site)


def finish(site: Site) -> None:
    """What makes it go on after a cut goes last: the zipapp, the state, the unit. The unit by itself removes what is then left of the two."""
    layout, keep = site.layout, site.state.removing == "program"
    site.machine.stop(*(units.services(layout) or SERVICES), FIRSTBOOT, FAILURE)
    units.remove(site)
    units.sweep(site)
    for path in (layout.command, layout.current, layout.previous):
        disk.take_away(path)
        site.step(f"removed {path.name}")
    for path in (layout.opt, layout.run, *(() if keep else (layout.var, layout.etc))):
        disk.take_away(path)
        site.step(f"removed {path.name}")
    if not keep:
        _remove_user(site)
    cmdline.take_back(site)
    kit.remove(site)
    for name in (FIRSTBOOT, FAILURE):
        _take_unit(site, name)
    for path in (layout.tool, layout.judge, layout.own):
        disk.take_away(path)
        site.step(f"removed {path.name}")
    _take_unit(site, RESUME)
    site.machine.reload()
    site.say("Platewatch is gone." if not keep else f"Platewatch is gone; {layout.etc} and {layout.var} stay.")


def _take_unit(site: Site, name: str) -> None:
    for path in (site.layout.units / "multi-user.target.wants" / name, site.layout.units / name):
        disk.take_away(path)
        site.step(f"removed {name}")


def _remove_user(site: Site) -> None:
    ground.free_locks(site)
    if USER in ground.names(site, "etc/passwd"):
        site.machine.run(["userdel", USER])
        site.step("user-removed")
    if USER in ground.names(site, "etc/group"):
        site.machine.run(["groupdel", USER])
        site.step("group-removed")
