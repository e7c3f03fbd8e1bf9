"""Prepares an MQTT broker for many devices: an authority, certificates, passwords, rights, and what each device is given. Nothing runs here."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("broker", help="prepare an MQTT broker (mosquitto) for many devices: TLS, passwords, rights", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    init = acts.add_parser("init", help="make the folder; or add to it, and renew the broker's certificate")
    init.add_argument("folder", type=Path, metavar="DIR")
    init.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="name or address by which the broker is reached (may be given again); those that its certificate has stay",
    )
    init.add_argument("--device", action="append", default=[], metavar="NAME", help="a device that tells (may be given again)")
    init.add_argument("--reader", action="append", default=[], metavar="NAME", help="who reads what all devices tell (may be given again)")
    init.add_argument(
        "--at", default="", metavar="DIR", help="where DIR/broker stands for mosquitto (default: as before; at first its container's /mosquitto/config)"
    )
    remove = acts.add_parser("remove", help="take a device's or reader's credentials and rights away")
    remove.add_argument("folder", type=Path, metavar="DIR")
    remove.add_argument("name", metavar="NAME")


def run(options: argparse.Namespace) -> int:
    from deploy.broker import folder

    if options.act == "remove":
        folder.remove(options.folder, options.name)
        print(f"{options.name} is removed; copy {options.folder}/broker to the broker and restart it, which ends its connection too")
        return 0
    for sentence in folder.init(options.folder, options.host, options.device, options.reader, options.at):
        print(sentence)
    print(f"Keep {options.folder}/ca to yourself. Next: {options.folder}/broker to the broker, {options.folder}/devices/NAME to each device.")
    return 0
