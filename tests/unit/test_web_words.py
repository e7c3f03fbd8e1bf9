"""What the page says and how it searches, without a server."""

from __future__ import annotations

from pathlib import Path

from edge.store import Store
from edge.web import query, words
from edge.web.language import ENGLISH
from edge.web.phrases import catalogue
from edge.web.stream import Places
from tests.builders import an_event


def test_words_for_times_and_certainty() -> None:
    told = {0.2: "just now", 12.9: "12 s ago", 60: "1 min ago", 3599: "59 min ago", 3600: "1 h ago", 172_000: "47 h ago", 176_400: "2 days ago"}
    assert {seconds: words.ago(seconds) for seconds in told} == told
    assert [ENGLISH.percent(c) for c in (0.999, 1.0, 0.5)] == ["99\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%", "50\N{NO-BREAK SPACE}%"]


def told(prefix: str) -> set[str]:
    return {key.removeprefix(prefix) for key in catalogue() if key.startswith(prefix)}


def test_the_page_has_words_for_every_reason_of_the_judge() -> None:
    from edge.tracking.reasons import REASONS

    assert told("daemon.reason.") == {words.key(reason) for reason in REASONS}


def test_the_page_has_words_for_every_way_to_lose_a_camera() -> None:
    from typing import get_args

    from edge.camera.base import Why

    assert told("daemon.loss.") == {words.key(why) for why in get_args(Why)}
    said = words.machine({"threads": 2, "threads_by": "measured", "camera": {"profile": "infra-red", "losses": {"frozen": 2, "gone": 1}}})
    assert said == "2 threads, as measured here · settings for infra-red · camera lost: repeated the same picture 2×, was gone 1×"


def test_narrow_matches_fill_a_page_from_many(tmp_path: Path) -> None:
    with Store(tmp_path / "events.sqlite") as store:
        for number in range(450):
            store.add(an_event(f"n{number}", "AB12CDE" if number % 225 == 0 else "XAB12CDE"))
        found = query.find(store, query.parse({"limit": "3", "text": "AB12CDE", "match": "exact"}))
    assert [event.id for event in found] == ["n225", "n0"]


def test_a_place_is_given_back_once() -> None:
    places = Places(1)
    leave = places.take()
    assert leave is not None
    assert places.take() is None
    leave()
    leave()
    assert places.take() is not None
    assert places.take() is None
