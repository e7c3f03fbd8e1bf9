"""Arguments that flash, prepare-sd and card share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploy.card.flash import Work
    from deploy.card.prepare import Prepared
    from deploy.card.telling import Telling


def add_card(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """What a whole card is made of; the group says where it all goes."""
    parser.add_argument(
        "device", type=Path, nargs="?", metavar="DEVICE.toml", help="the device file; what it lacks, or all without it, is asked for at the terminal"
    )
    parser.add_argument("--image", type=Path, metavar="FILE", help="Raspberry Pi OS Lite (64-bit): .img.xz, .img.gz, .zip or .img (default: asked for)")
    parser.add_argument("--sha256", default="", metavar="SUM", help="its checksum, or a file that holds it (default: FILE.sha256 where it is there)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--disk", metavar="DEV", help="the card, such as /dev/sdb, or a file that stands for one (default: the cards are shown, and one asked for)"
    )
    where.add_argument("--onto-written", metavar="DEV", help="a card that Raspberry Pi Imager has written: the kit and what is missing are added")
    parser.add_argument("--yes-really", default="", metavar="DEV", help="the same name again, for a disk that is no plain card")
    return where


def add(parser: argparse.ArgumentParser, release: str = "the newest platewatch-*.tar here or in dist/") -> None:
    parser.add_argument("--release", type=Path, metavar="ARCHIVE", help=f"the release to install (default: {release})")
    parser.add_argument(
        "--trusted",
        type=Path,
        metavar="FILE",
        help="public keys that the device will trust (default: the one that signed it, beside it or ~/platewatch-release.pub)",
    )
    parser.add_argument(
        "--first-boot", choices=("cloudinit", "firstrun", "preseed"), metavar="WAY", help="cloudinit, firstrun or preseed, where the card does not show it"
    )
    parser.add_argument("--dry-run", action="store_true", help="show every step and every merged file, secrets masked; write nothing")


def work(options: argparse.Namespace) -> Work:
    """Asks what is missing, keeps the answers. Raises DeviceError or CardError."""
    from rich.console import Console

    from deploy.card.flash import Work
    from deploy.card.prepare import keys_for, newest
    from deploy.card.telling import Telling

    archive = newest(options.release, (Path(), Path("dist")))
    trusted = keys_for(options.trusted, archive)
    telling = Telling(Console())
    return Work(answers(options, telling, "python -m deploy flash"), archive, trusted, options.first_boot, options.dry_run, telling)


def answers(options: argparse.Namespace, telling: Telling, again: str, told: dict[str, Any] | None = None) -> Prepared:
    """Asks what is missing, keeps the answers; `again`: the command that takes them. `told`: what the card itself says. Raises DeviceError."""
    from deploy.card.prepare import keep, prepared, terminal

    made = prepared(options.device, terminal(), told)
    if options.device is None and not options.dry_run:
        kept = keep(made, Path())
        where = (
            f"kept in {kept}, passwords as hashes; next time: {again} {kept}" if kept else f"not kept: {made.settings.name}.toml is there already, and stays"
        )
        telling.line(f"Your answers are {where}")
    return made
