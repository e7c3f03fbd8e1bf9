"""A foreign model runs for the first time in a process of its own: where the runtime dies of it, that is a sentence and not a dead daemon."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from edge.errors import BundleError
from edge.model.manifest import MODEL_FILE, Manifest, as_json

PATIENCE_S = 60.0
MOST_MEMORY = 4 << 30
"""Bytes of address space for the rehearsal: a broken file may ask for any number of them."""


def rehearse(folder: Path, manifest: Manifest, model: bytes) -> None:
    """Look at a test picture with the model, once per process and file. Raises BundleError in one sentence when it cannot be run or does not fit."""
    needed = replace(manifest, sources=(), accuracy={}, quantization={})  # an argument of a process has its limits
    complaint = _complaint(as_json(needed).decode(), model)
    if complaint:
        raise BundleError(f"{folder / MODEL_FILE}: {complaint}")


@lru_cache(maxsize=8)
def _complaint(manifest: str, model: bytes) -> str:
    """What is wrong with it; empty when it ran."""
    with tempfile.TemporaryFile() as file:
        file.write(model)
        file.seek(0)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "edge.model.rehearsal", manifest],
                stdin=file,
                capture_output=True,
                timeout=PATIENCE_S,
                check=False,
                cwd=Path(__file__).resolve().parents[2],
            )
        except subprocess.TimeoutExpired:
            return f"does not end within {PATIENCE_S:.0f} s for one picture; take another bundle"
    if done.returncode == 0:
        return ""
    words = done.stdout.decode(errors="replace").strip()
    if done.returncode == 1 and words:
        return words.splitlines()[-1]
    return f"the runtime breaks down on it (code {done.returncode}), so it is damaged or was made for another one; copy the whole bundle again"


def _look(manifest: Manifest, model: bytes) -> None:
    """As the device will: the network, then its codec, on a picture with edges and on one without."""
    import numpy as np

    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.model.selftest import probe_picture
    from edge.model.tflite import Interpreter

    net = Interpreter(model, "the model")
    picture = probe_picture(manifest.width, manifest.height)
    with np.errstate(all="ignore"):
        for one in (picture, np.zeros_like(picture)):
            if manifest.kind == "reader":
                Reader(manifest, net).read_input(one)
            else:
                Detector(manifest, net).detect(one)


def _main() -> int:
    """The child: the model comes on stdin, the manifest as the first word."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    except (ImportError, ValueError, OSError):  # not a Unix, or a sandbox with tighter limits of its own
        pass
    try:
        _look(Manifest.of(json.loads(sys.argv[1])), sys.stdin.buffer.read())
    except BundleError as error:
        print(str(error))
        return 1
    except (ArithmeticError, IndexError, MemoryError, RuntimeError, ValueError) as error:
        print(f"its numbers make no sense to the codec ({type(error).__name__}); copy the whole bundle again")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
