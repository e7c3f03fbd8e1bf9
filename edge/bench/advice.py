"""How many threads are worth having on this machine: more of them may burn the processor for nothing."""

from __future__ import annotations

from collections.abc import Iterable

from edge.bench.figures import geometric_mean
from edge.bench.result import Cell

ENOUGH = 1.10
"""A count of threads is good enough when it takes at most so much of the best one's time."""


def thread_times(cells: Iterable[Cell]) -> dict[int, tuple[float, float]]:
    """Thread count -> (median ms, processor ms) of a whole frame, geometric means over the scenes."""
    by_count: dict[int, list[tuple[float, float]]] = {}
    for cell in cells:
        if cell.what == "whole frame" and cell.ms is not None:
            by_count.setdefault(cell.setting.threads, []).append((cell.ms.median, cell.ms.cpu or cell.ms.median))
    return {count: (geometric_mean([ms for ms, _ in times]), geometric_mean([cpu for _, cpu in times])) for count, times in sorted(by_count.items())}


def best_count(times: dict[int, tuple[float, float]]) -> int:
    """The smallest count within ENOUGH of the fastest."""
    fastest = min(ms for ms, _ in times.values())
    return min(count for count, (ms, _) in times.items() if ms <= ENOUGH * fastest)


def advice(cells: Iterable[Cell]) -> str | None:
    """In words, with the figures; None where there was no choice."""
    times = thread_times(cells)
    if len(times) < 2:
        return None
    count = best_count(times)
    told = ", ".join(f"{n} thread{'s' if n > 1 else ''} {ms:.2f} ms ({cpu:.2f} ms of processor)" for n, (ms, cpu) in times.items())
    return f"models.threads = {count}: the fewest within 10 % of the best; a whole frame takes {told}"
