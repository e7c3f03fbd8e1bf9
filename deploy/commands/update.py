"""Updates devices over SSH. Each checks the signature, tries the new release for a minute and goes back by itself where it does not do."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.fleet.command import add_hosts, devices_of, go


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("update", help="update devices over SSH, a few first if you like", description=__doc__)
    parser.add_argument("--release", required=True, metavar="FILE", help="platewatch-....tar (or a signed bundle), its .minisig beside it; or http(s)://...")
    parser.add_argument("--downgrade", action="store_true", help="let a release in that is older than the one in use")
    parser.add_argument("--again", action="store_true", help="try a release again that went back there by itself")
    add_hosts(parser)


def run(options: argparse.Namespace) -> int:
    from deploy.fleet.acts import Update
    from deploy.fleet.payload import release

    devices, wish = devices_of(options), {"downgrade": options.downgrade, "again": options.again}
    if options.release.startswith(("http://", "https://")):
        from urllib.parse import urlsplit

        from deploy.fleet.errors import FleetError

        try:
            host, path = urlsplit(options.release).hostname, urlsplit(options.release).path
        except ValueError:
            host = path = ""
        if not host or not path.strip("/") or not options.release.isprintable() or " " in options.release:
            raise FleetError(f"--release {options.release}: is no address of an archive; write it whole, https://example.org/platewatch-....tar")
        return go("update", Update(source=options.release, **wish), options, devices)
    return go("update", Update(release(Path(options.release)), **wish), options, devices)
