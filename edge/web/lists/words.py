"""When an entry counts, and how likely a random plate is taken for it, as a person would say it. Pure but for the language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from edge.lists.schedule import DAYS, Schedule, Span
from edge.web.language import Language


def dates(schedule: Schedule, t: Language) -> str:
    """'' where there are none."""
    if schedule.first and schedule.last:
        return t("lists.dates.between", first=day(schedule.first, t), last=day(schedule.last, t))
    if schedule.last:
        return t("lists.dates.until", date=day(schedule.last, t))
    return t("lists.dates.since", date=day(schedule.first, t)) if schedule.first else ""


def day(found: date, t: Language) -> str:
    return t("lists.dates.day", day=str(found.day), month=t("common.months").split()[found.month - 1], year=str(found.year))


def times(schedule: Schedule, t: Language) -> list[str]:
    return [span_words(span, t) for span in schedule.spans]


def span_words(span: Span, t: Language) -> str:
    clock = "" if (span.start, span.end) == (0, 1440) else f"{_clock(span.start)}–{_clock(span.end)}"
    if len(span.days) == len(DAYS):
        return f"{t('lists.daily')} {clock}".strip()
    names = t("lists.days").split()
    days = ", ".join(names[first] if first == last else f"{names[first]}–{names[last]}" for first, last in runs(span.days))
    return f"{days} {clock}".strip()


def runs(days: frozenset[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of days that follow one another; a week's end runs on into the next week."""
    for first in sorted(days):
        if (first - 1) % 7 not in days:
            last = first
            while (last + 1) % 7 in days:
                last = (last + 1) % 7
            yield first, last


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def chances(found: dict[str, Any], t: Language) -> str:
    """Of `told.chances`; the script says the same."""
    if found["one_in"] is None:
        return t("lists.script.never")
    return t("lists.script.fewer" if found["at_least"] else "lists.script.one_in", count=found["one_in"])
