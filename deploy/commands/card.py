"""Everything for a card in one go: your signing key, a release of this checkout, your settings, and the card itself. What `./setup.sh card` does.

Key and release are made once and found again. It runs as you, and asks sudo for the writing of a disk alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.card import options as shared

if TYPE_CHECKING:
    from deploy.card.flash import Work
    from deploy.card.prepare import Prepared
    from deploy.card.target import Target
    from deploy.card.telling import Telling
    from deploy.device.ask import Asker

KEY = "~/platewatch-release.key"
AGAIN = "./setup.sh card"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("card", help="a card from nothing: key, release, settings, card (./setup.sh card)", description=__doc__)
    where = shared.add_card(parser)
    where.add_argument("--into", type=Path, metavar="PATH", help="the mounted boot folder of a card that Raspberry Pi Imager wrote, such as /media/you/bootfs")
    parser.add_argument("--key", type=Path, metavar="FILE", help=f"your secret key, with its .pub beside it; made where there is none (default: {KEY})")
    shared.add(parser, "one of this checkout, built where there is none yet")
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--handed", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--look", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--unmount", action="store_true", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from deploy.card import root
    from deploy.card.prepare import terminal
    from deploy.card.target import Written
    from deploy.card.telling import Telling

    if options.at:
        os.chdir(options.at)
    if options.handed:
        return _as_root(options)
    _not_by_sudo()
    telling, asker = Telling(Console()), terminal()
    target = _target(options, asker)
    told = _told(target)
    if options.device is None and asker:
        options.device = _kept(asker, told.get("device", {}).get("name", "*"))
    if told and options.device is None:
        telling.line(f"The card has a name ({told['device']['name']}), a user ({told['user']['name']}) and its own network settings, which all stay.")
        telling.line("The camera will be that of the Raspberry Pi, and plates of any country are expected; the page changes both.")
    made = shared.answers(options, telling, AGAIN, told)
    reads = bool(target.disk) and (options.onto_written or not options.dry_run)
    by_root = target.disk.path if reads and target.disk and root.needed(target.disk.path) else ""
    if by_root:
        root.ask(by_root)
    if by_root and isinstance(target, Written):  # before a release is built for it
        target = replace(target, python=root.looked(_words(options, target)))
    work = _work(options, made, target.python, telling)
    if by_root and target.disk:
        return root.call(_words(options, target), root.Handed(made, work.archive.absolute(), work.trusted.absolute(), target.disk))
    target.write(work)
    return 0


def _not_by_sudo() -> None:
    """Key, release and answers would be root's. Raises CardError."""
    from deploy.card.errors import CardError
    from deploy.device.owner import sudo_user

    if sudo_user() not in ("", "root"):
        raise CardError(f"run it without sudo, as {sudo_user()}; it asks for sudo itself, for the writing alone")


def _target(options: argparse.Namespace, asker: Asker | None) -> Target:
    """Where it goes. A card that is mounted is offered where nothing was said."""
    from deploy.card import target
    from deploy.card.errors import CardError

    if options.into:
        if options.image:
            raise CardError("--image and --into do not go together: a card that is written already needs no image")
        return target.folder(options.into, options.first_boot)
    if asker and not (options.image or options.disk or options.onto_written):
        for path in target.mounted():
            words = f"A card that Raspberry Pi Imager wrote is mounted at {path}. Put Platewatch onto it? yes, or no for another card"
            if asker(words, "yes", False).strip().lower() in ("y", "yes"):
                return target.folder(path, options.first_boot)
    if asker is None and not (options.onto_written or (options.image and options.disk)):
        raise CardError("nobody is at a terminal to ask which card; name --image and --disk, or --into with the folder of a card that is mounted")
    return target.chosen(options, asker, as_root=True, unmounts=True)


def _kept(asker: Asker, name: str) -> Path | None:
    """The answers of the last time, for this device or for any (`*`), where they are wanted again."""
    from deploy.device.errors import DeviceError
    from deploy.device.file import read

    for path in sorted(Path().glob(f"{name}.toml"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            table = read(path).get("device")
        except DeviceError:
            continue
        if isinstance(table, dict) and table.get("name") == path.stem:
            return path if asker(f"Your answers for {path.stem} are in {path}. Take them? yes or no", "yes", False).strip().lower() in ("y", "yes") else None
    return None


def _told(target: Target) -> dict[str, Any]:
    """What the card says of name and user already."""
    from deploy.card.boot import MountedFolder
    from deploy.card.target import Folder
    from deploy.card.told import told

    return told(MountedFolder(target.path), target.system) if isinstance(target, Folder) else {}


def _work(options: argparse.Namespace, made: Prepared, python: str, telling: Telling) -> Work:
    """With the release that was named, or one of this checkout. Raises CardError or ReleaseError."""
    from deploy.card.flash import Work
    from deploy.card.prepare import keys_for, newest
    from deploy.commands.wheelhouse import PYTHONS
    from deploy.device.owner import expanded
    from deploy.here import signed, source

    if options.release:
        archive = newest(options.release, ())
        return Work(made, archive, keys_for(options.trusted, archive), options.first_boot, options.dry_run, telling)
    secret = options.key.expanduser() if options.key else expanded(KEY)
    public = signed.keys(secret, telling.line)
    telling.line(f"The release: {source.told()}, for Python {python or ' and '.join(PYTHONS)}")
    archive = signed.release(secret, public, (python,) if python else PYTHONS)
    telling.line(f"   {archive}")
    return Work(made, archive, options.trusted or public, options.first_boot, options.dry_run, telling)


def _words(options: argparse.Namespace, target: Target) -> list[str]:
    """The arguments of root's part: what is known by now, and nothing that would be asked."""
    from deploy.card.target import Whole

    assert target.disk is not None
    words = ["--onto-written", target.disk.path]
    if isinstance(target, Whole):
        words = ["--disk", target.disk.path, "--image", str(target.image.path)] + ["--unmount"] * target.unmounts
    for name in ("sha256", "yes_really", "first_boot"):
        words += [f"--{name.replace('_', '-')}", getattr(options, name)] if getattr(options, name) else []
    return words + ["--dry-run"] * options.dry_run


def _as_root(options: argparse.Namespace) -> int:
    from rich.console import Console

    from deploy.card import root, target
    from deploy.card.flash import Work
    from deploy.card.telling import Telling

    if options.look:
        print(target.looked(options).python)
        return 0
    handed = root.unpacked(sys.stdin.buffer.read())
    work = Work(handed.made, handed.archive, handed.trusted, options.first_boot, options.dry_run, Telling(Console()))
    now = root.checked(handed.disk)
    if options.unmount and now.is_shown:
        from deploy.card.eject import unmount

        unmount(now)
    target.chosen(options, None).write(work)
    return 0
