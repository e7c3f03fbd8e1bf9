"""From what a tensor takes on to the range that its 256 steps are laid over.

A wide range loses nothing and resolves little; a narrow one clips what is rare and resolves what is frequent. The methods differ in what they
hold a clipped value to be worth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from convert.methods.taps import BINS, Histogram

Range = tuple[float, float]
STEPS = 255
"""From the least to the greatest of 256 numbers."""
TRIED = 64
"""Ends that are tried on each side."""


def min_max(histogram: Histogram) -> Range:
    """Everything that occurred (Jacob et al. 2018)."""
    return _with_zero(histogram.low, histogram.high)


def percentile(histogram: Histogram, share: float) -> Range:
    """All but the outermost: of the values other than 0, a share of 1 - `share` is clipped on each side that has any (Wu et al. 2020, arXiv 2004.09602)."""
    total = histogram.counts.sum()
    if total == 0:
        return min_max(histogram)
    below = np.cumsum(histogram.counts) / total
    start, end = histogram.edges
    width = (end - start) / BINS
    low = start + int(np.searchsorted(below, 1.0 - share, side="right")) * width
    high = start + (int(np.searchsorted(below, share)) + 1) * width
    return _with_zero(max(low, histogram.low) if histogram.low < 0 else histogram.low, min(high, histogram.high) if histogram.high > 0 else histogram.high)


def mse(histogram: Histogram) -> Range:
    """The range with the least expected squared error, clipping and rounding together (Sung et al. 2015, arXiv 1511.06488; Banner et al. 2019).

    Exact zeros are met exactly and cost nothing. One end is moved at a time, twice.
    """
    low, high = min_max(histogram)
    for _ in range(2):
        high = min(_ends(0.0, high), key=lambda end: squared_error(histogram, low, end))
        low = min(_ends(0.0, low), key=lambda end: squared_error(histogram, end, high))
    return low, high


def squared_error(histogram: Histogram, low: float, high: float) -> float:
    """Expected over all values that are not 0: the square of what is cut off outside, a twelfth of a step's square inside."""
    total = histogram.counts.sum()
    if total == 0 or high <= low:
        return 0.0 if total == 0 else float("inf")
    middles = histogram.middles
    beyond = np.maximum(middles - high, 0.0) + np.maximum(low - middles, 0.0)
    inside = float(histogram.counts[beyond == 0].sum())
    return float((histogram.counts * beyond**2).sum() + inside * ((high - low) / STEPS) ** 2 / 12.0) / float(total)


def entropy(histogram: Histogram) -> Range:
    """The range whose 8-bit histogram tells least apart from the true one, by the Kullback-Leibler divergence (Migacz, TensorRT, GTC 2017).

    As there, one limit for the magnitude, exact zeros left out; a tensor without negative values has all its steps on one side.
    """
    low, high = min_max(histogram)
    reach = max(-low, high)
    sizes = np.abs(histogram.middles)
    counts, _ = np.histogram(sizes, BINS, (0.0, reach), weights=histogram.counts)
    levels = STEPS if low == 0 or high == 0 else (STEPS + 1) // 2
    if reach == 0 or counts.sum() == 0:
        return low, high
    ends = range(levels, BINS + 1, max(1, (BINS - levels) // (2 * TRIED)))
    best = min(reversed([*ends, BINS]), key=lambda end: divergence(counts, end, levels))
    limit = reach * best / BINS
    return max(low, -limit), min(high, limit)


def divergence(counts: npt.NDArray[np.float64], end: int, levels: int) -> float:
    """Of the first `end` bins, with all beyond put into the last, from the same at `levels` steps; both as probabilities."""
    true = counts[:end].copy()
    true[-1] += counts[end:].sum()
    places = np.minimum(np.arange(end) * levels // end, levels - 1)
    held = counts[:end] > 0
    sums, members = np.bincount(places, counts[:end], levels), np.bincount(places, held, levels)
    coarse = np.where(held, (sums / np.maximum(members, 1))[places], 0.0)
    true, coarse = true / true.sum(), coarse / max(coarse.sum(), 1e-12)
    some = true > 0
    return float(np.sum(true[some] * np.log(true[some] / np.maximum(coarse[some], 1e-12))))


def _ends(zero: float, end: float) -> list[float]:
    """From the end itself inwards to a 20th of it."""
    return [end] if end == zero else [end * (1.0 - 0.95 * step / TRIED) for step in range(TRIED + 1)]


def _with_zero(low: float, high: float) -> Range:
    """0 must be met exactly: padding is made of it."""
    return min(low, 0.0), max(high, 0.0)


METHODS: dict[str, Callable[[Histogram], Range]] = {
    "min-max": min_max,
    "percentile-99.99": lambda histogram: percentile(histogram, 0.9999),
    "percentile-99.9": lambda histogram: percentile(histogram, 0.999),
    "mse": mse,
    "entropy": entropy,
}
"""Name -> from a tensor's histogram to its range."""
