"""Arguments that flash and prepare-sd share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.card.flash import Work


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--release", type=Path, metavar="ARCHIVE", help="the release to install (default: the newest platewatch-*.tar here or in dist/)")
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
    from deploy.card.prepare import keep, keys_for, newest, prepared, terminal
    from deploy.card.telling import Telling

    archive = newest(options.release, (Path(), Path("dist")))
    trusted = keys_for(options.trusted, archive)
    made = prepared(options.device, terminal())
    telling = Telling(Console())
    if options.device is None and not options.dry_run and (kept := keep(made, Path())):
        telling.line(f"Your answers are kept in {kept}, passwords as hashes; next time: python -m deploy flash {kept}")
    return Work(made, archive, trusted, options.first_boot, options.dry_run, telling)
