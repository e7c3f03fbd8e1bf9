"""What holds for the verdict, the gate, its relay and its schedules, whatever comes."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.gate.decide import Situation, decide
from edge.gate.duty import WINDOW_S, Duty
from edge.gate.gate import Gate
from edge.lists.book import Book
from edge.lists.entry import Entry, PlateList
from edge.lists.schedule import Schedule, Span
from edge.plates.lookalike import COSTS, distance, one_look_apart, within
from edge.records import Box, Detection, Match, Pass, PlateRead, Quad, Sighting
from edge.tracking.verdict import conclude
from edge.vision.alphabet import ALPHABET
from tests.evidence import read_of, wavering
from tests.fakes import FakeClock
from tests.gates import FakeRelay, a_gate_config

UNHURRIED = settings(deadline=None)
TEXTS = st.text("AB018O", min_size=2, max_size=8)
COUNTRIES = st.sampled_from(["none", "auto", "gb", "de,in"])


def look(read: PlateRead, width: float, score: float, sharpness: float, at: float) -> Sighting:
    box = Box(0, 0, width, width / 4)
    return Sighting(Detection(Quad.from_box(box), box, score), read, at, sharpness)


@st.composite
def looks(draw: st.DrawFn, text: str | None = None, sure: float = 0.02) -> Sighting:
    """With a reader's logits; it wavers at one place."""
    said = draw(TEXTS) if text is None else text
    place, other = draw(st.integers(0, len(said) - 1)), draw(st.sampled_from("ABO018"))
    doubts = {} if other == said[place] else {place: {other: draw(st.floats(0.001, sure))}}
    quality = (draw(st.floats(32, 300)), draw(st.floats(0.4, 1)), draw(st.floats(0.02, 9)), draw(st.floats(0, 9)))
    return look(read_of(wavering(said, doubts)), *quality)


@UNHURRIED
@given(TEXTS, looks(sure=0.45), st.data(), COUNTRIES)
def test_one_bad_frame_never_outvotes_three_good(text: str, bad: Sighting, data: st.DataObject, country: str) -> None:
    """With the country's rules as without: what three good looks give, they give beside a fourth that reads anything."""
    good = [data.draw(looks(text)) for _ in range(3)]
    assert conclude([*good, bad], country).text == conclude(good, country).text


@UNHURRIED
@given(st.lists(looks(sure=0.45), min_size=1, max_size=5).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))), COUNTRIES)
def test_any_order_of_the_looks_gives_the_same_verdict(pair: tuple[list[Sighting], list[Sighting]], country: str) -> None:
    """But for the last digits: a sum in another order is another one there."""
    one, other = (conclude(some, country) for some in pair)
    assert alike(one, other), f"{one} and {other}"


def alike(one: Any, other: Any) -> bool:
    """Whether two values, with all that they hold, are the same up to rounding."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if is_dataclass(one) and type(one) is type(other):
        return all(alike(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    if isinstance(one, tuple | list) and type(one) is type(other):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


def test_alike_sees_more_than_rounding() -> None:
    box = Box(0.0, 0.0, 0.1 + 0.2, 1.0)
    assert alike((box, "A"), (Box(0.0, 0.0, 0.3, 1.0), "A"))
    assert not alike((box, "A"), (Box(0.0, 0.0, 0.3001, 1.0), "A"))
    assert not alike((box, "A"), (box, "B"))
    assert not alike((box,), (box, box))


PLATES = st.text(ALPHABET, min_size=2, max_size=9)


@given(PLATES, PLATES, st.floats(0, 3))
def test_the_quick_distance_is_the_whole_one(a: str, b: str, most: float) -> None:
    away = distance(a, b)
    assume(abs(away - most) > 1e-6)
    quick = within(a, b, most)
    assert quick is None if away > most else abs((quick or 0.0) - away) < 1e-9


@given(PLATES, PLATES)
def test_a_distance_is_symmetric_and_nought_for_the_same_alone(a: str, b: str) -> None:
    assert abs(distance(a, b) - distance(b, a)) < 1e-9
    assert (distance(a, b) == 0.0) == (a == b)
    assert one_look_apart(a, b) == one_look_apart(b, a)


@given(PLATES, st.sampled_from(sorted(map(sorted, COSTS))))
def test_a_lookalike_is_nearer_than_any_other_character(text: str, pair: list[str]) -> None:
    a, b = pair
    assert 0 < distance(text + a, text + b) < 1


MATCHES = st.one_of(
    st.none(),
    st.builds(
        Match,
        st.just("list"),
        st.sampled_from(["allow", "deny", "ignore"]),
        st.sampled_from(["AB12CDE", "XY34ZZZ"]),
        due=st.booleans(),
        distance=st.floats(0, 1),
    ),
)
DIRECTIONS = st.sampled_from(["approaching", "leaving", "left", "right", "unknown"])
PASSES = st.builds(
    Pass, st.sampled_from("123"), st.sampled_from(["AB12CDE", "XY34ZZZ"]), st.floats(0, 1), st.integers(0, 9), DIRECTIONS, st.floats(0, 9), MATCHES
)


@given(PASSES, st.booleans(), st.text(max_size=3), st.one_of(st.none(), st.booleans()), st.booleans())
def test_the_gate_opens_for_nobody_but_a_friend_in_his_time(one: Pass, rested: bool, trouble: str, factor: bool | None, approach: bool) -> None:
    situation = Situation(0.0, trouble, {}, None if factor is None else (factor, ""), rested)
    config = a_gate_config(approach=approach)
    if decide(one, situation, config).opens:
        assert one.match is not None
        assert (one.match.kind, one.match.due) == ("allow", True)
        assert one.agreeing >= config.reads
        assert one.confidence >= config.confidence
        assert one.direction == "approaching" or not approach
        assert (rested, trouble, factor is not False) == (True, "", True)


SPANS = st.builds(
    lambda days, start, end: Span(frozenset(days), start, end), st.sets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(1, 1440)
)
SCHEDULES = st.builds(
    Schedule, st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.lists(SPANS).map(tuple)
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


@given(st.lists(st.tuples(st.sampled_from(["allow", "deny", "ignore"]), SCHEDULES), min_size=1, max_size=4), MOMENTS)
def test_who_is_denied_ignored_or_out_of_time_on_a_list_is_never_let_in(rows: list[tuple[Any, Schedule]], at: datetime) -> None:
    """From the lists to the decision: one plate on several lists, each with its times."""
    zone = ZoneInfo("Europe/Berlin")
    book = Book([PlateList(f"{kind}{number}", kind, (Entry("AB12CDE", schedule=when),), 0.5, zone) for number, (kind, when) in enumerate(rows)])
    match = book.match("AB12CDE", at)
    opens = decide(Pass("1", "AB12CDE", 0.9, 9, "approaching", 9.0, match), Situation(0.0, opened_at={}), a_gate_config()).opens
    due = {kind for kind, when in rows if when.covers(at, zone)}
    assert opens == (due == {"allow"})


class Ledger:
    """An audit that is up or down as it is told."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.up = True

    def add(self, row: Any) -> int:
        from edge.errors import StoreError

        if not self.up:
            raise StoreError("the disk is full") from sqlite3.OperationalError()
        self.rows.append(row)
        return len(self.rows)

    def purge(self, older_than: str, tomorrow: str = "9") -> int:
        return 0

    def close(self) -> None:
        pass


