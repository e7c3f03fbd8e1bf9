"""Pictures that nobody will be shown are let go, and what is shown stays what it was."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.records import Sighting
from edge.tracking import judge as judging
from edge.tracking.judge import Judge
from edge.tracking.reasons import Unread
from edge.tracking.settings import TrackingConfig
from edge.tracking.thinning import thin, wanted
from edge.tracking.tracker import KEPT_LOOKS, Track
from tests.builders import a_sighting

CONFIG = TrackingConfig()
LOOK = st.tuples(st.sampled_from(["AB12CDE", "AB12CDF", ""]), st.integers(700, 999), st.sampled_from([0.3, 0.6, 0.9]))
LOOKS = st.lists(LOOK, min_size=1, max_size=60, unique_by=lambda one: one[1])


def looks_of(drawn: list[tuple[str, int, float]]) -> Iterator[Sighting]:
    """Each with a picture of its own."""
    for number, (text, confidence, score) in enumerate(drawn):
        crop = np.full((4, 8, 3), number, np.uint8)
        yield a_sighting(text, number / 10, confidence=confidence / 1000, sharpness=confidence % 97 / 97, crop=crop, score=score)


def told(drawn: list[tuple[str, int, float]], thinned: Callable[..., None]) -> tuple[list[Any], Track]:
    """All events and the unread pass of a track, with their pictures."""
    found, numbers = list[Any](), itertools.count()
    judge = Judge(CONFIG, on_unread=found.append, wall=lambda: datetime(2026, 1, 1, tzinfo=UTC), new_id=lambda: str(next(numbers)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "thin", thinned)
        patch.setattr(judging, "jpeg", bytes)
        first, *others = looks_of(drawn)
        track, now = Track(1, [first], 0.0, 0.0), 0.0
        found.append(judge.judge(track, now))
        for look in others:
            track.add(look)
            found.append(judge.judge(track, now := look.seen_at))
        track.lost = True
        found.append(judge.judge(track, now + 9))
    words = [(one.reason, one.facts, None if one.crop is None else one.crop.tobytes()) if isinstance(one, Unread) else one for one in found if one is not None]
    return [(one, one.crop_jpeg, one.crop_at) if not isinstance(one, tuple) else one for one in words], track


@given(LOOKS)
def test_events_and_unread_passes_show_the_same_picture_as_if_all_were_kept(drawn: list[tuple[str, int, float]]) -> None:
    assert told(drawn, thin)[0] == told(drawn, lambda *_: None)[0]


def test_of_two_dozen_looks_at_one_text_one_keeps_its_picture_and_after_the_event_none() -> None:
    track, memo = Track(1, list(looks_of([("AB12CDE", 900 + number, 0.9) for number in range(KEPT_LOOKS)])), 0.0, 2.4), {}
    memo[track.looks[0]] = {"AB12CDE": -1.0}
    thin(track, CONFIG, memo, False)
    assert 1 <= sum(look.crop is not None for look in track.looks) <= 2  # the surest, and the sharpest where that is another
    assert memo == {track.looks[0]: {"AB12CDE": -1.0}}
    assert next(iter(memo)).crop is None
    thin(track, CONFIG, memo, True)
    assert all(look.crop is None for look in track.looks)


def test_of_equals_the_first_and_the_last_stay() -> None:
    looks = [a_sighting("AB12CDE", at, crop=np.zeros((2, 2), np.uint8)) for at in (0.0, 0.1, 0.2)]
    assert wanted(looks, CONFIG) == {id(looks[0]), id(looks[2])}
