"""Writes the os_list JSON by which Raspberry Pi Imager offers an image: sizes, hashes, boards, and how its first start is told what to do."""

from __future__ import annotations

import argparse
from pathlib import Path

NAMES = ("pi5-64bit", "pi4-64bit", "pi3-64bit")
FORMATS = ("none", "systemd", "cloudinit", "cloudinit-rpi", "rpi-preseed")
ICON = "https://downloads.raspberrypi.com/raspios_arm64/Raspberry_Pi_OS_(64-bit).png"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("os-list", help="describe an image for Raspberry Pi Imager", description=__doc__)
    parser.add_argument("image", type=Path, metavar="IMAGE", help="IMAGE.img, .img.xz, .img.gz or .zip")
    parser.add_argument("--url", metavar="URL", help="where Imager finds it (default: this file itself, for this machine)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: beside the image, IMAGE.rpi-imager-manifest, which Imager 2 opens at a double click")
    parser.add_argument("--name", default="Platewatch", help="in Imager's list (default: Platewatch)")
    parser.add_argument("--description", default="Reads number plates at your gate; offline, private", metavar="WORDS")
    parser.add_argument("--icon", default=ICON, metavar="URL", help="40 pixels square")
    parser.add_argument("--website", metavar="URL")
    parser.add_argument("--release-date", metavar="YYYY-MM-DD", help="default: today")
    parser.add_argument("--device", action="append", choices=NAMES, help="boards it is for (may be given again; default: all three)")
    parser.add_argument("--init-format", choices=FORMATS, help="how its first start takes name, user and Wi-Fi (default: found out from its boot partition)")


def run(options: argparse.Namespace) -> int:
    from rich.progress import Progress

    from deploy.image import oslist
    from deploy.image.errors import ImageListError

    out = options.out or options.image.with_name(f"{options.image.name}.rpi-imager-manifest")
    oslist.check_out(out, options.image)
    words = {
        "url": options.url or options.image.absolute().as_uri(),
        "icon": options.icon,
        "name": options.name,
        "description": options.description,
        "website": options.website,
        "release_date": options.release_date or oslist.today(),
        "devices": options.device or list(NAMES),
        "init_format": options.init_format,
    }
    oslist.check_words(words)  # before minutes are spent on reading the image
    with Progress(transient=True) as progress:
        task = progress.add_task("reading the image", total=None)
        measured = oslist.measure(
            options.image, look_inside=not options.init_format, tell=lambda taken, whole: progress.update(task, completed=taken, total=whole)
        )
    made = oslist.describe(measured, words)
    try:
        draft = out.with_name(f".{out.name}.tmp")
        draft.write_text(oslist.text(made), encoding="utf-8")
        draft.replace(out)
    except OSError as error:
        raise ImageListError(f"--out {out}: cannot be written ({error.strerror})") from None
    print(f"{out}: {made.os_list[0].extract_size / 1e9:.2f} GB, first start by {made.os_list[0].init_format}")
    return 0
