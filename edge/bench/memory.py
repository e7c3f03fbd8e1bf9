"""Memory and loading times, each in a process of its own: in one that measured something else before, nobody could tell whose memory it is.

`python -m edge.bench.memory DETECTOR READER THREADS` prints one line of JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.bench.result import Loading, Setting

Run = Callable[[], object]
PATIENCE_S = 120.0
READ = """
import sys
from edge.cli import main
if main(sys.argv[1:]):
    sys.exit(1)
with open("/proc/self/status") as status:
    told = dict(line.split(":") for line in status)
print('{"peak_mb": %.2f, "private_mb": %.2f}' % tuple(int(told[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon")))
"""
"""`platewatch read` and nothing else, then what its process held: imports of our own would count."""
ROOT = Path(__file__).parents[2]
"""Found from here, so that the process starts wherever it is called."""


def memory_mb(name: str) -> float | None:
    """VmRSS (resident now) or VmHWM (the most so far) of this process, MiB; None outside Linux."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def growth(load: Callable[[], Run]) -> dict[str, float | None]:
    """What it takes to load something that is run once by loading, and to run it again. Whatever it imports is to be imported before."""
    gc.collect()
    before = memory_mb("VmRSS")
    began = time.perf_counter()
    run = load()
    loaded = time.perf_counter()
    run()
    ran = time.perf_counter()
    run()
    after = memory_mb("VmRSS")
    return {
        "load_ms": round(1000 * (loaded - began), 2),
        "run_ms": round(1000 * (ran - loaded), 2),
        "growth_mb": None if before is None or after is None else round(after - before, 2),
        "peak_mb": _rounded(memory_mb("VmHWM")),
    }


def in_a_process(setting: Setting, words: Sequence[str]) -> Loading:
    """Run `python WORDS`, whose last line is the JSON of `growth`, or {"why": ...}. A process that dies is a reason, no error."""
    from edge.bench.result import Loading

    found = told_by(words)
    if isinstance(found, str):
        return Loading(setting=setting, why=found)
    return Loading(setting=setting, **found)


def reading_memory(picture: Path) -> tuple[float | None, float | None]:
    """What a fresh process of `platewatch read` holds, MiB: at most, and at its end without the files that it shares with others (its libraries)."""
    found = told_by(["-c", READ, "read", "--json", str(picture)])
    return (None, None) if isinstance(found, str) else (found.get("peak_mb"), found.get("private_mb"))


def told_by(words: Sequence[str]) -> dict[str, Any] | str:
    """The JSON on the last line that `python WORDS` prints, or in words why there is none."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])), "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment)
    except subprocess.TimeoutExpired:
        return f"it had not ended after {PATIENCE_S:.0f} s"
    if done.returncode < 0:
        return f"its process was killed by signal {-done.returncode}"
    try:
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [f"its process ended with code {done.returncode}"])[-1]
        return last[:300]
    return str(found["why"]) if "why" in found else found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _load(detector: str, reader: str, threads: str) -> dict[str, float | None]:
    from edge.bench.stages import Models, once

    importlib.import_module("ai_edge_litert.interpreter")
    return growth(lambda: once(Models.load(Path(detector), Path(reader), int(threads))))


if __name__ == "__main__":
    from edge.errors import PlatewatchError

    try:
        print(json.dumps(_load(*sys.argv[1:])))
    except PlatewatchError as error:
        print(json.dumps({"why": str(error)}))
