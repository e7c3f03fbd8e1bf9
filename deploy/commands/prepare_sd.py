"""The same as flash for a boot folder that is mounted: after Raspberry Pi Imager has written the card, on any computer."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.card import options as shared


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("prepare-sd", help="add the kit to a card that is written and mounted", description=__doc__)
    parser.add_argument("path", type=Path, metavar="PATH", help="the mounted boot folder, such as /media/you/bootfs or /Volumes/bootfs")
    parser.add_argument(
        "device", type=Path, nargs="?", metavar="DEVICE.toml", help="the device file; what it lacks, or all without it, is asked for at the terminal"
    )
    shared.add(parser)


def run(options: argparse.Namespace) -> int:
    from deploy.card.boot import MountedFolder
    from deploy.card.detect import detect
    from deploy.card.errors import CardError
    from deploy.card.flash import onto_folder

    if not options.path.is_dir():
        raise CardError(f"{options.path}: is no folder; put the card in and name the folder of its small partition, bootfs")
    boot = MountedFolder(options.path)
    try:
        detect(boot, options.first_boot)  # before anything is asked
    except CardError as error:
        raise CardError(f"{options.path}: {error}") from None
    onto_folder(shared.work(options), boot, str(options.path))
    return 0
