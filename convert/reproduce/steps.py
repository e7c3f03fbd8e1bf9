"""Steps that are done once: a result is kept under a hash of everything that went into it, so that a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """`action(*arguments)` gives a value of JSON; it runs in a process of its own. `inputs` is everything that the value depends on."""

    name: str
    inputs: dict[str, Any]
    action: Callable[..., Value]
    arguments: tuple[Any, ...]

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(self.inputs, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """What a step gave, how many seconds it took, and the most memory that its process held, MiB."""

    value: Value
    seconds: float
    peak_mb: float


class Shelf:
    """A folder with one JSON file a step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, step: Step) -> Kept | None:
        """What was kept of this very step; None when it has never been done, or with other inputs, or was cut off."""
        try:
            held = json.loads((self.folder / f"{step.name}.json").read_text(encoding="utf-8"))
            return Kept(held["value"], held["seconds"], held["peak_mb"]) if held["key"] == step.key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget_unless(self, step: Step, holds: Callable[[Value], bool]) -> None:
        """Drop a result that no longer holds: the file that it is about is gone or another."""
        kept = self.find(step)
        if kept is not None and not holds(kept.value):
            (self.folder / f"{step.name}.json").unlink()

    def keep(self, step: Step, kept: Kept) -> Kept:
        """In one move, so that no half result is ever found. What could not be done (its value says `why`) is tried again the next time."""
        if "why" in kept.value:
            return kept
        staged = self.folder / f".{step.name}.new"
        staged.write_text(json.dumps({"key": step.key, "seconds": kept.seconds, "peak_mb": kept.peak_mb, "value": kept.value}), encoding="utf-8")
        os.replace(staged, self.folder / f"{step.name}.json")
        return kept


def do_all(steps: Sequence[Step], shelf: Shelf, workers: int, done: Callable[[str], None]) -> dict[str, Kept]:
    """Name -> what each step gave; those that are kept already are not repeated. `done` is told each name. The first error stops the rest and is raised."""
    results = {step.name: kept for step in steps if (kept := shelf.find(step)) is not None}
    for name in results:
        done(name)
    missing = [step for step in steps if step.name not in results]
    if missing:
        for step, kept in _work(missing, workers):
            results[step.name] = shelf.keep(step, kept)
            done(step.name)
    return {step.name: results[step.name] for step in steps}


def _work(steps: Sequence[Step], workers: int) -> Iterable[tuple[Step, Kept]]:
    """As they are finished. A fresh process a step, so that its peak of memory is its own; without workers in this one."""
    if not workers:
        yield from ((step, _measured(step.action, step.arguments)) for step in steps)
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), max_tasks_per_child=1)
    try:
        waiting = {pool.submit(_measured, step.action, step.arguments): step for step in steps}
        while waiting:
            ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                yield waiting.pop(future), future.result()
    except BaseException:
        for child in active_children():  # what is half done is worth nothing
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _measured(action: Callable[..., Value], arguments: tuple[Any, ...]) -> Kept:
    """In the child."""
    import resource

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    began = time.monotonic()
    value = action(*arguments)
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Kept(value, round(time.monotonic() - began, 1), round(most / 1024, 1))
