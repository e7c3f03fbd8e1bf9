"""The first start: from the kit on the boot partition to a page that answers, without network, and from wherever a power cut left it.

Each part looks whether it is done; the unit that starts this again at the next start is the first thing written and goes last.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NoReturn

from deploy.onboard import archive, cmdline, disk, ground, install, kit, switch, trial
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import FAILURE, FIRSTBOOT, RESUME, Layout
from deploy.onboard.site import Site
from deploy.onboard.state import Trial
from deploy.onboard.tarball import Release

SPECIAL_START = b"systemd.run="
"""On the kernel's command line while Bookworm runs firstrun.sh: then it starts anew, and our unit goes on."""
UNIT = """[Unit]
Description=Platewatch: the first start
RequiresMountsFor={kit}
After=local-fs.target {resume}

[Service]
Type=oneshot
RemainAfterExit=no
ExecStart=/usr/bin/python3 {kit}/onboard.pyz firstboot --here {kit}
TimeoutStartSec=infinity
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
"""
PAGE_UNIT = """[Unit]
Description=Platewatch: the first start, told on a page

[Service]
ExecStart=/usr/bin/python3 {program} page {log}
Restart=on-failure
RestartSec=2
# Root's files are what it tells of, and the whole network may ask: it reads them, and can do nothing else.
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
TasksMax=64
UMask=0077
"""


def arrange(site: Site, folder: Path) -> None:
    """Write the unit that does the work, so that it outlives a cut, and let it begin; in the special start of Bookworm the next start does."""
    if site.state.firstboot == "done":
        site.say("Platewatch is set up already; nothing to do.")
        return
    inside = site.layout.inside(folder)
    ground.put_unit(site, FIRSTBOOT, UNIT.format(kit=inside, resume=RESUME))
    if SPECIAL_START in disk.contents(site.layout.at("proc/cmdline")):
        site.say("Platewatch goes on after the restart.")
    elif not site.machine.hand_over(FIRSTBOOT):
        first_start(site, folder)


def put_off(site: Site, folder: Path) -> None:
    """Only write the unit: what comes later in this start begins it, or else the next start. Early, where nothing may be waited for."""
    if site.state.firstboot != "done":
        ground.put_unit(site, FIRSTBOOT, UNIT.format(kit=site.layout.inside(folder), resume=RESUME), known=False)


def first_start(site: Site, folder: Path) -> None:
    """All of it; raises OnboardError in words, which then also stand in the state, and the next start tries again."""
    if site.state.firstboot == "done":
        _finish(site, folder)
        return
    try:
        _go(site, folder)
    except (OnboardError, OSError) as error:
        lament(site, error)


def lament(site: Site, error: Exception) -> NoReturn:
    """Say it where the owner looks, first of all in the log: a system that can only be read keeps no state. Raises it as an OnboardError."""
    words = str(disk.plainly(error) if isinstance(error, OSError) else error)
    done = site.state.firstboot == "done"
    site.say(f"{'Installed, but' if done else 'NOT INSTALLED:'} {words}")
    site.say("Mend that and switch the device off and on; it goes on from where it was.")
    if not done:
        with contextlib.suppress(OSError):
            site.note(trouble=words)
    raise OnboardError(words) from None


def _go(site: Site, folder: Path) -> None:
    layout, state = site.layout, site.state
    site.say("Platewatch is being set up. It takes a few minutes and needs no network; leave the power on.")
    disk.make_folder(layout.own, 0o700)
    if not state.firstboot:
        site.note(firstboot="begun")
        site.step("begun")
    ground.put_unit(site, FIRSTBOOT, UNIT.format(kit=layout.inside(folder), resume=RESUME))
    _show_page(site, folder)
    site.say("1 of 6: checking that the kit is whole.")
    kit.check(folder, without_secrets=state.firstboot == "secrets")
    site.step("kit-checked")
    packed = folder / kit.RELEASE
    release = archive.open_signed(packed, folder / kit.TRUSTED)
    site.say("2 of 6: making the user and the folders.")
    ground.lay(site, (folder / kit.TRUSTED).read_bytes())
    cmdline.remember(site, folder)
    ground.configure(site, (folder / kit.CONFIG).read_bytes())
    site.say("3 of 6: moving the passwords off the card's open part.")
    _move_secrets(site, folder)
    site.say(f"4 of 6: installing {release.id}.")
    _install(site, packed, release, folder)
    site.say("5 of 6: starting, and watching for a minute.")
    _start(site, release)
    site.say("6 of 6: tidying up.")
    site.note(firstboot="done", trouble="")
    site.step("done")
    _finish(site, folder)


def _move_secrets(site: Site, folder: Path) -> None:
    """In their place and remembered as such, before the first byte is wiped."""
    if site.state.firstboot != "secrets":
        many = kit.place_secrets(site, folder)
        site.note(firstboot="secrets")
        site.step("secrets-placed")
        site.say(f"{many} moved.")
    kit.wipe(folder / kit.SECRETS)
    site.step("secrets-wiped")


def _install(site: Site, packed: Path, release: Release, folder: Path) -> None:
    """Staged, tested, and its units in place."""
    if site.state.current == "":
        install.stage(site, packed, release)
    ground.put_tools(site, folder / kit.PROGRAM)


def _start(site: Site, release: Release) -> None:
    """It runs and is watched; what it lacks is told, but there is nothing to go back to."""
    site.machine.stop(FAILURE)
    if not site.state.current:
        site.note(trial=Trial(release.id, "", "first", boot=site.machine.boot_id, since=site.machine.utc()))
        site.step("first-noted")
        switch.turn(site, release.id)
    elif site.state.trial is not None:
        switch.start(site)
    if site.state.trial is None:
        return
    verdict = trial.watch(site, trial.wanted_of(site, release.id))
    switch.accept(site, verdict)
    if not verdict.good:
        site.say(f"It runs, but {verdict.words}. The page says more.")


def _finish(site: Site, folder: Path) -> None:
    """What is no longer needed goes, the unit last."""
    layout = site.layout
    if blanked := kit.blank_seeds(folder.parent):
        site.say(f"The passwords in {' and '.join(blanked)} on the boot partition were used and are removed.")
    site.step("seeds-blanked")
    kit.overwrite_free(site, folder.parent)
    kit.clear(site, folder)
    ground.take_unit(site, FAILURE)
    site.say(f"DONE. The page: {address(layout)}")
    ground.take_unit(site, FIRSTBOOT, own=True)


def address(layout: Layout) -> str:
    """Where the owner finds the page: avahi tells the name in the home network."""
    host = disk.contents(layout.at("etc/hostname")).decode(errors="replace").strip() or "raspberrypi"
    scheme, _, rest = trial.page_address(trial.settings(layout)).partition("://")
    return f"{scheme}://{host}.local:{rest.rsplit(':', 1)[-1]}/"


def _show_page(site: Site, folder: Path) -> None:
    """From here on the browser shows how far it is, and why it does not go on; by a copy, since the card's part may be what is damaged."""
    if not site.layout.judge.is_file():
        if not (folder / kit.PROGRAM).is_file():
            return  # the check that follows says so
        disk.copy_whole(folder / kit.PROGRAM, site.layout.judge, 0o700)
        site.step("judge")
    log = site.layout.inside(folder.parent / "platewatch-log.txt")
    ground.put_unit(site, FAILURE, PAGE_UNIT.format(program=site.layout.inside(site.layout.judge), log=log))
    if not site.state.current:
        site.machine.start(FAILURE)
