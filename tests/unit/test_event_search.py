"""Searching the store: what is found, in which order, and that no search reads all of it."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.config import Config
from edge.errors import ConfigError
from edge.events.histogram import histogram
from edge.events.query import count, find
from edge.events.seen import seen_before
from edge.events.wanted import Wanted, day, moment, zone_of
from edge.events.where import where
from edge.labels.book import Labels
from edge.plates.lookalike import within
from edge.records import Match
from edge.store import Store
from edge.web import query as page
from tests.builders import an_event

FAMILY = Match("family", "allow", "AB12CDE", "Anna")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "events.sqlite")
    rows: list[tuple[str, dict[str, Any]]] = [
        ("AB12CDE", {"match": FAMILY, "country": "gb", "direction": "left"}),
        ("A812CDE", {"camera": "yard", "confidence": 0.6}),
        ("XY34ZZZ", {"country": "de"}),
        ("AB12CDE", {"direction": "right"}),
        ("CDE12AB", {"confidence": 0.5}),
    ]
    for number, (text, changes) in enumerate(rows):
        store.add(an_event(str(number), text, f"2026-11-2{number}T12:00:00.000+00:00", **changes))
    store.add(an_event("preview", "AB12CDE", "2026-11-25T12:00:00.000+00:00", preview=True))
    return store


def labels(store: Store, tmp_path: Path) -> Labels:
    return Labels(store, Config.model_validate({"store": {"path": str(tmp_path / "events.sqlite")}, "runtime": {"directory": str(tmp_path)}}))


def ids(store: Store, **wanted: Any) -> str:
    found = find(store, Wanted(**wanted))
    assert count(store, Wanted(**wanted)) == len(found)
    return "".join(one.event.id for one in found)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "43210"),
        ({"plate": "AB12CDE"}, "30"),
        ({"plate": "A*"}, "310"),
        ({"plate": "A?12*"}, "310"),
        ({"plate": "*12*"}, "4310"),
        ({"plate": "*2CDE", "camera": "yard"}, "1"),
        ({"plate": "AB12CDE", "fuzzy": 0.4}, "310"),
        ({"plate": "AB12CD", "fuzzy": 1.0}, "30"),
        ({"plate": "AB12CD", "fuzzy": 1.4}, "310"),
        ({"country": "de"}, "2"),
        ({"direction": "left"}, "0"),
        ({"list": "family"}, "0"),
        ({"list": "none"}, "4321"),
        ({"below": 0.61}, "41"),
        ({"below": 0.5}, ""),
        ({"since": "2026-11-21", "until": "2026-11-23"}, "21"),
        ({"since": "2026-11-21", "camera": "gate"}, "432"),
    ],
)
def test_what_is_asked_for_is_found_newest_first(store: Store, wanted: dict[str, Any], expected: str) -> None:
    """And counted alike; previews are in no list."""
    assert ids(store, **wanted) == expected


def test_a_corrected_plate_is_found_under_both_texts(store: Store, tmp_path: Path) -> None:
    """The event keeps what was read; nothing else of it changes."""
    labels(store, tmp_path).correct("1", "AB12 CDX", "anna")
    labels(store, tmp_path).confirm("0", "anna")
    assert (ids(store, plate="A812CDE"), ids(store, plate="AB12CDX"), ids(store, plate="AB12*")) == ("1", "1", "310")
    assert [ids(store, label=label) for label in ("corrected", "confirmed", "any", "none", "not a plate")] == ["1", "0", "10", "432", ""]
    (one,) = find(store, Wanted(plate="AB12CDX"))
    told = one.as_json()
    assert (told["text"], told["text_corrected"], one.text, told["label"]["by"]) == ("A812CDE", "AB12CDX", "AB12CDX", "anna")
    assert find(store, Wanted(plate="AB12CDY", fuzzy=0.9))[0].distance == 0.5, "the nearer of the two texts counts"


def test_pages_are_stable_while_new_events_come(store: Store) -> None:
    """Also with a filter; no event twice, none left out."""
    for wanted in ({}, {"text": "12"}, {"camera": "gate"}, {"from": "2026-11-01"}):
        asked = page.parse({**wanted, "limit": "2"})
        first = page.search(store, asked)
        store.add(an_event(f"new {wanted}", "AB12CDE", "2026-11-24T13:00:00.000+00:00"))
        seen = list(first.found)
        following = first.next
        while following:
            got = page.search(store, page.parse({**wanted, "limit": "2", "cursor": following}))
            following, seen = got.next, [*seen, *got.found]
        expected = [one for one in find(store, asked.wanted.__class__(plate="*12*" if "text" in wanted else "", camera=wanted.get("camera", "")))]
        assert [one.event.id for one in seen] == [one.event.id for one in expected if one.event.id != f"new {wanted}"]


def test_the_last_page_says_so_even_when_it_is_full(store: Store) -> None:
    assert page.search(store, page.parse({"limit": "5"})).next is None
    assert page.search(store, page.parse({"limit": "4"})).next is not None


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(plate="AB12CDE"), "events_by_text (text=?)"),
        (Wanted(plate="AB*"), "events_by_text (text>? AND text<?)"),
        (Wanted(plate="AB*CD?"), "events_by_text (text>? AND text<?)"),
        (Wanted(plate="AB12CDE", fuzzy=0.5), "events_by_text (text=?)"),
        (Wanted(since="2026-11-21", until="2026-11-22"), "events_by_time (last_seen>? AND last_seen<?)"),
        (Wanted(since="2026-11-21", until="2026-11-22", camera="gate"), "events_by_time (last_seen>? AND last_seen<?)"),
    ],
)
def test_a_search_by_plate_or_day_goes_by_an_index(store: Store, wanted: Wanted, index: str) -> None:
    """SQLite's own plan: of the events nothing is scanned."""
    asked = where(store, wanted)
    for sql in (
        f"SELECT seq FROM events {asked.hint} WHERE {asked.sql} ORDER BY seq DESC LIMIT 50",
        f"SELECT count(*) FROM events {asked.hint} WHERE {asked.sql}",
    ):
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}", *asked.values)]
        assert any(index in step for step in plan), plan
        assert not any(step.startswith("SCAN events") for step in plan), plan


