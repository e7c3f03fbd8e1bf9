"""Writes a card that needs nothing more: Raspberry Pi OS as you downloaded it, your settings, and the kit that installs Platewatch without a network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.card import options as shared

if TYPE_CHECKING:
    from deploy.card.disks import Disk
    from deploy.card.image import Image


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("flash", help="write a card: system, settings, kit", description=__doc__)
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
    shared.add(parser)


def run(options: argparse.Namespace) -> int:
    from deploy.card import disks, pick
    from deploy.card.errors import CardError
    from deploy.card.flash import image_onto, onto_written, written_boot
    from deploy.card.image import look
    from deploy.card.prepare import terminal

    if options.onto_written:
        if options.image:
            raise CardError("--image and --onto-written do not go together: a card that is written already needs no image")
        disk = disks.find(options.onto_written)
        boot = written_boot(disk, options.yes_really)
        onto_written(shared.work(options), disk, boot)
        return 0
    asker = terminal()
    image = look(options.image or pick.image(asker), options.sha256)
    options.disk = options.disk or pick.card(asker, image.size or image.packed)
    disk = _disk(options, image)
    disks.allow(disk, image.size or image.packed, options.yes_really)
    image_onto(shared.work(options), image, disk, options.yes_really)
    return 0


def _disk(options: argparse.Namespace, image: Image) -> Disk:
    """The card; a file that was named twice and is not there yet is made, of a size that emulators take (a power of two)."""
    from deploy.card import disks

    path = Path(options.disk)
    if path.exists() or options.yes_really != options.disk or str(path).startswith("/dev/"):
        return disks.find(options.disk)
    needed = 1 << ((image.size or image.packed) - 1).bit_length()
    if options.dry_run:
        return disks.Disk(str(path), needed, "a file", file=True)
    with path.open("xb") as file:
        file.truncate(needed)
    return disks.find(options.disk)
