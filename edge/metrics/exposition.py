"""Prometheus' text format, version 0.0.4."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NAME, LABEL = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*"), re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value. `suffix` is '' but for a histogram's `_bucket`, `_sum` and `_count`."""

    value: float
    labels: Mapping[str, str]
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one name; ValueError where a name or a label is none that Prometheus takes, or a counter does not end in `_total`."""

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or (self.kind == "counter") != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: no name for a {self.kind}")
        if wrong := [label for sample in self.samples for label in sample.labels if not LABEL.fullmatch(label)]:
            raise ValueError(f"{self.name}: {wrong[0]!r} is no label")


def buckets(labels: Mapping[str, str], bounds: Sequence[float], counts: Sequence[float], total: float) -> Iterator[Sample]:
    """The samples of one histogram: `counts` has one more than `bounds`, that of what is above all of them; `total` is the sum of the values."""
    for bound, count in zip((*bounds, math.inf), accumulate(counts), strict=True):
        yield Sample(count, {**labels, "le": _number(bound)}, "_bucket")
    yield Sample(total, labels, "_sum")
    yield Sample(sum(counts), labels, "_count")


def render(families: Iterable[Family]) -> str:
    """The page that is scraped. A family without samples is left out."""
    lines = list[str]()
    for family in families:
        if not family.samples:
            continue
        lines += [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
        for sample in family.samples:
            labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in sample.labels.items())
            lines.append(f"{family.name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
