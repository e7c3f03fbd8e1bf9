"""What stands around the releases: the user, the folders and their rights, the two commands, and the unit that looks after a cut at each start."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from deploy.onboard import cmdline, disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import GROUPS, RESUME, SERVICES, USER
from deploy.onboard.site import Site

TOOL = """#!/bin/sh
# The updater of the release that runs; where none does any more, the one that judges updates.
for program in /opt/platewatch/current/onboard.pyz /var/lib/platewatch-deploy/onboard.pyz; do
    if [ -r "$program" ]; then exec /usr/bin/python3 "$program" "$@"; fi
done
echo "platewatch-deploy: its program is gone or may not be read; run it with sudo, or install again" >&2
exit 1
"""
COMMAND = "/opt/platewatch/current/.venv/bin/platewatch"
JUDGE = "/var/lib/platewatch-deploy/onboard.pyz"
LOCKED = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")
LOCKERS = (
    *("useradd", "userdel", "usermod", "groupadd", "groupdel", "groupmod", "groupmems", "newusers", "passwd", "chpasswd", "gpasswd", "chgpasswd"),
    *("chage", "chfn", "chsh", "pwck", "grpck", "pwconv", "pwunconv", "grpconv", "grpunconv", "vipw", "vigr"),
)
"""The programs that hold one rightly."""
LEFT = f"/var/lib/platewatch-deploy /etc/systemd/system/multi-user.target.wants/{RESUME} /etc/systemd/system/{RESUME}"
RESUME_UNIT = f"""[Unit]
Description=Platewatch: finish what a power cut left, and judge an update
RequiresMountsFor=/opt /var/lib
Before={" ".join(SERVICES)}
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
# The services wait until what is left over is put in order; judging goes on while they run.
Type=notify
NotifyAccess=all
# What a cut in the middle of an uninstallation leaves is this unit and the updater's folder: then both go.
ExecStart=/bin/sh -c "[ -e {JUDGE} ] || [ -e /opt/platewatch ] || exec rm -rf {LEFT}; exec /usr/bin/python3 {JUDGE} resume"
Restart=on-failure
RestartSec=5
TimeoutStartSec=300

[Install]
WantedBy=multi-user.target
"""
CONFIG = """# Platewatch on this device. The page changes this file; `platewatch config --table` explains every key.
[models]
depot = "/var/lib/platewatch/bundles"
measured = "/var/lib/platewatch/bench.json"

[store]
path = "/var/lib/platewatch/events.sqlite"

[gate]
audit = "/var/lib/platewatch/gate.sqlite"

[runtime]
directory = "/run/platewatch"

