"""Accepting and rejecting by confidence: ROC, precision and recall, coverage, and how true the confidence is.

All take confidences 0..1, whether each was right, and weights (None: one each), so that the bootstrap asks the very same functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
BINS = 15
LEAST_IN_BIN = 10


@dataclass(frozen=True, slots=True)
class Steps:
    """What is accepted from each distinct confidence on, the surest first: weight of the right and of the wrong ones accepted."""

    threshold: Floats
    right: Floats
    wrong: Floats


def steps(confidence: Floats, right: Bools, weights: Floats | None = None) -> Steps:
    """Equal confidences are accepted together: no threshold lies between them."""
    weights = np.ones(len(confidence)) if weights is None else weights
    order = np.argsort(-confidence, kind="stable")
    sorted_ = confidence[order]
    last = np.append(np.flatnonzero(np.diff(sorted_)), len(sorted_) - 1) if len(sorted_) else np.zeros(0, np.intp)
    hits, misses = np.cumsum(weights[order] * right[order]), np.cumsum(weights[order] * ~right[order])
    return Steps(sorted_[last], hits[last], misses[last])


def roc(confidence: Floats, right: Bools, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """(share of the wrong ones accepted, share of the right ones accepted), from (0, 0) to (1, 1). nan where one kind is missing."""
    at = steps(confidence, right, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        wrong, hits = (np.append(0.0, values) / (values[-1] if len(values) else np.nan) for values in (at.wrong, at.right))
    return wrong, hits


def auc(confidence: Floats, right: Bools, weights: Floats | None = None) -> float:
    """Area under the ROC curve: how often a right read is surer than a wrong one, ties counting half. nan where one kind is missing."""
    wrong, hits = roc(confidence, right, weights)
    return float(np.trapezoid(hits, wrong)) if len(hits) > 1 else float("nan")


def precision_recall(confidence: Floats, right: Bools, wanted: float, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """(right among accepted, right and accepted of all `wanted` plates) for each threshold, the surest first."""
    at = steps(confidence, right, weights)
    return at.right / np.maximum(at.right + at.wrong, 1e-12), at.right / wanted if wanted else np.full(len(at.right), np.nan)


@dataclass(frozen=True, slots=True)
class Coverage:
    """At most `wrong` (a share) among the accepted: `share` of all plates is then read right and accepted, from `threshold` on.

    threshold is nan and share 0 where even the surest reads are wrong more often.
    """

    wrong: float
    share: float
    threshold: float


def coverage(confidence: Floats, right: Bools, wanted: float, wrong: float, weights: Floats | None = None) -> Coverage:
    """The lowest threshold above which no more than the share `wrong` of what is accepted is wrong; `wanted` is the number of plates."""
    at = steps(confidence, right, weights)
    kept = np.flatnonzero((at.wrong <= wrong * (at.right + at.wrong) + 1e-9) & (at.right > 0))
    if not wanted:
        return Coverage(wrong, float("nan"), float("nan"))
    return Coverage(wrong, float(at.right[kept[-1]] / wanted), float(at.threshold[kept[-1]])) if len(kept) else Coverage(wrong, 0.0, float("nan"))


@dataclass(frozen=True, slots=True)
class Reliability:
    """By bin, the least sure first: mean confidence, share right, weight."""

    confidence: Floats
    right: Floats
    weight: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of the two, by weight. nan without a claim."""
        total = self.weight.sum()
        return float(np.abs(self.confidence - self.right) @ self.weight / total) if total else float("nan")


def reliability(confidence: Floats, right: Bools, weights: Floats | None = None, equal_width: bool = False) -> Reliability:
    """Bins with equal numbers of claims, at most BINS and none with fewer than LEAST_IN_BIN, equal confidences in one bin.

    Nixon et al. 2019, Measuring calibration in deep learning: bins of `equal_width`, as a diagram shows them, would put nearly all sure reads
    into the last one.
    """
    weights = np.ones(len(confidence)) if weights is None else weights
    total = float(weights.sum())
    if total <= 0:
        return Reliability(np.zeros(0), np.zeros(0), np.zeros(0))
    levels, level = np.unique(confidence, return_inverse=True)
    at_level = np.bincount(level, weights, len(levels))
    middle = np.cumsum(at_level) - at_level / 2
    number = max(1, min(BINS, int(total // LEAST_IN_BIN)))
    if equal_width:
        number, bins = BINS, np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    else:
        bins = np.minimum((middle / total * number).astype(np.intp), number - 1)[level]
    weight = np.bincount(bins, weights, number)
    full = weight > 0
    claimed, true = (np.bincount(bins, weights * values, number)[full] / weight[full] for values in (confidence, right))
    return Reliability(claimed, true, np.asarray(weight[full], np.float64))


def expected_calibration_error(confidence: Floats, right: Bools, weights: Floats | None = None) -> float:
    """Mean distance between what is claimed and what is true, 0..1, over the bins of `reliability`. nan without a claim."""
    return reliability(confidence, right, weights).error


def brier(confidence: Floats, right: Bools) -> float:
    """Mean squared distance of the confidence to the truth (Brier 1950)."""
    return float(np.mean((confidence - right) ** 2)) if len(confidence) else float("nan")


def negative_log_likelihood(confidence: Floats, right: Bools) -> float:
    """Mean, in nats; confidences are kept 1e-6 from 0 and 1."""
    return float(each_log_loss(confidence, right).mean()) if len(confidence) else float("nan")


def each_log_loss(confidence: Floats, right: Bools) -> Floats:
    """Of each claim."""
    p = np.clip(confidence, 1e-6, 1 - 1e-6)
    return np.asarray(-np.where(right, np.log(p), np.log(1 - p)))
