"""How much memory a graph's activations take, from when each is made and last read."""

from __future__ import annotations

from dataclasses import dataclass

from convert.graph.graph import Graph

ALIGNMENT = 64
"""Bytes; the runtime starts every tensor at a multiple."""


@dataclass(frozen=True, slots=True)
class Life:
    """One tensor in memory from step `first` to step `last`, both included."""

    index: int
    size: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `live` is the most that is needed at one time, at operation `step`: no plan can do with less. `arena` is what a plan like the runtime's
    takes: large tensors first, each in the narrowest gap that fits. `together` is what it would be if nothing were used again."""

    live: int
    step: int
    arena: int
    together: int


def lives(graph: Graph) -> list[Life]:
    """Of every tensor that is not stored in the file. The runtime keeps inputs and outputs to the end, variables throughout."""
    end = max(0, len(graph.operations) - 1)
    first: dict[int, int] = {index: 0 for index in graph.inputs}
    last: dict[int, int] = {}
    for operation in graph.operations:
        for index in operation.outputs:
            first.setdefault(index, operation.index)
        for index in (*operation.inputs, *operation.outputs):
            last[index] = operation.index
    for index in (*graph.inputs, *graph.outputs, *(tensor.index for tensor in graph.tensors if tensor.variable)):
        first.setdefault(index, 0)
        last[index] = end
    made = [graph.tensors[index] for index in sorted(first) if not graph.tensors[index].constant and graph.tensors[index].size]
    return [Life(one.index, one.size, first[one.index], last.get(one.index, end)) for one in made]


def plan(graph: Graph) -> Memory:
    """What its activations take."""
    alive = lives(graph)
    change = [0] * (max(1, len(graph.operations)) + 1)
    for one in alive:
        change[one.first] += _aligned(one.size)
        change[one.last + 1] -= _aligned(one.size)
    live = step = now = 0
    for place, by in enumerate(change):
        now += by
        if now > live:
            live, step = now, place
    return Memory(live, step, _arena(alive), sum(_aligned(one.size) for one in alive))


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _arena(alive: list[Life]) -> int:
    """Bytes up to the end of the last tensor, each laid into the narrowest gap between those that live at the same time."""
    laid: list[tuple[int, int, Life]] = []
    for one in sorted(alive, key=lambda life: (-life.size, life.first)):
        size = _aligned(one.size)
        beside = sorted((start, end) for start, end, other in laid if other.first <= one.last and one.first <= other.last)
        best, gap, reached = None, 0, 0
        for start, end in beside:
            if start - reached >= size and (best is None or start - reached < gap):
                best, gap = reached, start - reached
            reached = max(reached, end)
        place = reached if best is None else best
        laid.append((place, place + size, one))
    return max((end for _, end, _ in laid), default=0)