@given(st.lists(st.tuples(st.lists(PASSES, max_size=3), st.floats(0, 30), st.booleans()), max_size=25), st.sampled_from([(0.8, 0.05), (4.0, 0.2), (9.0, 0.15)]))
def test_nothing_opens_without_its_row_and_the_relay_is_never_on_too_long(story: list[tuple[list[Pass], float, bool]], limits: tuple[float, float]) -> None:
    """Whatever comes past, with an audit that fails now and then: as many rows that open as pulses, and no minute with more than the duty."""
    pulse_s, duty = limits
    clock, ledger = FakeClock(), Ledger()
    relay = FakeRelay(clock)
    gate = Gate(a_gate_config(pulse_s=pulse_s, max_duty=duty, cooldown_s=0.0), ledger, relay, wall=clock.wall)  # type: ignore[arg-type]
    for number, (passes, pause_s, up) in enumerate(story):
        ledger.up = up
        gate.consider(
            [Pass(f"{number}-{one.id}", one.text, one.confidence, one.agreeing, one.direction, one.in_view_s, one.match) for one in passes], clock.now
        )
        clock.advance(pause_s)
    assert sum(row.opens for row in ledger.rows) == len(relay.pulses)
    assert_duty(relay.pulses, duty)


@given(st.lists(st.tuples(st.floats(0, 40), st.floats(0.05, 10)), max_size=60), st.floats(0.01, 1.0))
def test_no_minute_holds_more_than_the_duty(requests: list[tuple[float, float]], most: float) -> None:
    duty, now, granted = Duty(most), 0.0, list[tuple[float, float]]()
    for pause_s, pulse_s in requests:
        now += pause_s
        if duty.allows(pulse_s, now):
            duty.take(pulse_s, now)
            granted.append((now, pulse_s))
    assert_duty(granted, most)
    assert all(second[0] >= first[0] + first[1] for first, second in pairwise(granted))


def assert_duty(pulses: list[tuple[float, float]], most: float) -> None:
    """The fullest minute begins with a pulse or ends with one."""
    edges = [at for begin, seconds in pulses for at in (begin, begin + seconds - WINDOW_S)]
    for edge in edges:
        on_s = sum(max(0.0, min(begin + seconds, edge + WINDOW_S) - max(begin, edge)) for begin, seconds in pulses)
        assert on_s <= WINDOW_S * most + 1e-6


@given(SPANS, st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"]), MOMENTS)
def test_a_schedule_follows_the_clock_on_the_wall(span: Span, name: str, at: datetime) -> None:
    """Also on the days when it is changed: what counts is what a person there reads off the clock, day and minute."""
    zone = ZoneInfo(name)
    local = at.astimezone(zone)
    minute = 60 * local.hour + local.minute
    days = [day for day in span.days if span.start < span.end and day == local.weekday() and span.start <= minute < span.end]
    days += [day for day in span.days if span.start >= span.end and day == local.weekday() and minute >= span.start]
    days += [day for day in span.days if span.start >= span.end and (day + 1) % 7 == local.weekday() and minute < span.end]
    assert Schedule(spans=(span,)).covers(at, zone) == bool(days)


@given(SPANS, st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 14)]))
def test_a_span_has_all_its_minutes_of_a_day_but_those_that_spring_leaves_out(span: Span, day: date) -> None:
    """Counted in real minutes over three local days of Berlin around a change: an hour more where it comes twice, an hour less where it is missing."""
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - timedelta(days=1)
    covered = [at for minute in range(0, 3 * 1440, 15) if Schedule(spans=(span,)).covers(at := begin + timedelta(minutes=minute), zone)]
    walls = [(local.date(), local.hour, local.minute) for at in covered for local in [at.astimezone(zone)]]
    doubled = len(walls) - len(set(walls))
    assert doubled <= (4 if day == date(2026, 10, 25) else 0)
    assert all(wall[1] != 2 for wall in walls if wall[0] == date(2026, 3, 29))
