"""What holds for the vote whatever the looks are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.plates.text import edit_distance
from edge.tracking.voting import LEAST_WEIGHT, Look, align, vote
from tests.builders import a_read

TEXTS = st.text("AB018", max_size=9)
WEIGHTS = st.floats(LEAST_WEIGHT, 1.0)
LOOKS = st.builds(lambda text, sure, weight: Look(a_read(text, sure), weight), TEXTS, st.floats(0.0, 1.0), WEIGHTS)


@given(st.lists(LOOKS, max_size=8))
def test_a_vote_is_well_formed(looks: list[Look]) -> None:
    """Confidences in 0..1, one character each, no more agreeing than looks, and no character that nobody read."""
    voted = vote(looks)
    assert voted.text == "".join(one.char for one in voted.characters)
    assert all(0.0 <= one.confidence <= 1.0 for one in voted.characters)
    assert 0 <= voted.agreeing <= voted.looks == sum(bool(look.read.text) for look in looks)
    assert set(voted.text) <= {char for look in looks for char in look.read.text}


@given(st.text("AB018", min_size=1, max_size=9), st.lists(st.tuples(st.floats(0.1, 1.0), WEIGHTS), min_size=1, max_size=6))
def test_unanimous_looks_win_whatever_their_weight(text: str, looks: list[tuple[float, float]]) -> None:
    """Nobody contradicts: that text, and all agree."""
    voted = vote([Look(a_read(text, sure), weight) for sure, weight in looks])
    assert (voted.text, voted.agreeing) == (text, len(looks))


GOOD = st.lists(st.tuples(st.floats(0.75, 1.0), WEIGHTS), min_size=3, max_size=5)


@given(st.text("AB018", min_size=2, max_size=8), TEXTS, GOOD, st.floats(0.0, 1.0), WEIGHTS)
def test_one_look_never_outvotes_three_that_agree(text: str, other: str, good: list[tuple[float, float]], sure: float, weight: float) -> None:
    """However the one misreads, however long, however sure."""
    looks = [Look(a_read(text, confidence), one_weight) for confidence, one_weight in good]
    assert vote([*looks, Look(a_read(other, sure), weight)]).text == text


EIGHTHS = st.integers(1, 8).map(lambda number: number / 8)
"""Sums of these are exact, so that their order cannot tell."""


@given(st.lists(st.tuples(TEXTS, EIGHTHS, EIGHTHS), max_size=6).flatmap(lambda looks: st.tuples(st.just(looks), st.permutations(looks))))
def test_the_order_of_the_looks_does_not_matter(pair: tuple[list[tuple[str, float, float]], list[tuple[str, float, float]]]) -> None:
    """A vote is no race."""
    one, other = ([Look(a_read(text, sure), weight) for text, sure, weight in looks] for looks in pair)
    assert vote(one).text == vote(other).text


@given(TEXTS, TEXTS)
def test_an_alignment_goes_forward_and_costs_the_distance(text: str, middle: str) -> None:
    """Places never go back, a character of the middle is met at most once, and what is not met or differs is the edit distance."""
    places = align(text, middle)
    assert all(early <= late for early, late in pairwise(places))
    met = [place for place in places if place % 2]
    assert len(met) == len(set(met))
    equal = sum(place % 2 == 1 and middle[place // 2] == char for char, place in zip(text, places, strict=True))
    inserted = len(places) - len(met)
    assert inserted + len(middle) - equal == edit_distance(text, middle)
