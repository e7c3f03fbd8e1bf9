"""The golden self-test: the same int8 outputs on every machine whose runtime works as it should.

LiteRT with XNNPACK gives the same bytes on x86 and on every 64-bit Raspberry Pi; its builtin kernels, which it falls back to in silence where XNNPACK
cannot start, give others in the last digits, and not even the same on x86 and ARM. So three things are looked at on the device itself: whether the
outputs for a fixed picture have the hash that was measured, whether the graph was handed to XNNPACK, and whether the outputs are those of the builtin kernels.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import PlatewatchError
from edge.model.detector import Detector
from edge.model.manifest import Manifest, load_manifest
from edge.model.reader import Reader
from edge.model.tflite import Interpreter, runtime_version
from edge.records import Luma

PATIENCE_S = 120.0
"""Longest that a self-test may take; a Raspberry Pi 3 needs a few seconds."""
MEASURED_WITH = "ai-edge-litert 2.3"
"""The runtime whose goldens the shipped bundles carry."""


class State(StrEnum):
    """What a self-test found."""

    EXACT = "exact"
    """The bytes that were measured, computed by XNNPACK."""
    EXACT_BUT_SLOW = "exact but slow"
    """The bytes that were measured, but not computed by XNNPACK."""
    XNNPACK_OFF = "xnnpack off"
    """Other bytes, those of the builtin kernels: the fast path did not start."""
    OTHER_RUNTIME = "other runtime"
    """Other bytes, although XNNPACK computed them, or something that is neither: another version, or a processor that computes otherwise."""
    NO_GOLDEN = "no golden"
    """The bundle has nothing to compare with."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The outcome for one bundle. `delegated` says whether the graph shows XNNPACK at work; None: this runtime does not tell."""

    name: str
    state: State
    delegated: bool | None
    runtime: str
    outputs: str


def probe_picture(width: int, height: int) -> Luma:
    """(height, width) uint8 of integer arithmetic alone: light falling off, bars like glyphs, grain."""
    y, x = np.mgrid[0:height, 0:width].astype(np.uint32)
    light = (x * 255 // width + y * 127 // height) // 2
    bars = np.where((x * 29 // width + y * 3 // height) % 3 == 0, 90, 0).astype(np.uint32)
    grain = ((x * 1664525 + y * 1013904223 + x * y * 69069) >> 13) % 31
    return np.asarray((light + bars + grain) % 256, dtype=np.uint8)


def golden(model: Detector | Reader) -> str:
    """sha256 over the int8 outputs for the test picture and its negative."""
    digest = hashlib.sha256()
    picture = probe_picture(model.manifest.width, model.manifest.height)
    for one in (picture, np.asarray(255 - picture, dtype=np.uint8)):
        raw = model.infer(one)
        for values in [raw[name] for name in sorted(raw)] if isinstance(raw, dict) else [raw]:
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def verdict(wanted: str, found: str, builtin: str, delegated: bool | None) -> State:
    """What the hashes mean: the golden, what the default interpreter gave here, and what the builtin kernels give here."""
    if not wanted:
        return State.NO_GOLDEN
    if found == wanted:
        # A network on which both agree proves nothing by its bytes; there the graph alone tells.
        off = delegated is False or (delegated is None and found == builtin)
        return State.EXACT_BUT_SLOW if off else State.EXACT
    return State.XNNPACK_OFF if found == builtin and not delegated else State.OTHER_RUNTIME


def self_test(kind: str, folder: str | Path) -> SelfTest:
    """Of the bundle in `folder`. Raises BundleError when it does not fit."""
    return self_test_of(*load_manifest(folder, kind))


def self_test_of(manifest: Manifest, model: bytes) -> SelfTest:
    """Runs the model with and without XNNPACK and compares."""
    fast = Interpreter(model, manifest.name)
    found = golden(_model(manifest, fast))
    builtin = golden(_model(manifest, Interpreter(model, manifest.name, builtin=True)))
    return SelfTest(manifest.name, verdict(manifest.golden, found, builtin, fast.delegated), fast.delegated, runtime_version(), found)


def _model(manifest: Manifest, net: Interpreter) -> Detector | Reader:
    return Detector(manifest, net) if manifest.kind == "detector" else Reader(manifest, net)


def self_test_apart(kind: str, folder: Path) -> dict[str, Any]:
    """`self_test` in a process of its own, as JSON; raises PlatewatchError when it found no outcome or crashed."""
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "edge.model.selftest", kind, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=os.environ | {"PYTHONPATH": paths})
    except subprocess.TimeoutExpired:
        raise PlatewatchError(f"the self-test did not end within {PATIENCE_S:.0f} s; look with top what else keeps the processor busy") from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        advice = "this processor lacks an instruction that it uses" if name == "SIGILL" else "is /proc/cpuinfo readable?"
        raise PlatewatchError(f"the TFLite runtime crashed here ({name}); {advice}; pip install --force-reinstall ai-edge-litert may help")
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.split("\n") if done.stderr.strip() else ["no word"])[-2:]
        raise PlatewatchError(f"the self-test ended with code {done.returncode}: {' '.join(last).strip()}") from None
    if "error" in answer:
        raise PlatewatchError(answer["error"])
    return answer


def main(words: list[str]) -> None:
    """KIND FOLDER: prints the outcome as JSON, or the sentence that says why there is none."""
    try:
        print(json.dumps(asdict(self_test(*words))))
    except PlatewatchError as error:
        print(json.dumps({"error": str(error)}))


if __name__ == "__main__":  # a process of its own: a runtime that crashes does not take the one who asks with it
    main(sys.argv[1:])
