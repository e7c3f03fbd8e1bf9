"""The detector and the reader as two witnesses."""

import pytest

from edge.records import Box, Character, Detection, PlateRead, Quad
from edge.telling import BELIEVED, belief

BOX = Box(10, 10, 110, 40)


def heard(score: float, text: str, confidence: float) -> float:
    characters = tuple(Character(char, confidence) for char in text)
    return belief(Detection(Quad.from_box(BOX), BOX, score), PlateRead(text, confidence, characters))


def test_a_sure_detection_with_a_sure_read_is_told():
    assert heard(0.9, "AB123CD", 0.98) > 0.9


@pytest.mark.parametrize(("score", "text", "confidence"), [(0.3, "", 0.0), (0.3, "X1", 0.05), (0.3, "PDIZ", 0.001)])
def test_two_weak_opinions_are_none(score, text, confidence):
    assert heard(score, text, confidence) < BELIEVED


def test_a_read_saves_a_faint_detection_and_the_better_the_more():
    beliefs = [heard(0.4, "AB123CD", confidence) for confidence in (0.001, 0.1, 0.9)]
    assert beliefs == sorted(beliefs)
    assert beliefs[0] < BELIEVED < beliefs[-1]


def test_a_plate_too_far_away_to_be_read_is_told_when_it_is_surely_one():
    assert heard(0.8, "", 0.0) > BELIEVED
