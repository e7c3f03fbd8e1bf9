"""From milliseconds to figures: medians with their spread, and ratios of medians with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

Floats = npt.NDArray[np.float64]
RESAMPLES = 1000


class Part(BaseModel):
    """A part of a result: values that do not change, and no key that the schema does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Timing(Part):
    """What `runs` runs of one thing took, ms. `cpu` is the mean processor time of a run over all threads: more than the median is fan-out."""

    runs: int = Field(ge=1)
    median: float = Field(ge=0)
    p95: float = Field(ge=0)
    minimum: float = Field(ge=0)
    q1: float = Field(ge=0)
    q3: float = Field(ge=0)
    cpu: float | None = Field(default=None, ge=0)


class Ratio(Part):
    """A ratio of two medians and its 95 % bootstrap interval over the rounds."""

    value: float
    low: float
    high: float


@dataclass(slots=True)
class Samples:
    """Milliseconds by turn: the runs of one turn came one after another, those of the next after everything else had its turn."""

    turns: dict[int, list[float]] = field(default_factory=dict)
    cpu_ms: float = 0.0

    def add(self, turn: int, ms: Sequence[float], cpu_ms: float) -> None:
        """The runs of one turn."""
        self.turns.setdefault(turn, []).extend(ms)
        self.cpu_ms += cpu_ms

    @property
    def ms(self) -> Floats:
        """All of them in order."""
        return np.array([value for turn in self.turns.values() for value in turn], np.float64)

    def timing(self) -> Timing:
        """The figures; there must be at least one run."""
        ms = self.ms
        q1, median, q3, p95 = (round(float(value), 4) for value in np.percentile(ms, (25, 50, 75, 95)))
        return Timing(runs=len(ms), median=median, p95=p95, minimum=round(float(ms.min()), 4), q1=q1, q3=q3, cpu=round(self.cpu_ms / len(ms), 4))


def ratio(above: Samples, below: Samples, seed: int = 0, resamples: int = RESAMPLES) -> Ratio:
    """median(above) / median(below). Whole turns are drawn; where both took part in the same turns the same are drawn for both."""
    rng = np.random.default_rng(seed)
    sides = [_table(side) for side in (above, below)]
    drawn = [rng.integers(0, len(side), (resamples, len(side))) for side in sides]
    if list(above.turns) == list(below.turns):
        drawn[1] = drawn[0]
    tops, bottoms = (np.nanmedian(side[places].reshape(resamples, -1), axis=1) for side, places in zip(sides, drawn, strict=True))
    low, high = np.percentile(tops / bottoms, (2.5, 97.5))
    value = float(np.median(above.ms) / np.median(below.ms))
    return Ratio(value=round(value, 4), low=round(float(low), 4), high=round(float(high), 4))


def _table(samples: Samples) -> Floats:
    """(turns, longest turn), short turns filled with NaN."""
    table = np.full((len(samples.turns), max(len(turn) for turn in samples.turns.values())), np.nan)
    for row, turn in zip(table, samples.turns.values(), strict=True):
        row[: len(turn)] = turn
    return table


def processor_ratio(above: Samples, below: Samples) -> float | None:
    """The same of the processor's time; None where it was too short to be told."""
    one, other = (side.cpu_ms / max(1, len(side.ms)) for side in (above, below))
    return round(one / other, 4) if one > 0 and other > 0 else None


def geometric_mean(values: Sequence[float]) -> float:
    """The mean of ratios: of twice as fast and half as fast it is 1."""
    return float(np.exp(np.mean(np.log(np.asarray(values, np.float64)))))
