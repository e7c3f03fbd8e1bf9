"""Runs many things in turns, in a random order that a seed repeats: noise, a hot processor and a busy neighbour then hit them all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from edge.bench.figures import Samples

Key = TypeVar("Key", bound=Hashable)
Action = Callable[[], object]
BURST = 5
"""Runs of a fast thing in one turn, after one that warms the caches and does not count."""
FAST_MS, WARM_MS = 20.0, 60.0
"""Slower things run once a turn; still slower ones need no warming."""


@dataclass(frozen=True, slots=True)
class Share:
    """How often one thing gets its turn, and what it does then."""

    turns: int
    burst: int
    warm: bool


def share(ms: float, repeat: int, budget_s: float) -> Share:
    """For a thing that takes `ms`: `repeat` runs, or as many as fit into its budget of seconds, and never fewer than two."""
    burst, warm = BURST if ms < FAST_MS else 1, ms < WARM_MS
    # A turn of a fast thing costs one more run than it gives.
    runs = min(repeat, int(1000 * budget_s / max(ms, 1e-3) * burst / (burst + warm)))
    return Share(max(2, -(-runs // burst)), min(burst, max(1, repeat)), warm)


def takes_part(turn: int, turns: int, rounds: int) -> bool:
    """Whether a thing with so many turns, spread evenly over the rounds, has one in round `turn`."""
    return (turn + 1) * turns // rounds > turn * turns // rounds


def interleave(
    actions: Mapping[Key, Action],
    repeat: int = 100,
    budget_s: float = 2.0,
    seed: int = 0,
    progress: Callable[[Sequence[int]], Iterable[int]] | Any = iter,
    known: Mapping[Key, float] | None = None,
) -> dict[Key, Samples]:
    """Milliseconds of each action by turn. `progress` is handed a sequence, one item a round; `known` is what some took before, ms."""
    shares = {key: share(_estimate(action, budget_s, (known or {}).get(key)), repeat, budget_s) for key, action in actions.items()}
    rounds = max((one.turns for one in shares.values()), default=0)
    samples: dict[Key, Samples] = {key: Samples() for key in actions}
    rng = np.random.default_rng(seed)
    for turn in progress(range(rounds)):
        taking = [key for key in actions if takes_part(turn, shares[key].turns, rounds)]
        for place in rng.permutation(len(taking)):
            key = taking[int(place)]
            ms, cpu_ms = _turn(actions[key], shares[key])
            samples[key].add(turn, ms, cpu_ms)
    return samples


def _estimate(action: Action, budget_s: float, known: float | None) -> float:
    """Milliseconds of a run. A first run takes longer, but one that takes a good part of the budget is not repeated for that."""
    ms = known or 0.0
    for _ in range(3):
        if ms > 200 * budget_s:
            break
        began = time.perf_counter()
        action()
        ms = 1000 * (time.perf_counter() - began)
    return ms


def _turn(action: Action, share: Share) -> tuple[list[float], float]:
    """Milliseconds of each run of one turn, and the processor time of all of them."""
    if share.warm:
        action()
    ms = []
    cpu = time.process_time()
    for _ in range(share.burst):
        began = time.perf_counter()
        action()
        ms.append(1000 * (time.perf_counter() - began))
    return ms, 1000 * (time.process_time() - cpu)
