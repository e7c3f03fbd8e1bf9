"""Starts `guest.py` in the emulated system and gives back what it said and what it cost."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from convert.cost.cpus import Cpu
from convert.cost.guest import NOTHING
from convert.cost.tools import QEMU, CostError
from convert.cost.userland import REPOSITORY, Userland

GUEST = Path(__file__).parent / "guest.py"
PATIENCE_S = 1800.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What the guest answered, the instructions of each of its labelled intervals (median), and the project's files that it was made of."""

    answer: dict[str, Any]
    costs: dict[str, int]
    files: list[Path]


def run(system: Userland, cpu: Cpu, words: list[str], counter: Path | None = None, face: Path | None = None) -> Ran:
    """Raises CostError in one sentence.

    `face` is another root than the board's own, for a board with something wrong.
    """
    with tempfile.TemporaryDirectory() as scratch:
        marks = Path(scratch) / "marks"
        plug = ["-plugin", f"{counter},out={marks}"] if counter else []
        command = [QEMU, "-L", str(face or system.face(cpu)), "-cpu", cpu.name, *plug, str(system.interpreter), "-P", "-S", str(GUEST), *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(system), timeout=PATIENCE_S, cwd=scratch)
        except subprocess.TimeoutExpired:
            raise CostError(f"{words[0]} on an emulated {cpu.name} did not end within {PATIENCE_S:.0f} s") from None
        if done.returncode:
            raise CostError(f"{' '.join(words[:2])} on an emulated {cpu.name} {_end(done.returncode)}: {_last(done.stderr)}")
        said = json.loads(done.stdout.splitlines()[-1])
        costs = intervals([int(line) for line in marks.read_text().split()], said["answer"].pop("labels")) if counter else {}
        return Ran(said["answer"], costs, [Path(file) for file in said["files"]])


def intervals(marks: list[int], labels: list[str]) -> dict[str, int]:
    """Counts at the marks and a label for each gap between two -> the median cost of each label, less that of an empty one; unlabelled gaps are left out."""
    gaps = [later - sooner for sooner, later in pairwise(marks)]
    if len(gaps) != len(labels):
        raise CostError(f"{len(marks)} marks for {len(labels)} intervals: this QEMU does not tell of every system call; use Debian's qemu-user")
    empty = statistics.median(gap for gap, label in zip(gaps, labels, strict=True) if label == NOTHING)
    by_label = {label: [gap for gap, one in zip(gaps, labels, strict=True) if one == label] for label in dict.fromkeys(labels) if label not in ("", NOTHING)}
    return {label: round(statistics.median(costs) - empty) for label, costs in by_label.items()}


def _environment(system: Userland) -> dict[str, str]:
    """Nothing of the host's; all that could differ from run to run is fixed."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join((str(system.root / "site"), str(REPOSITORY))),
        "PYTHONPYCACHEPREFIX": str(system.root / "pycache"),
        "PYTHONHASHSEED": "0",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _end(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _last(words: str) -> str:
    """The last line that says something; the runtime's own chatter says nothing."""
    lines = [line for line in words.splitlines() if line.strip() and not line.startswith(("INFO:", "WARNING:"))]
    return lines[-1].strip() if lines else "no word"