[web]
host = "0.0.0.0"
access = "/etc/platewatch/access.json"
setup_code_file = "/etc/platewatch/setup-code"
"""
"""For who brings none: the page asks for the first password, and for the code that proves who holds the device."""


def lay(site: Site, trusted: bytes | None = None) -> None:
    """All of it; what is there already stays. `trusted` are the keys of the first installation: later ones never replace them."""
    make_user(site)
    make_folders(site)
    if trusted is not None and not site.layout.trusted.is_file():
        site.write(site.layout.trusted, trusted)
        site.step("trusted")
    if not site.layout.trusted.is_file():
        raise OnboardError(f"{site.layout.trusted}: is missing; name the file of trusted keys with --trusted")
    cmdline.ask(site)


def configure(site: Site, content: bytes) -> None:
    """The first configuration. One that is there stays, but for one that was put there by this and that no release has run with: it had a mistake."""
    path, sha256 = site.layout.config, hashlib.sha256(content).hexdigest()
    if path.is_file():
        if site.state.current or hashlib.sha256(path.read_bytes()).hexdigest() != site.state.configured:
            return
        if site.state.configured != sha256:
            disk.take_away(path)  # first: a cut would leave the old one with a note of the new one, as if somebody had changed it
            site.step("config-taken-away")
    site.note(configured=sha256)
    site.step("config-noted")
    site.write(path, content, 0o640, theirs=True)
    site.step("config")


def make_user(site: Site) -> None:
    """A system user without a shell. A cut within leaves a group without its user, which this finds, and locks."""
    free_locks(site)
    if USER not in names(site, "etc/group"):
        site.machine.run(["groupadd", "--system", USER])
        site.step("group")
    if USER not in names(site, "etc/passwd"):
        site.machine.run(["useradd", "--system", "--gid", USER, "--home-dir", "/var/lib/platewatch", "--no-create-home", "--shell", "/usr/sbin/nologin", USER])
        site.step("user")
    groups = names(site, "etc/group")
    missing = [group for group in GROUPS if group in groups and USER not in groups[group].split(":")[-1].split(",")]
    if missing:
        site.machine.run(["usermod", "--append", "--groups", ",".join(missing), USER])
        site.step("groups")


def free_locks(site: Site) -> None:
    """Locks on /etc/passwd and the like that a cut left. Each names a process, and once another one has its number the system's own tools refuse for ever."""
    for name in LOCKED:
        path = site.layout.at(f"etc/{name}.lock")
        try:
            text = path.read_text(errors="replace").strip("\0 \n")
        except OSError:
            continue
        if not (text.isdecimal() and site.machine.program(int(text)) in LOCKERS):
            disk.take_away(path)
            site.step(f"unlocked {name}")


def make_folders(site: Site) -> None:
    """`/etc/platewatch` is sticky and root's: the page replaces its own files there, and can neither replace nor remove the trusted keys."""
    layout, machine = site.layout, site.machine
    if layout.secrets.is_symlink():  # its user can have put it there, and it is root who changes what it leads to
        raise OnboardError(f"{layout.secrets}: is a link, and has to be a folder; remove it and try again")
    for folder, mode, own in (
        (layout.releases, 0o755, machine.keep),
        (layout.own, 0o700, machine.keep),
        (layout.etc, 0o1770, machine.share),
        (layout.secrets, 0o700, machine.give),
        (layout.var, 0o750, machine.give),
    ):
        disk.make_folder(folder)
        os.chmod(folder, mode)
        own(folder)
    site.step("folders")


def put_tools(site: Site, judge: Path) -> None:
    """The commands, and the unit that runs at each start; `judge` is the zipapp that it runs until a release has proved itself."""
    layout = site.layout
    if not layout.judge.is_file() or not site.state.current:
        site.write(layout.judge, judge.read_bytes(), 0o700)
        site.step("judge")
    site.write(layout.tool, TOOL, 0o755)
    site.step("tool")
    disk.make_folder(layout.command.parent)
    disk.point(layout.command, COMMAND)
    site.step("command")
    put_unit(site, RESUME, RESUME_UNIT)


def put_unit(site: Site, name: str, text: str, *, known: bool = True) -> None:
    """A unit of the updater's own, a file and no link into a release; enabled where it says WantedBy; systemd reads it now where it shall be `known`."""
    site.write(site.layout.units / name, text)
    site.step(f"unit {name}")
    if "[Install]" in text:
        disk.point(site.layout.units / "multi-user.target.wants" / name, f"/etc/systemd/system/{name}")
        site.step(f"enabled {name}")
    if known:
        site.machine.reload()


def take_unit(site: Site, name: str, *, own: bool = False) -> None:
    """Its link first: a link without its file would be a complaint at each start. `own`: this runs in that very unit, which systemd must know to its end."""
    disk.take_away(site.layout.units / "multi-user.target.wants" / name)
    site.step(f"disabled {name}")
    disk.take_away(site.layout.units / name)
    site.step(f"removed {name}")
    if not own:
        site.machine.reload()


def names(site: Site, file: str) -> dict[str, str]:
    """{name: its line} of a file such as /etc/group."""
    try:
        lines = site.layout.at(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {line.split(":")[0]: line for line in lines if ":" in line}
