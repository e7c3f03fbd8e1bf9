"""`platewatch doctor`: checks this device and says in words what to mend.

A check is a function from the device to an `Outcome`, and one line in `CHECKS`. It may raise: that is an outcome too, and the others go on.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.checks.outcome import Device, Outcome
from edge.checks.patience import PATIENCE_S, within
from edge.errors import PlatewatchError

if TYPE_CHECKING:
    from edge.config import Config


PROCESSOR_FILES = tuple(Path(name) for name in ("/sys/devices/system/cpu/possible", "/sys/devices/system/cpu/present", "/proc/cpuinfo"))
"""Where XNNPACK looks for the processor's kind and cores; where it finds nothing it turns itself off without a word."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome and the name of the check that it belongs to."""

    what: str
    outcome: Outcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `platewatch doctor`."""
    parser.add_argument("--config", metavar="FILE", help="check this config file, its bundles and its store too")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """0 when nothing is bad."""
    worst = 0
    for finding in examine(args.config):
        seen = finding.outcome
        told = "; ".join(filter(None, (seen.words, seen.mend)))
        if args.json:
            print(json.dumps({"state": seen.state, "what": finding.what, "words": seen.words, "mend": seen.mend}), flush=True)
        else:
            print(f"{ {'good': ' ok ', 'note': 'note', 'bad': 'BAD '}[seen.state] }  {finding.what}: {told}", flush=True)
        worst |= seen.state == "bad"
    return int(worst)


def examine(config_file: str | None) -> Iterator[Finding]:
    """Every check; one that fails does not stop the others."""
    device = Device(config_file, _usable(config_file))
    for what, check in CHECKS.items():
        try:
            outcome = within(check, device, PATIENCE_S)
        except PlatewatchError as error:
            outcome = Outcome("bad", str(error))
        except Exception as error:  # a doctor that dies of one patient helps none of the others
            outcome = Outcome("bad", f"could not be checked ({type(error).__name__}: {' '.join(str(error).split())})")
        if outcome is not None:
            yield Finding(what, outcome)


def _usable(config_file: str | None) -> Config | None:
    """What stands in the file; None where there is none or it is wrong, which the check `config` tells."""
    if config_file is None:
        return None
    try:
        from edge.config import load

        return load(config_file)
    except (PlatewatchError, ImportError):
        return None


def _machine(_: Device) -> Outcome:
    model = Path("/proc/device-tree/model")
    name = model.read_text().rstrip("\0") if model.is_file() else platform.platform()
    if platform.machine() not in ("aarch64", "x86_64"):
        return Outcome("bad", f"{platform.machine()} has no TFLite runtime", "install the 64-bit Raspberry Pi OS")
    return Outcome("good", f"{name}, Python {platform.python_version()}")


def _runtime(_: Device) -> Outcome:
    from importlib.metadata import PackageNotFoundError

    from edge.model.tflite import runtime_version

    try:
        return Outcome("good", runtime_version())
    except PackageNotFoundError:
        return Outcome("bad", "ai-edge-litert is not installed", "run ./setup.sh demo, or pip install ai-edge-litert")


def _config(device: Device) -> Outcome | None:
    if device.config_file is None:
        return None
    from edge.config import load

    load(device.config_file)
    return Outcome("good", f"{device.config_file} is valid")


def _bundle(kind: str) -> Callable[[Device], Outcome]:
    """The golden self-test of the bundle that the config names, or of the shipped one."""

    def check(device: Device) -> Outcome:
        from edge.model.selftest import self_test_apart
        from edge.wiring import bundle_dir

        folder = bundle_dir(getattr(device.config.models, kind) if device.config else kind)
        return weigh(self_test_apart(kind, folder))

    return check


def weigh(test: dict[str, Any]) -> Outcome:
    """What a self-test means for the owner."""
    from edge.model.selftest import MEASURED_WITH, State

    name, state, runtime = test["name"], State(test["state"]), test["runtime"]
    fast = {True: "XNNPACK is on", False: "XNNPACK is off", None: "this runtime does not tell whether XNNPACK is on"}[test["delegated"]]
    wake = f"install the runtime that it was measured with, {MEASURED_WITH} (here: {runtime})"
    if blind := [path for path in PROCESSOR_FILES if not _says_something(path)]:
        wake = f"XNNPACK finds the processor by {blind[0]}, which cannot be read: in a container or chroot, mount /sys and /proc"
    match state:
        case State.EXACT:
            return Outcome("good", f"{name} computes exactly what was measured, bit for bit; {fast}")
        case State.EXACT_BUT_SLOW:
            return Outcome("bad", f"{name} computes exactly what was measured, but XNNPACK is off: reads are slower", wake)
        case State.XNNPACK_OFF:
            return Outcome("bad", f"XNNPACK is off: {name} is computed by the builtin kernels, slower and with other last digits than were measured", wake)
        case State.OTHER_RUNTIME:
            return Outcome(
                "bad",
                f"{fast}, but {name} computes something else here than where it was measured: {runtime} or this processor computes otherwise",
                f"install the runtime that it was measured with, {MEASURED_WITH}; if it is that one, python -m convert evaluate tells what reads are worth",
            )
        case State.NO_GOLDEN:
            return Outcome("note", f"{name} has no golden to compare with; {fast}", "make the bundle anew with python -m convert bundle")


def _says_something(path: Path) -> bool:
    try:
        return bool(path.read_text().strip())
    except OSError:
        return False


def _temperature(_: Device) -> Outcome:
    from edge.health import temperature_c

    celsius = temperature_c()
    if celsius is None:
        return Outcome("note", "this machine does not tell")
    if celsius >= 80:
        return Outcome("note", f"{celsius:.0f} C; a Raspberry Pi slows down from 80 C", "give it a heat sink or a fan")
    return Outcome("good", f"{celsius:.0f} C")


def _later(module: str, name: str) -> Callable[[Device], Outcome | None]:
    """A check of `edge.checks`, imported when it is made: `--help` answers at once."""

    def check(device: Device) -> Outcome | None:
        import importlib

        found: Outcome | None = getattr(importlib.import_module(f"edge.checks.{module}"), name)(device)
        return found

    return check


CHECKS: dict[str, Callable[[Device], Outcome | None]] = {
    "machine": _machine,
    "runtime": _runtime,
    "config": _config,
    "detector": _bundle("detector"),
    "reader": _bundle("reader"),
    "threads": _later("board", "check_threads"),
    "memory": _later("board", "check_memory"),
    "temperature": _temperature,
    "supply": _later("board", "check_supply"),
    "throttling": _later("board", "check_throttling"),
    "clock": _later("clock", "check_clock"),
    "disk": _later("disk", "check_disk"),
    "permissions": _later("permissions", "check_permissions"),
    "Pi camera": _later("camera", "check_library"),
    "camera": _later("camera", "check_camera"),
    "targets": _later("network", "check_targets"),
}
"""Name -> check, in the order in which they are told; one that answers None has nothing to say here."""
