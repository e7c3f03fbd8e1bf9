"""What the commands for other machines have in common: their options, and how an act is taken to the devices."""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.fleet.acts import Act, Outcome
    from deploy.fleet.inventory import Device
    from deploy.fleet.remote import Remote


def add_hosts(parser: argparse.ArgumentParser, *, changes: bool = True) -> None:
    """Which devices, and how they are reached; where the command changes them, in which order too."""
    parser.add_argument("hosts", nargs="*", metavar="HOST", help="host or user@host, as you would give it to ssh")
    parser.add_argument("--inventory", type=Path, metavar="FILE", help="the devices of this TOML file")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="of the inventory this device or group alone (may be given again)")
    parser.add_argument("--port", type=int, metavar="N", help="port of SSH for each HOST")
    parser.add_argument("--identity", default="", metavar="FILE", help="key file for each HOST")
    parser.add_argument("--ssh-config", type=Path, metavar="FILE", help="as ssh's -F (default: your own)")
    parser.add_argument("--ask-sudo", action="store_true", help="ask once for the password that sudo wants on the devices")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="devices at a time (default: 4)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the results there: .json, or .xml in JUnit's format")
    if changes:
        parser.add_argument(
            "--canary", type=int, default=0, metavar="N", help="N devices first (of group `canary` before others), the rest only if they stay well"
        )
        parser.add_argument("--watch", type=float, default=120.0, metavar="S", help="seconds for which canaries are watched (default: 120)")
        parser.add_argument("--stop-at", type=float, default=25.0, metavar="PERCENT", help="begin no more once so many of all failed (default: 25)")


def devices_of(options: argparse.Namespace) -> list[Device]:
    """Raises FleetError."""
    from deploy.fleet import inventory
    from deploy.fleet.errors import FleetError

    if bool(options.hosts) == bool(options.inventory):
        raise FleetError("name the devices: HOST..., or --inventory FILE" + (", not both" if options.hosts else ""))
    if not options.inventory:
        if options.only:
            raise FleetError("--only chooses from an inventory; name one with --inventory, or only those HOSTs that you mean")
        return inventory.from_words(options.hosts, options.port, options.identity)
    if options.port or options.identity:
        raise FleetError("--port and --identity are for HOSTs; an inventory has `port` and `identity` for each device, or in [defaults]")
    return inventory.chosen(inventory.load(options.inventory), options.only)


class Round:
    """One act taken to many devices: who is connected, what they said, and what came of it."""

    def __init__(self, act: Act, devices: Sequence[Device], options: argparse.Namespace) -> None:
        from rich.console import Console

        from deploy.fleet.table import Board

        self._act, self._options = act, options
        self._passwords = passwords(devices, options.ask_sudo)
        self._running: dict[str, Remote] = {}
        self._lock = threading.Lock()
        self.board = Board(devices, Console())

    def do(self, device: Device) -> Outcome:
        """Never raises: whatever happens is the device's outcome."""
        from deploy.fleet.acts import Outcome
        from edge.errors import PlatewatchError

        began = time.monotonic()
        try:
            self.board.tell(device.name, "connecting")
            with self._lock:
                remote = self._running[device.name] = self._remote(device)
            said = self._act(remote, lambda words: self.board.tell(device.name, words))
            state, words, release, told = "ok", said.words, said.release, said.told
        except (PlatewatchError, OSError) as error:
            state, words, release, told = "failed", str(error), "", {}
        finally:
            with self._lock:
                self._running.pop(device.name, None)
        return Outcome(device.name, state, words, release, time.monotonic() - began, self.board.log(device.name), told)

    def still_well(self, device: Device) -> str:
        from deploy.fleet.acts import healthy, in_words
        from edge.errors import PlatewatchError

        try:
            remote = self._remote(device)
            remote.facts()
            told = remote.told()
            return "" if healthy(told) else in_words(told)
        except PlatewatchError as error:
            return str(error)

    def halt(self) -> None:
        with self._lock:
            for remote in self._running.values():
                remote.stop()

    def _remote(self, device: Device) -> Remote:
        from deploy.fleet.remote import Remote
        from deploy.fleet.ssh import Ssh

        return Remote(Ssh(device, self._options.ssh_config), lambda line: self.board.hear(device.name, line), self._passwords[device.name])


def go(name: str, act: Act, options: argparse.Namespace, devices: Sequence[Device] | None = None) -> int:
    """0 when all went well on every device, else 1."""
    from deploy.fleet import report
    from deploy.fleet.crew import Crew, Plan

    devices = devices_of(options) if devices is None else devices
    if options.report:
        report.check(options.report)
    changes = hasattr(options, "canary")
    plan = Plan(options.at_once, options.canary, options.watch, options.stop_at / 100) if changes else Plan(options.at_once, stop_at=1.0)
    round = Round(act, devices, options)
    crew = Crew(round.do, round.still_well, round.board.done, round.halt)
    with round.board:
        outcomes = crew.work(devices, plan)
    if options.report:
        report.write(options.report, name, outcomes)
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def passwords(devices: Sequence[Device], ask: bool) -> dict[str, str]:
    """Device name -> what sudo is told there, '' where it asks for nothing. Raises FleetError for one that cannot be read."""
    asked = ""
    if ask:
        import getpass

        asked = getpass.getpass("The devices' sudo password: ")
    return {device.name: _password(device) if device.sudo_password else asked for device in devices}


def _password(device: Device) -> str:
    from deploy.fleet.errors import FleetError

    kind, _, place = device.sudo_password.partition(":")
    if kind == "env":
        if not os.environ.get(place):
            raise FleetError(f"device {device.name!r}: the environment has no {place}, in which its sudo password should be")
        return os.environ[place]
    try:
        return Path(place).expanduser().read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        raise FleetError(f"device {device.name!r}: no sudo password can be read from {place}") from None
