"""Changes whose releases devices take, over SSH: add the new key, bring a release that it signed, remove the old one. Without --add or --remove it lists."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.fleet.command import add_hosts, devices_of, go


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("trust", help="list, add or remove the keys whose releases devices take, over SSH", description=__doc__)
    parser.add_argument("--add", type=Path, metavar="FILE", help="trust the public keys (.pub) in it, too")
    parser.add_argument("--remove", action="append", default=[], metavar="ID", help="trust the key of this name no more; the last one of a device stays")
    add_hosts(parser, changes=False)


def run(options: argparse.Namespace) -> int:
    from deploy.fleet.acts import Trust
    from deploy.fleet.payload import parcel
    from deploy.keys import read_public

    devices = devices_of(options)
    if options.add:
        read_public(options.add)  # better found here than on the first of twenty devices
    return go("trust", Trust(parcel(options.add, "added.pub") if options.add else None, tuple(options.remove)), options, devices)
