"""What the runtime makes of a file, in a process of its own: a runtime that dies on a hostile file is a sentence and not a dead program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_MEMORY = 4 << 30
"""Bytes of address space for the process that opens a file nobody has checked yet."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the runtime said. `failure` is empty when it opened the file, with and without its delegate, and ran it once.

    operations  in order, as the runtime names them
    left        numbers of those that the XNNPACK delegate left to the runtime's own kernels; None when there was no delegate
    partitions  how many pieces the delegate made of the rest: every seam costs a copy
    addresses   bytes from the first to the last activation where the runtime laid them without the delegate, with what it laid between; None: not told
    grown       bytes of its own (no code, no file) that the process gained from before opening to after one run with the delegate: packed weights and
                workspace; None where the system does not tell
    """

    runtime: str = ""
    operations: tuple[str, ...] = ()
    left: tuple[int, ...] | None = None
    partitions: int = 0
    addresses: int | None = None
    grown: int | None = None
    failure: str = ""


@dataclass(slots=True)
class _Telling:
    """Steps of the child, one JSON line each, so that what was found before a death is not lost."""

    found: dict[str, Any] = field(default_factory=dict)

    def read(self, line: str) -> None:
        try:
            self.found |= json.loads(line)
        except (ValueError, TypeError):
            return


def probe(path: Path, timeout_s: float = 120.0) -> Probe:
    """Open and run the file in a child process. Never raises for what the file does to it."""
    told = _Telling()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "convert.graph.probe", str(path)], capture_output=True, text=True, timeout=timeout_s, check=False, errors="replace"
        )
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        output, code = (error.stdout or b"").decode(errors="replace") if isinstance(error.stdout, bytes) else "", None
    for line in output.splitlines():
        told.read(line)
    found = told.found
    step = found.pop("step", "opens it")
    if code is None:
        found["failure"] = f"the runtime {step} and does not end within {timeout_s:.0f} s"
    elif code < 0:
        found["failure"] = f"the runtime dies (signal {-code}) where it {step}"
    elif code:
        words = [line for line in done.stderr.splitlines() if line.strip()] or ["no word"]
        found.setdefault("failure", f"the runtime ends with code {code} where it {step}: {words[-1][:200]}")
    for key in ("operations", "left"):
        if found.get(key) is not None:
            found[key] = tuple(found[key])
    return Probe(**found)


def taken_by_delegates(operations: list[dict[str, Any]]) -> set[int]:
    """Numbers of the operations inside DELEGATE nodes.

    The runtime lists every operation and, after them, its delegates with what goes in and comes out: walked back from what comes out to what goes in.
    """
    maker = {int(index): number for number, one in enumerate(operations) if one["op_name"] != "DELEGATE" for index in one["outputs"]}
    taken: set[int] = set()
    for delegate in (one for one in operations if one["op_name"] == "DELEGATE"):
        enters = {int(index) for index in delegate["inputs"]}
        todo = [int(index) for index in delegate["outputs"]]
        while todo:
            index = todo.pop()
            if index in enters or index not in maker or maker[index] in taken:
                continue
            taken.add(maker[index])
            todo += [int(source) for source in operations[maker[index]]["inputs"]]
    return taken


def _child(path: Path) -> None:
    """Ask the runtime; print what it says, line by line."""
    import numpy as np

    _limit()
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    from edge.model.tflite import quiet, runtime_version

    content = path.read_bytes()
    _tell(step="opens it", runtime=runtime_version())
    try:
        with quiet():
            plain: Any = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
            _tell(operations=[str(one["op_name"]) for one in plain._get_ops_details()], step="lays out its memory")
            plain.allocate_tensors()
            _tell(addresses=_addresses(plain))
            del plain
            _tell(step="opens it with the XNNPACK delegate")
            before = _memory()
            runtime: Any = Interpreter(model_content=content, num_threads=1)
            runtime.allocate_tensors()
            steps = runtime._get_ops_details()
            delegates = sum(one["op_name"] == "DELEGATE" for one in steps)
            taken = taken_by_delegates(steps)
            left = [number for number, one in enumerate(steps) if one["op_name"] != "DELEGATE" and number not in taken]
            _tell(left=left if delegates else None, partitions=delegates, step="runs it once")
            for entry in runtime.get_input_details():
                runtime.set_tensor(entry["index"], np.zeros(entry["shape"], entry["dtype"]))
            runtime.invoke()
        after = _memory()
        _tell(grown=None if before is None or after is None else after - before)
    except (ValueError, RuntimeError, TypeError, MemoryError) as error:
        _tell(failure=f"the runtime refuses it: {(str(error).splitlines() or [type(error).__name__])[0][:200]}")


def _tell(**words: Any) -> None:
    print(json.dumps(words), flush=True)


def _addresses(runtime: Any) -> int | None:
    """From the first byte of the first activation to the last byte of the last one. What is made of constants alone lies elsewhere."""
    made = {int(one["index"]) for one in runtime.get_input_details()}
    for one in runtime._get_ops_details():
        if made.intersection(int(index) for index in one["inputs"]):
            made.update(int(index) for index in one["outputs"])
    reaches = []
    for index in made:
        try:
            values = runtime.tensor(index)()
        except (ValueError, RuntimeError):
            continue
        start = int(values.__array_interface__["data"][0])
        reaches.append((start, start + int(values.nbytes)))
    return max(end for _, end in reaches) - min(start for start, _ in reaches) if reaches else None


def _memory() -> int | None:
    """Bytes in memory that are this process's own."""
    try:
        found = re.search(r"^RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return 1024 * int(found[1]) if found else None


def _limit() -> None:
    """No core dump and no more memory than a model for a small board can want."""
    try:
        import resource
    except ImportError:  # not a Unix
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
