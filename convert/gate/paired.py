"""Two sides on the same photographs: what differs, and how much of it is chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.evaluation.weighted import weighted_precision

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Figure = Callable[[Floats], float]
"""A figure as a function of a weight a photograph."""


@dataclass(frozen=True, slots=True)
class Discordant:
    """Plates on which the sides differ: `lost` right in float alone, `won` right in the variant alone; `p` of McNemar's test."""

    lost: int
    won: int
    p: float


def discordant(floats: Bools, variant: Bools) -> Discordant:
    """(plates,) right or not, of both sides."""
    lost, won = int((floats & ~variant).sum()), int((~floats & variant).sum())
    return Discordant(lost, won, mcnemar(lost, won))


def mcnemar(lost: int, won: int) -> float:
    """Two-sided mid-p value of McNemar's exact test: were both sides equally good, each discordant plate would fall to either side by a coin.

    McNemar 1947. The mid-p value keeps its level and has more power than the exact conditional test: Fagerland, Lydersen and Laake 2013,
    The McNemar test for binary matched-pairs data, BMC Medical Research Methodology 13:91.
    """
    tosses, fewer = lost + won, min(lost, won)
    if lost == won:
        return 1.0 if not tosses else 1.0 - math.comb(tosses, fewer) / (1 << tosses + 1)
    # Whole numbers: of two thousand discordant plates a float's 2 ** -2000 would be nothing.
    twice = 2 * sum(math.comb(tosses, heads) for heads in range(fewer)) + math.comb(tosses, fewer)
    return min(1.0, twice / (1 << tosses))


def drop_interval(floats: Figure, variant: Figure, drawn: Floats) -> tuple[float, float] | None:
    """95 % percentile interval of the drop. `drawn` (resamples, photographs) holds how often each photograph is drawn; both sides get the same draw.

    None where the figure cannot be told in more than a twentieth of the resamples.
    """
    drops = np.array([floats(weights) - variant(weights) for weights in drawn])
    drops = drops[np.isfinite(drops)]
    if len(drops) < 0.95 * len(drawn) or not len(drops):
        return None
    low, high = np.percentile(drops, (2.5, 97.5))
    return float(low), float(high)


def share(values: Floats, picture: npt.NDArray[np.intp], photographs: int) -> Figure:
    """The mean of `values` over the plates, each with the weight of its photograph `picture`; nan where no weight is left."""
    above = np.bincount(picture, values, photographs)
    below = np.bincount(picture, minlength=photographs).astype(np.float64)

    def figure(weights: Floats) -> float:
        whole = float(weights @ below)
        return float(weights @ above) / whole if whole else float("nan")

    return figure


def average_precision(scores: Floats, hits: Bools, picture: npt.NDArray[np.intp], plates: Floats) -> Figure:
    """`train.metrics.average_precision` of detections that are matched already, with a weight a photograph; `plates` by photograph."""
    order = np.argsort(-scores, kind="stable")
    weighed: Figure = weighted_precision(hits[order].astype(np.float64), picture[order], plates)
    return weighed
