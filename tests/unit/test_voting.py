"""Per-character voting over the looks of a track."""

from __future__ import annotations

import pytest

from edge.plates.text import edit_distance
from edge.tracking.voting import LEAST_WEIGHT, NO_VOTE, Look, align, similarity, vote, weigh
from tests.builders import a_read, a_sighting


def looks(*texts: str, confidence: float = 0.95, weight: float = 1.0) -> list[Look]:
    return [Look(a_read(text, confidence), weight) for text in texts]


def test_one_bad_frame_does_not_outvote_three_good_ones() -> None:
    """Not even when the bad one is the sharpest, widest and surest of all, and the good ones are the worst that may vote."""
    good = looks("AB12CDE", "AB12CDE", "AB12CDE", confidence=0.8, weight=LEAST_WEIGHT)
    voted = vote([*good, Look(a_read("X8I2COE", 1.0), 1.0)])
    assert (voted.text, voted.looks, voted.agreeing) == ("AB12CDE", 4, 3)


def test_a_longer_wrong_read_does_not_win_by_its_length() -> None:
    """A border read as a letter needs a majority like any character."""
    assert vote(looks("IAB12CDEI", "AB12CDE", "AB12CDE")).text == "AB12CDE"
    assert vote([*looks("AB12CDE", "AB12CDE", weight=0.7), *looks("AB12CDEE")]).text == "AB12CDE"


def test_a_shorter_read_still_votes_on_what_it_has() -> None:
    """Two reads that each lost another character, and one that is whole: together the whole."""
    assert vote(looks("AB12CD", "B12CDE", "AB12CDE")).text == "AB12CDE"


def test_junk_does_not_set_the_measure() -> None:
    """Reads are lined up with the one nearest to all, not with the longest, which here is noise."""
    assert vote(looks("B12CDE", "AB12CDE", "AB12ICDE", "XAXACE11I2")).text == "AB12CDE"


def test_the_vote_can_read_what_no_single_look_read() -> None:
    """Each look is wrong in another place; nobody agrees with the result, and the count says so."""
    voted = vote(looks("XB12CDE", "AB1ZCDE", "AB12CDF"))
    assert (voted.text, voted.agreeing) == ("AB12CDE", 0)


def test_runners_up_decide_between_equals() -> None:
    """Two looks say 8 and just as well B, a third is sure of B: without the runners-up the two would win."""
    torn, sure = Look(a_read("A8", 0.5, {1: ("B", 0.45)}), 1.0), Look(a_read("AB", 0.9), 1.0)
    assert vote([torn, torn, sure]).text == "AB"
    assert vote([Look(a_read("A8", 0.5), 1.0)] * 2 + [sure]).text == "A8"


def test_agreement_makes_sure_and_contradiction_makes_unsure() -> None:
    """Confidence stays in 0..1, falls on the disputed character, and only there."""
    agreed, disputed = vote(looks("AB12", "AB12", "AB12")), vote(looks("AB12", "AB12", "AB1Z"))
    assert [round(one.confidence, 6) for one in agreed.characters] == [0.95] * 4
    assert [one.confidence for one in disputed.characters[:3]] == pytest.approx([0.95] * 3)
    assert 0.6 < disputed.characters[3].confidence < 0.95


def test_looks_that_read_nothing_do_not_vote() -> None:
    assert vote(looks("", "")) == NO_VOTE
    assert vote(looks("", "AB1", "AB1")).looks == 2


def test_a_weightier_look_decides_a_tie() -> None:
    """One against one: the better look."""
    assert vote([Look(a_read("AB1"), 0.6), Look(a_read("AB7"), 0.9)]).text == "AB7"
    assert vote([Look(a_read("AB1"), 0.9), Look(a_read("AB7"), 0.6)]).text == "AB1"


@pytest.mark.parametrize("worse", [{"confidence": 0.6}, {"sharpness": 0.2}, {"width": 40.0}, {"score": 0.4}])
def test_a_worse_look_weighs_less(worse: dict[str, float]) -> None:
    """By each of the four: the reader's confidence, sharpness, width on the plate, the detector's score."""
    best = weigh(a_sighting(), sharpest=1.0)
    assert LEAST_WEIGHT <= weigh(a_sighting(**worse), sharpest=1.0) < best <= 1.0  # type: ignore[arg-type]


def test_places_follow_the_nearest_reading() -> None:
    """Odd places stand beside a character of the middle, even ones in a gap."""
    assert align("AB12", "AB12") == [1, 3, 5, 7]
    assert align("B12", "AB12") == [3, 5, 7]
    assert align("AXB", "AB") == [1, 2, 3]


def test_distances() -> None:
    assert (edit_distance("AB12", "AB12"), edit_distance("AB12", "B12"), edit_distance("AB12", "XB1Z"), edit_distance("", "AB")) == (0, 1, 2, 2)
    assert (similarity("AB12", "AB12"), similarity("AB12", "XYZW"), similarity("", "")) == (1.0, 0.0, 1.0)
