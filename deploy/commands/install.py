"""Installs Platewatch on machines that already run Raspberry Pi OS, over SSH. What was interrupted goes on when the same command is given again."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from deploy.fleet.command import add_hosts, devices_of, go


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("install", help="install on machines that already run, over SSH", description=__doc__)
    parser.add_argument("--release", type=Path, required=True, metavar="FILE", help="platewatch-....tar, its .minisig beside it")
    parser.add_argument("--trusted", type=Path, required=True, metavar="FILE", help="public key (minisign) of those whose releases the device shall take")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration of a first installation; $name, $address and the inventory's variables are filled in"
    )
    add_hosts(parser)


def run(options: argparse.Namespace) -> int:
    from deploy.fleet.acts import Install
    from deploy.fleet.payload import parcel, release
    from deploy.fleet.template import configs
    from deploy.release import pyz

    devices = devices_of(options)
    wanted = release(options.release)
    trusted = parcel(options.trusted, "trusted.pub")
    with tempfile.TemporaryDirectory() as folder:
        onboard = Path(folder, "onboard.pyz")
        pyz.build(onboard)
        own = configs(options.config, devices, Path(folder)) if options.config else {}
        return go("install", Install(wanted, parcel(onboard), trusted, configs=own), options, devices)
