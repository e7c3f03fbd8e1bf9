"""`platewatch doctor`: checks this device and says in words what to mend."""

from __future__ import annotations

import argparse
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.errors import PlatewatchError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `state` is good, note (works, could be better) or bad (must be mended)."""

    state: str
    what: str
    words: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `platewatch doctor`."""
    parser.add_argument("--config", metavar="FILE", help="check this config file, its store and its camera's kind too")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """0 when nothing is bad."""
    import json

    worst = 0
    for finding in examine(args.config):
        if args.json:
            print(json.dumps({"state": finding.state, "what": finding.what, "words": finding.words}))
        else:
            print(f"{ {'good': ' ok ', 'note': 'note', 'bad': 'BAD '}[finding.state] }  {finding.what}: {finding.words}")
        worst |= finding.state == "bad"
    return int(worst)


def examine(config: str | None) -> Iterator[Finding]:
    """Every check; one that fails does not stop the others."""
    checks: list[Callable[[], Finding]] = [
        _machine,
        _runtime,
        lambda: _bundle("detector", config),
        lambda: _bundle("reader", config),
        _temperature,
        _camera_library,
    ]
    if config:
        checks += [lambda: _config(config), lambda: _disk(config)]
    for check in checks:
        try:
            yield check()
        except PlatewatchError as error:
            yield Finding("bad", getattr(check, "__name__", "check").strip("_<>").replace("lambda", "bundle"), str(error))


def _machine() -> Finding:
    model = Path("/proc/device-tree/model")
    name = model.read_text().rstrip("\0") if model.is_file() else platform.platform()
    if platform.machine() not in ("aarch64", "x86_64"):
        return Finding("bad", "machine", f"{platform.machine()} has no TFLite runtime; install the 64-bit Raspberry Pi OS")
    return Finding("good", "machine", f"{name}, Python {platform.python_version()}")


def _runtime() -> Finding:
    from edge.model.tflite import runtime_version

    return Finding("good", "runtime", runtime_version())


def _bundle(kind: str, config: str | None) -> Finding:
    """The golden self-test of one bundle."""
    from edge.model.detector import Detector
    from edge.model.manifest import SHIPPED
    from edge.model.reader import Reader
    from edge.model.selftest import golden

    folder: str | Path = SHIPPED / kind
    if config:
        from edge.config import load

        folder = getattr(load(config).models, kind) or folder
    model = (Detector if kind == "detector" else Reader).load(folder)
    if not model.manifest.golden:
        return Finding("note", kind, f"{model.manifest.name} has no golden to compare with")
    if golden(model) == model.manifest.golden:
        return Finding("good", kind, f"{model.manifest.name} computes exactly what was measured, bit for bit; XNNPACK is on")
    return Finding(
        "bad",
        kind,
        f"{model.manifest.name} computes something else here than where it was measured: XNNPACK is probably off "
        "(is /sys readable? is ai-edge-litert the version that this release names?); reads may be slower and a little worse",
    )


def _temperature() -> Finding:
    from edge.health import temperature_c

    celsius = temperature_c()
    if celsius is None:
        return Finding("note", "temperature", "this machine does not tell")
    hot = celsius >= 80
    return Finding(
        "note" if hot else "good", "temperature", f"{celsius:.0f} C" + ("; a Raspberry Pi slows down from 80 C: give it a heat sink or a fan" if hot else "")
    )


def _camera_library() -> Finding:
    import importlib.util

    if importlib.util.find_spec("picamera2"):
        return Finding("good", "Pi camera", "picamera2 is installed")
    return Finding("note", "Pi camera", "picamera2 is not installed: USB, RTSP and files work; for a Pi camera: sudo apt install python3-picamera2")


def _config(config: str) -> Finding:
    from edge.config import load

    load(config)
    return Finding("good", "config", f"{config} is valid")


def _disk(config: str) -> Finding:
    from edge.config import load

    store = load(config).store
    folder = next(parent for parent in Path(store.path).resolve().parents if parent.is_dir())
    free_mb = shutil.disk_usage(folder).free / 1e6
    if free_mb < store.keep_at_least_mb_free:
        return Finding("bad", "disk", f"{free_mb:.0f} MB free at {folder}, the floor is {store.keep_at_least_mb_free} MB: old events go first; free some space")
    return Finding("good", "disk", f"{free_mb:.0f} MB free at {folder}")
