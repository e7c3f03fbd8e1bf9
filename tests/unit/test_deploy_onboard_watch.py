"""The verdict on a release on trial: a pure function of what was seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.onboard.watch import EVERY_S, LIMIT_S, MOST_STARTS, WATCH_S, Sight, Wanted, judge

WANTED = Wanted("1.0.2")


def seen(at, **changes):
    told = {"pid": 7, "spoke": str(at), "version": "1.0.2", "state": "watching", "frames": int(20 * at) + 1, "models": True, "page": True}
    return Sight(at, **told | changes)


def over(seconds, sight=seen):
    return [sight(at * EVERY_S) for at in range(int(seconds / EVERY_S) + 1)]


def test_a_minute_without_a_fault_is_good_and_less_is_not_yet():
    assert judge(over(WATCH_S - EVERY_S), WANTED) is None
    assert judge(over(WATCH_S), WANTED).good


FAULTS = {
    "the camera gives no pictures": {"frames": 0},
    "the camera gives no pictures (camera lost)": {"frames": 5, "state": "camera lost"},
    "the page does not answer": {"page": False},
    "the models are not loaded": {"models": False},
    "the daemon is in safe mode": {"state": "safe mode"},
    "the daemon that runs is 1.0.1": {"version": "1.0.1"},
    "the daemon does not run": {"pid": 0},
    "the daemon says nothing any more": {"spoke": "long ago"},
}


@pytest.mark.parametrize("words", FAULTS)
def test_what_is_wrong_to_the_end_is_named(words):
    sights = over(LIMIT_S, lambda at: seen(at, **FAULTS[words]))
    verdict = judge(sights, WANTED)
    assert not verdict.good
    assert words in verdict.words
    assert judge(sights[:-1], WANTED) is None, "it had time until then"


@pytest.mark.parametrize("words", FAULTS)
def test_what_was_wrong_for_a_moment_begins_the_minute_anew(words):
    sights = over(200, lambda at: seen(at, **(FAULTS[words] if 40 <= at <= 60 else {})))
    first = next(index for index in range(len(sights)) if (found := judge(sights[: index + 1], WANTED)) is not None and found.good)
    assert sights[first].at >= 60 + WATCH_S


def test_a_daemon_that_begins_anew_again_and_again_is_judged_before_the_time_is_up():
    sights = over(LIMIT_S, lambda at: seen(at, pid=7 + int(at // 30)))
    verdicts = [judge(sights[:index], WANTED) for index in range(1, len(sights))]
    first = next(found for found in verdicts if found is not None)
    assert not first.good
    assert f"began anew {MOST_STARTS + 1} times" in first.words


def test_what_did_not_work_before_the_update_is_not_asked_for():
    """An update may be what mends the camera; it need not mend it to stay."""
    sights = over(WATCH_S, lambda at: seen(at, frames=0, page=False, state="camera lost"))
    assert judge(sights, Wanted("1.0.2", frames=False, page=False)).good
    assert judge(sights, WANTED) is None


def test_pictures_that_stop_are_no_pictures():
    sights = over(LIMIT_S, lambda at: seen(at, frames=500))
    assert "no pictures" in judge(sights, WANTED).words


FAULT = st.sampled_from([{}, *FAULTS.values()])


@given(st.lists(FAULT, min_size=31, max_size=200))
def test_nothing_is_called_good_whose_last_minute_had_a_fault(faults):
    sights = [seen(index * EVERY_S, **fault) for index, fault in enumerate(faults)]
    verdict = judge(sights, WANTED)
    lasting = [fault for fault in faults[-int(WATCH_S / EVERY_S) :] if fault and "frames" not in fault and "spoke" not in fault]
    if lasting and verdict is not None:
        assert not verdict.good


@given(st.lists(FAULT, max_size=200))
def test_there_is_always_a_verdict_in_the_end(faults):
    sights = [seen(index * EVERY_S, **fault) for index, fault in enumerate(faults)]
    sights.append(seen(LIMIT_S + len(sights) * EVERY_S))
    verdict = judge([seen(0), *sights], WANTED)
    assert verdict is not None
    assert verdict.words
