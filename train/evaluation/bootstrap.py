"""How far a figure may be off: percentile intervals of 1,000 resamples of the pictures (Efron 1979). All plates of a picture are drawn together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> list[float]:
        """[value, low, high]."""
        return [round(number, 5) for number in (self.value, self.low, self.high)]


def draws(pictures: int, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """(resamples, pictures) how often each picture is drawn, as many draws as pictures. The same seed draws the same."""
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(0, pictures, pictures), minlength=pictures) for _ in range(resamples)]).astype(np.float64)


def interval(figure: Callable[[Floats], float], drawn: Floats) -> Interval | None:
    """`figure(weights)` takes a weight a picture. None where it is no number, or is none in more than a twentieth of the resamples."""
    value = figure(np.ones(drawn.shape[1]))
    if not np.isfinite(value):
        return None
    values = np.array([figure(weights) for weights in drawn])
    values = values[np.isfinite(values)]
    if len(values) < 0.95 * len(drawn):
        return None
    low, high = np.percentile(values, (2.5, 97.5))
    return Interval(float(value), float(low), float(high))


def ratio(above: Floats, below: Floats) -> Callable[[Floats], float]:
    """The figure sum(above) / sum(below) of two numbers a picture."""

    def figure(weights: Floats) -> float:
        whole = float(weights @ below)
        return float(weights @ above) / whole if whole else float("nan")

    return figure