@pytest.mark.parametrize(
    "wanted", [Wanted(camera="gate"), Wanted(list="none", direction="left"), Wanted(label="none"), Wanted(label="corrected"), Wanted(below=0.7, country="de")]
)
def test_any_other_filter_reads_the_narrow_index_and_never_the_events(store: Store, wanted: Wanted) -> None:
    asked = where(store, wanted)
    plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN SELECT seq FROM events {asked.hint} WHERE {asked.sql} ORDER BY seq DESC LIMIT 50", *asked.values)]
    assert [step for step in plan if " events" in step and "SCAN" in step] in ([], ["SCAN events USING COVERING INDEX events_by_time"]), plan


def test_what_is_rare_is_found_however_old_it_is(tmp_path: Path) -> None:
    """The newest events are looked through first; beyond them the search goes on."""
    with Store(tmp_path / "many.sqlite") as store, store.batch() as db:
        store.add(an_event("rare", camera="yard"))
        for number in range(2100):
            db.execute(
                "INSERT INTO events (id, text, last_seen, json, camera) SELECT ?, text, last_seen, json, 'gate' FROM events WHERE id = 'rare'", (str(number),)
            )
    with Store(tmp_path / "many.sqlite") as store:
        assert [one.event.id for one in find(store, Wanted(camera="yard", limit=1))] == ["rare"]
        assert len(find(store, Wanted(camera="gate", limit=50))) == 50


def test_a_far_lookalike_search_is_the_same_as_comparing_every_text(tmp_path: Path) -> None:
    """Listed texts, and beyond those all that are stored."""
    dice = random.Random(3)
    texts = ["".join(dice.choices("0OQD8B1I", k=dice.choice([4, 5, 6]))) for _ in range(300)]
    with Store(tmp_path / "events.sqlite") as store:
        with store.batch():
            for number, text in enumerate(texts):
                store.add(an_event(str(number), text))
        for most in (0.3, 0.8, 1.0, 1.2, 1.5, 2.5):
            found = {one.event.id: one.distance for one in find(store, Wanted(plate="0OQ8B", fuzzy=most))}
            expected = {str(number): pytest.approx(away) for number, text in enumerate(texts) if (away := within("0OQ8B", text, most)) is not None}
            assert found == expected


def test_a_day_has_as_many_hours_as_its_zone_gives_it() -> None:
    """23 and 25 in Berlin, and a midnight that never was in Beirut."""
    for words, zone, hours in (("2026-03-29", BERLIN, 23), ("2026-10-25", BERLIN, 25), ("2026-11-22", BERLIN, 24), ("2026-03-29", ZoneInfo("Asia/Beirut"), 23)):
        since, until = (datetime.fromisoformat(end) for end in day(words, "day", zone))
        assert (until - since) == timedelta(hours=hours)
    assert day("2026-11-22", "day", BERLIN)[0] == "2026-11-21T23:00:00.000+00:00"
    assert moment("2026-07-01T12:00", "from", BERLIN) == "2026-07-01T10:00:00.000+00:00"


@pytest.mark.parametrize("words", ["22.11.2026", "2026-13-01", "9999-12-31"])
def test_what_is_no_day_is_said(words: str) -> None:
    with pytest.raises(ConfigError, match="is no day"):
        day(words, "day", BERLIN)


def test_what_is_no_zone_is_said() -> None:
    for words in ("Europe/Berlln", "../../etc/passwd", "\0"):
        with pytest.raises(ConfigError, match="is no time zone"):
            zone_of(words)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kathmandu", "America/New_York", "Asia/Calcutta", "UTC"])
