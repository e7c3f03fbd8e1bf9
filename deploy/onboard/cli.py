"""`platewatch-deploy`: the updater on the device. Standard library alone, since it runs before anything is installed.

Every module of ours is imported here: the file that they come from is replaced while an update runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from deploy.onboard import backup, disk, firstboot, ground, log, page, restore, resume, signature, switch, told, trust, uninstall, update
from deploy.onboard.errors import BUSY, BusyError, OnboardError
from deploy.onboard.layout import Layout
from deploy.onboard.machine import Machine
from deploy.onboard.site import Site, tell


def main(words: list[str] | None = None, site: Site | None = None) -> int:
    """0; 1 with one sentence on stderr, BUSY where that is about another one at work; 2 for wrong usage."""
    args = parser().parse_args(words)
    site = site or Site(Layout(args.root), Machine())
    try:
        if args.command not in ("status", "page") and os.geteuid() != 0 and args.root == Path("/"):
            raise OnboardError(f"{args.command} changes the system; run it with sudo")
        act: Callable[[Site, argparse.Namespace], int] = args.act
        return act(site, args)
    except (OnboardError, OSError) as error:
        print(f"platewatch-deploy: {error if isinstance(error, OnboardError) else disk.plainly(error)}", file=sys.stderr)
        return BUSY if isinstance(error, BusyError) else 1
    except KeyboardInterrupt:
        print("platewatch-deploy: stopped; the same command goes on, or platewatch-deploy resume", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="platewatch-deploy", description="Install, update and look after Platewatch on this device.")
    made.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, purpose: str, act: Callable[[Site, argparse.Namespace], int]) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        one.set_defaults(act=act)
        return one

    one = command("firstboot", "set the device up from the kit on the boot partition", _firstboot)
    one.add_argument("kit", type=Path, metavar="KIT")
    one.add_argument("--here", action="store_true", help="by this process, not by the unit that goes on after a power cut")
    one.add_argument("--later", action="store_true", help="only see to it that it goes on: later in this start, or at the next one")
    one = command("install", "install a release on a system that runs; what is installed already is updated", _install)
    one.add_argument("archive", type=Path, metavar="ARCHIVE")
    one.add_argument("--trusted", type=Path, metavar="FILE", help="public keys to trust from now on (the first installation only)")
    one.add_argument("--config", type=Path, metavar="FILE", help="the configuration (the first installation only)")
    one = command("update", "bring a newer release or model; what does not work is rolled back", _update)
    one.add_argument("source", metavar="SOURCE", help="an archive, a folder, usb, a device such as /dev/sda1, an address (http, https), or - for a pipe")
    for name in ("install", "update"):
        commands.choices[name].add_argument("--downgrade", action="store_true", help="let an older one in")
        commands.choices[name].add_argument("--again", action="store_true", help="try one again that was rolled back here")
    command("rollback", "let the release of before run again", _rollback)
    one = command("trust", "list, add or remove the keys whose releases this device takes", _trust)
    one.add_argument("--add", type=str, action="append", default=[], metavar="FILE", help="trust the public keys (.pub) in it, too")
    one.add_argument("--remove", action="append", default=[], metavar="ID", help="trust the key of this name no more; the last one stays")
    command("status", "what runs, what is on trial, what went wrong", _status).add_argument("--json", action="store_true")
    command("resume", "finish what a power cut left, and judge what is on trial; runs at each start", _resume)
    one = command("backup", "write configuration, lists, events and labels into one file", _backup)
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--with-secrets", action="store_true", help="passwords and keys too: keep the file as safe as those")
    command("restore", "put a backup in place, also one of another card", _restore).add_argument("file", type=Path, metavar="FILE")
    command("uninstall", "remove Platewatch and leave nothing behind", _uninstall).add_argument(
        "--keep-data", action="store_true", help="all but the owner's own"
    )
    command("page", "show the log of the first start as a page", _page).add_argument("log", type=Path, metavar="LOG")
    return made


def _firstboot(site: Site, args: argparse.Namespace) -> int:
    folder = args.kit.resolve()
    if not folder.is_dir():
        raise OnboardError(f"{folder}: there is no such folder; name that of the kit, such as /boot/firmware/platewatch")
    if args.later:
        firstboot.put_off(site, folder)
        return 0
    say = log.writer(folder.parent / log.NAME, site.machine.now, site.say)
    site = Site(site.layout, site.machine, site.step, say)
    try:
        if args.here:
            with site.alone(wait=True):
                firstboot.first_start(site, folder)
        else:
            firstboot.arrange(site, folder)
    except OSError as error:  # a system that cannot be written to: where else but in the log would its owner find that
        firstboot.lament(site, error)
    return 0


def _install(site: Site, args: argparse.Namespace) -> int:
    trusted = args.trusted.read_bytes() if args.trusted else None
    config = args.config.read_bytes() if args.config else None
    if trusted is not None:
        signature.parse_trusted(trusted, str(args.trusted))
    with site.alone():
        if not site.state.current:
            ground.lay(site, trusted)
            if trusted is not None:  # nothing runs yet: whoever installs says whom to trust
                site.write(site.layout.trusted, trusted)
            if config is not None or not site.layout.config.is_file():
                ground.configure(site, config or ground.CONFIG.encode())
            if config is not None and config != disk.contents(site.layout.config):
                site.say(f"{site.layout.config} stays as it is: somebody has worked with it; remove it first, if the other one shall take its place.")
        elif trusted is not None and trusted != disk.contents(site.layout.trusted):
            site.say(f"{site.layout.trusted} stays as it is: whom a device trusts is changed by platewatch-deploy trust, never by an installation.")
        update.update(site, str(args.archive), update.Wish(args.downgrade, args.again))
    return update.settle(site)


def _update(site: Site, args: argparse.Namespace) -> int:
    with site.alone():
        update.update(site, args.source, update.Wish(args.downgrade, args.again))
    return update.settle(site)


def _rollback(site: Site, args: argparse.Namespace) -> int:
    meant = site.state.current
    with site.alone(wait=True):
        switch.back(site, meant)
    return update.settle(site)


def _trust(site: Site, args: argparse.Namespace) -> int:
    add = [key for file in args.add for key in trust.read(file)]
    if add or args.remove:
        with site.alone():
            trust.change(site, add, args.remove)
    tell("\n".join([*(f"{key.name} {key.line}" for key in trust.known(site)), trust.told(site)]))
    return 0


def _status(site: Site, args: argparse.Namespace) -> int:
    found, all = told.as_json(site), not site.layout.own.is_dir() or os.access(site.layout.own, os.R_OK | os.X_OK)
    tell(json.dumps(found, indent=1) if args.json else "\n".join(told.words(found, all=all)))
    if not all:
        print("platewatch-deploy: sudo tells more: how daemon and page are, whether something is on trial, and what happened last", file=sys.stderr)
    return 0


def _resume(site: Site, args: argparse.Namespace) -> int:
    with site.alone(wait=True):
        resume.resume(site)
    return 0


def _backup(site: Site, args: argparse.Namespace) -> int:
    with site.alone():
        backup.backup(site, args.file.absolute(), secrets=args.with_secrets)
    return 0


def _restore(site: Site, args: argparse.Namespace) -> int:
    with site.alone():
        update.check_idle(site)
        restore.restore(site, args.file)
    return 0


def _uninstall(site: Site, args: argparse.Namespace) -> int:
    with site.alone(wait=True):
        uninstall.uninstall(site, keep_data=args.keep_data)
    return 0


def _page(site: Site, args: argparse.Namespace) -> int:
    page.serve(site.layout, args.log)
    threading.Event().wait()
    return 0
