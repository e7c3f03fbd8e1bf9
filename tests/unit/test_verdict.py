"""What several looks say together, on their evidence."""

from __future__ import annotations

import pytest

from edge.records import Box, Detection, PlateRead, Quad, Sighting
from edge.tracking.pooled import LEAST_LOG_P, TOGETHER, together
from edge.tracking.verdict import NO_VERDICT, conclude
from tests.builders import a_read
from tests.evidence import read_of, wavering


def look(read: PlateRead, at: float = 0.0, score: float = 0.9) -> Sighting:
    box = Box(0, 0, 120, 30)
    return Sighting(Detection(Quad.from_box(box), box, score), read, at, 1.0)


def test_the_text_that_all_looks_think_possible_beats_the_one_that_only_some_do() -> None:
    """Two read AB1 and wave A01 through, two read A01 and are sure that it is not AB1: the letters are two against two."""
    wavers = read_of(wavering("AB1", {1: {"0": 0.45}}))
    sure = read_of(wavering("A01", {1: {"B": 0.001}}))
    verdict = conclude([look(wavers, 0), look(wavers, 1), look(sure, 2), look(sure, 3)], "none")
    assert (verdict.text, verdict.agreeing, verdict.looks) == ("A01", 2, 4)
    assert verdict.text == "".join(one.char for one in verdict.characters)


def test_a_sure_look_alone_does_not_outvote_two_that_agree() -> None:
    """Though all looks together think it the more probable one: fewer looks read it, so that it is no candidate."""
    wavers, sure = read_of(wavering("AB1", {1: {"0": 0.24}})), read_of(wavering("A01", {1: {"B": 0.001}}))
    assert conclude([look(wavers, 0), look(wavers, 1), look(sure, 2)], "none").text == "AB1"


def test_many_looks_are_surer_than_one() -> None:
    """The same read once, twice and eight times: its own confidence, and more with each."""
    read = read_of(wavering("AB1", {1: {"0": 0.3}}))
    once, twice, often = (conclude([look(read, at) for at in range(count)], "none").confidence for count in (1, 2, 8))
    assert once == pytest.approx(0.7, abs=0.02)
    assert once < twice < often < 1.0
    assert together(0.5, 1) == pytest.approx(0.5)
    assert together(0.5, 10**6) == pytest.approx(1 / (1 + 2.718281828**-TOGETHER), rel=1e-3)
    assert LEAST_LOG_P < 0


def test_reads_without_logits_are_voted_on_alone() -> None:
    """A reader of another layout has none."""
    verdict = conclude([look(a_read("AB12CDE"), at) for at in range(3)], "gb")
    assert (verdict.text, verdict.agreeing) == ("AB12CDE", 3)
    assert conclude([], "gb") == NO_VERDICT
    assert conclude([look(a_read(""))], "gb") == NO_VERDICT


def test_what_is_remembered_of_looks_goes_with_them() -> None:
    """The memo never holds more than the looks of the day, and changes nothing."""
    memo: dict[Sighting, dict[str, float]] = {}
    reads = [read_of(wavering(text, {1: {"0": 0.3}})) for text in ("AB1", "AX1", "AB1", "AB2")]
    looks = [look(read, at) for at, read in enumerate(reads)]
    for upto in range(1, 5):
        assert conclude(looks[:upto], "none", memo=memo) == conclude(looks[:upto], "none")
    conclude(looks[2:], "none", memo=memo)
    assert set(memo) == set(looks[2:])


def test_the_rules_are_not_asked_again_for_the_same_vote() -> None:
    """While the looks have not grown by half; the text stays ruled."""
    read = read_of(wavering("V056VUF", {1: {"O": 0.4}}))
    first = conclude([look(read, at) for at in range(4)], "gb")
    again = conclude([look(read, at) for at in range(5)], "none", first, 4)  # the country would say otherwise, were it asked
    assert (first.text, again.text, again.rule, again.agreeing) == ("VO56VUF", "VO56VUF", first.rule, 5)
    assert conclude([look(read, at) for at in range(6)], "none", first, 4).text == "V056VUF"


def test_a_text_of_no_format_does_not_fit() -> None:
    sure = [look(read_of(wavering("1234567")), at) for at in range(3)]
    assert not conclude(sure, "gb").fits
    assert conclude(sure, "none").fits
