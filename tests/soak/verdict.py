"""Is it flat? The growth after the warm-up, told twice, and the limits that it must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import median
from typing import Any

from tests.soak.watching import Sample

LEAST_SAMPLES = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """`growth_mb` holds for both ways to tell it; `handles` for what there may be more at the end than after the warm-up."""

    growth_mb: float = 5.0
    rss_mb: float = 150.0
    handles: float = 2.0
    threads: float = 1.0
    files_mb: float = 40.0
    wal_mb: float = 12.0


@dataclass(frozen=True, slots=True)
class Growth:
    """`by_slope` is the median slope of all pairs (Theil and Sen) times the duration, `by_ends` the median of the last quarter less that of the first."""

    by_slope: float
    by_ends: float

    @property
    def worst(self) -> float:
        return max(self.by_slope, self.by_ends)


def growth(hours: Sequence[float], values: Sequence[float]) -> Growth:
    """Of at least two values in the order of time."""
    slope = median((b - a) / (later - earlier) for (earlier, a), (later, b) in combinations(zip(hours, values, strict=True), 2))
    quarter = max(1, len(values) // 4)
    return Growth(slope * (hours[-1] - hours[0]), median(values[-quarter:]) - median(values[:quarter]))


def judge(samples: Sequence[Sample], warm_up_h: float, limits: Limits) -> tuple[dict[str, Any], list[str]]:
    """The figures, and what is wrong in words; too few samples are no pass."""
    warm = [one for one in samples if one.hours >= warm_up_h]
    if len(warm) < LEAST_SAMPLES:
        return {"samples": len(warm)}, [f"only {len(warm)} samples after the warm-up, {LEAST_SAMPLES} are wanted: let it go on for longer"]
    hours = [one.hours for one in warm]
    grown = {name: growth(hours, [float(getattr(one, name)) for one in warm]) for name in ("rss_mb", "private_mb", "handles", "threads", "store_mb")}
    watched = ("rss_mb", "private_mb", "handles", "threads", "files_mb", "wal_mb", "gallery_mb")
    most = {name: max(float(getattr(one, name)) for one in samples) for name in watched}
    told = {"samples": len(warm), "warm_up_hours": warm_up_h, "growth": {name: asdict(one) for name, one in grown.items()}, "most": most}
    asked = (
        ("resident memory grew by", grown["rss_mb"].worst, limits.growth_mb, "MB"),
        ("private memory grew by", grown["private_mb"].worst, limits.growth_mb, "MB"),
        ("resident memory came to", most["rss_mb"], limits.rss_mb, "MB"),
        ("open handles grew by", grown["handles"].worst, limits.handles, ""),
        ("threads grew by", grown["threads"].worst, limits.threads, ""),
        ("its files came to", most["files_mb"], limits.files_mb, "MB"),
        ("the write-ahead log came to", most["wal_mb"], limits.wal_mb, "MB"),
    )
    return told, [f"{what} {found:.1f} {unit}".rstrip() + f", allowed is {limit:g}" for what, found, limit, unit in asked if found > limit]
