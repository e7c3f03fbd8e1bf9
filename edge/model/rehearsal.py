"""A foreign model runs for the first time in a process of its own: where the runtime dies of it, that is a sentence and not a dead daemon."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from edge.errors import BundleError
from edge.model.manifest import MODEL_FILE, Manifest, as_json

if TYPE_CHECKING:
    from edge.model.detector import Detector
    from edge.model.reader import Reader

PATIENCE_S = 60.0
GOLDEN = "golden"
MOST_MEMORY = 4 << 30
"""Bytes of address space for the rehearsal: a broken file may ask for any number of them."""


def rehearse(folder: Path, manifest: Manifest, model: bytes) -> None:
    """Look at a test picture with the model, once per process and file. Raises BundleError in one sentence when it cannot be run or does not fit."""
    complaint = _complaint(as_json(_needed(manifest)).decode(), model)
    if complaint:
        raise BundleError(f"{folder / MODEL_FILE}: {complaint}")


def self_test(folder: Path, manifest: Manifest, model: bytes) -> str:
    """As `rehearse`, every time, and the golden self-test with it: the word of `selftest.State` for what it found."""
    complaint, found = _apart(as_json(_needed(manifest)).decode(), model, GOLDEN)
    if complaint:
        raise BundleError(f"{folder / MODEL_FILE}: {complaint}")
    return found


def _needed(manifest: Manifest) -> Manifest:
    return replace(manifest, sources=(), accuracy={}, quantization={})  # an argument of a process has its limits


@lru_cache(maxsize=8)
def _complaint(manifest: str, model: bytes) -> str:
    """What is wrong with it; empty when it ran."""
    return _apart(manifest, model)[0]


def _apart(manifest: str, model: bytes, *more: str) -> tuple[str, str]:
    """In a process of its own: what is wrong with it, empty when it ran; and the last line that the process said."""
    with tempfile.TemporaryFile() as file:
        file.write(model)
        file.seek(0)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "edge.model.rehearsal", manifest, *more],
                stdin=file,
                capture_output=True,
                timeout=PATIENCE_S,
                check=False,
                cwd=Path(__file__).resolve().parents[2],
            )
        except subprocess.TimeoutExpired:
            return f"does not end within {PATIENCE_S:.0f} s for one picture; take another bundle", ""
    words = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode == 0:
        return "", words[-1] if words else ""
    if done.returncode == 1 and words:
        return words[-1], ""
    return f"the runtime breaks down on it (code {done.returncode}), so it is damaged or was made for another one; copy the whole bundle again", ""


def _look(manifest: Manifest, model: bytes) -> None:
    """As the device will."""
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.model.tflite import Interpreter

    net = Interpreter(model, "the model")
    look(Reader(manifest, net) if manifest.kind == "reader" else Detector(manifest, net))


def look(model: Detector | Reader) -> None:
    """The network, then its codec, on a picture with edges and on one without."""
    import numpy as np

    from edge.model.selftest import probe_picture

    picture = probe_picture(model.manifest.width, model.manifest.height)
    with np.errstate(all="ignore"):
        for one in (picture, np.zeros_like(picture)):
            if model.manifest.kind == "reader":
                cast("Reader", model).read_input(one)
            else:
                cast("Detector", model).detect(one)


def _main() -> int:
    """The child: the model comes on stdin, the manifest as the first word; with GOLDEN behind it, it says what the self-test found."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, it is this process that goes, not the daemon
    except (ImportError, ValueError, OSError):  # not a Unix, or a sandbox with tighter limits of its own
        pass
    try:
        manifest, model = Manifest.of(json.loads(sys.argv[1])), sys.stdin.buffer.read()
        _look(manifest, model)
        if GOLDEN in sys.argv[2:]:
            from edge.model.selftest import self_test_of

            print(self_test_of(manifest, model).state)
    except BundleError as error:
        print(str(error))
        return 1
    except (ArithmeticError, IndexError, MemoryError, RuntimeError, ValueError) as error:
        print(f"its numbers make no sense to the codec ({type(error).__name__}); copy the whole bundle again")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
