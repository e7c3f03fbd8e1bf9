"""The walk test: what became of each track, and why."""

from __future__ import annotations

from collections.abc import Sequence

from edge.desk.walk import Walk
from edge.records import Match
from edge.status import PlateInView
from tests.fakes import FakeClock
from tests.unit.test_judge import Watch


def veiled(shown: Sequence[PlateInView]) -> list[PlateInView]:
    return [(quad, text and "hidden", sure) for quad, text, sure in shown]


def a_walk(watch: Watch, seconds: float = 120.0, veil: object = list) -> Walk:
    walk = Walk(veil, watch.clock, watch.clock.wall)  # type: ignore[arg-type]
    walk.ask(seconds)
    walk.tend(watch.judge)
    return walk


def test_each_track_is_told_with_its_end() -> None:
    """Reported, not believed, again in view; the newest first. A flicker is only counted."""
    watch = Watch()
    walk = a_walk(watch)
    for texts in (["AB12CDE"] * 5, ["AB12CDE", "XX99XXX", "QQ11QQQ"], ["AB12CDE"] * 4, [{"text": "", "x": 600.0}]):
        watch.frames(texts)
        watch.away(1.5)
    told = walk.as_json()["walk"]
    assert [(one["outcome"], one["text"]) for one in told["tracks"]] == [
        ("same pass", "AB12CDE"),
        ("reads disagree", told["tracks"][1]["text"]),
        ("event", "AB12CDE"),
    ]
    assert told["flickers"] == 1
    assert (told["tracks"][2]["frames"], told["tracks"][2]["width_px"]) == (5, 120.0)


def test_it_listens_only_while_it_runs_and_keeps_what_it_heard() -> None:
    watch = Watch()
    walk = a_walk(watch, 2.0)
    watch.frames(["AB12CDE"] * 3)
    watch.away(3.0)
    walk.tend(watch.judge)
    assert watch.judge.on_end is None
    watch.frames(["ZZ88ZZZ"] * 3)
    watch.away(2.0)
    told = walk.as_json()["walk"]
    assert (told["seconds_left"], [one["text"] for one in told["tracks"]]) == (0.0, ["AB12CDE"])
    walk.ask(10.0)
    assert walk.as_json()["walk"]["tracks"] == []
    assert Walk(list, FakeClock(), watch.clock.wall).as_json() == {}


def test_texts_that_may_not_be_told_are_not() -> None:
    """By the veil; and of a plate that is ignored nothing is told at all."""
    watch = Watch()
    walk = a_walk(watch, veil=veiled)
    watch.frames(["AB12CDE"] * 4)
    watch.away(1.5)
    assert [one["text"] for one in walk.as_json()["walk"]["tracks"]] == ["hidden"]
    ignoring = Watch(judge={"known": lambda text, at: Match("family", "ignore", text)})
    walk = a_walk(ignoring)
    ignoring.frames(["AB12CDE"] * 4)
    ignoring.away(1.5)
    (one,) = walk.as_json()["walk"]["tracks"]
    assert (one["outcome"], one["text"], one["confidence"]) == ("ignored", "", 0.0)