def test_events_are_counted_by_the_clocks_of_a_place(tmp_path: Path, name: str) -> None:
    """Every event is in the day and the hour that a clock there showed; the clocks change on the way."""
    zone, dice = ZoneInfo(name), random.Random(5)
    times = [datetime(2026, 10, 20, tzinfo=UTC) + timedelta(seconds=dice.randrange(20 * 86400)) for _ in range(300)]
    with Store(tmp_path / "events.sqlite") as store:
        with store.batch():
            for number, at in enumerate(times):
                store.add(an_event(str(number), last_seen=at.isoformat(timespec="milliseconds")))
        found = histogram(store, Wanted(), zone)
    local = [at.astimezone(zone) for at in times]
    assert found.hours == tuple(sum(one.hour == hour for one in local) for hour in range(24))
    assert {one: many for one, many in found.days.items() if many} == {
        one: sum(other.date().isoformat() == one for other in local) for one in {other.date().isoformat() for other in local}
    }
    assert (found.events, list(found.days)) == (300, sorted(found.days))


def test_a_plate_knows_how_often_it_was_here_before(store: Store, tmp_path: Path) -> None:
    """The very plate, and apart from it what looks like it; later passes and previews do not count."""
    found = seen_before(store, "3")
    assert found is not None
    assert (found.times, found.first, found.last, [id for id, _ in found.recent]) == (
        1,
        "2026-11-20T12:00:00.000+00:00",
        "2026-11-20T12:00:00.000+00:00",
        ["0"],
    )
    assert [(one.text, one.distance, one.times) for one in found.alike] == [("A812CDE", 0.4, 1)]
    first = seen_before(store, "0")
    assert first is not None
    assert (first.times, first.alike, seen_before(store, "nobody")) == (0, (), None)
    labels(store, tmp_path).correct("1", "AB12CDE", "anna")
    corrected = seen_before(store, "3")
    assert corrected is not None
    assert (corrected.times, [id for id, _ in corrected.recent], corrected.as_json()["recent"][0]["id"]) == (2, ["1", "0"], "1")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"match": "fuzzy", "text": "AB", "distance": "2"}, "distance is a number from 0 to 1.5"),
        ({"below": "high"}, "below is a number from 0 to 1"),
        ({"below": "nan"}, "below is a number from 0 to 1"),
        ({"direction": "up"}, "direction is one of"),
        ({"label": "wrong"}, "label is one of"),
        ({"day": "soon"}, "day soon: is no day"),
        ({"day": "2026-11-22", "from": "2026-11-22"}, "give one of the two"),
        ({"from": "2026-11-22", "to": "2026-11-01"}, "from is later than to"),
        ({"zone": "Mars/Olympus"}, "is no time zone"),
        ({"camera": "x" * 101}, "camera is at most"),
        ({"cursor": "-1"}, "cursor is what"),
        ({"match": "pattern", "text": "**"}, "text holds no letter"),
    ],
)
def test_what_a_page_cannot_ask_is_one_sentence(arguments: dict[str, str], sentence: str) -> None:
    with pytest.raises(page.BadQuery, match=sentence):
        page.parse(arguments)


def test_a_page_after_an_event_that_is_gone_is_said(store: Store) -> None:
    asked = page.parse({"before": "2"})
    store.delete("2")
    with pytest.raises(page.BadQuery, match="begin anew"):
        page.search(store, asked)
    assert page.find(store, asked) == []


def test_a_page_asks_as_the_command_line_does(store: Store) -> None:
    def found(**arguments: str) -> str:
        return "".join(one.event.id for one in page.search(store, page.parse(arguments)).found)

    assert found(text="b12 c") == "30"
    assert found(text="a?12*", match="pattern") == "310"
    assert found(text="ab12cde", match="fuzzy", distance="0.4") == "310"
    assert found(list="unknown", label="none") == "4321"
    assert found(day="2026-11-21", zone="Europe/Berlin") == "1"
    assert found(**{"from": "2026-11-21", "to": "2026-11-23", "zone": "UTC"}) == "21"
    assert found(country="DE", direction="unknown") == "2"
    assert page.count(store, page.parse({"list": "unknown", "limit": "1"})) == 4


@pytest.mark.parametrize("match", page.MATCHES)
def test_any_text_at_all_is_answered_or_refused_in_a_sentence(store: Store, match: str) -> None:
    """Nothing that is typed reaches SQLite as SQL, or a glob as a class of characters."""
    dice, refused = random.Random(9), list[str]()
    for _ in range(100):
        typed = "".join(dice.choices(string.printable + "é€\0", k=dice.randrange(12)))
        try:
            page.search(store, page.parse({"text": typed, "match": match, "camera": typed, "list": typed}))
        except page.BadQuery as error:
            refused.append(str(error))
    assert all("text holds no letter" in sentence for sentence in refused)
    assert len(refused) < 100
