"""The figures themselves, on cases small enough to count by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.plates.text import edit_distance
from edge.records import Box
from train import metrics

PLATE, OTHER = Box(0, 0, 100, 30), Box(200, 0, 300, 30)


def test_everything_found_and_nothing_else_is_one():
    picture = metrics.found([PLATE, OTHER], [0.9, 0.8], [PLATE, OTHER], [])
    assert metrics.average_precision([picture], 0.5) == 1.0


def test_a_surer_false_report_costs_precision():
    picture = metrics.found([OTHER, PLATE], [0.9, 0.8], [PLATE], [])
    assert metrics.average_precision([picture], 0.5) == 0.5


def test_a_plate_found_twice_counts_once():
    picture = metrics.found([PLATE, Box(2, 0, 102, 30)], [0.9, 0.8], [PLATE], [])
    assert metrics.match(picture, 0.5).tolist() == [0, -1]


def test_where_nobody_looked_nothing_is_rewarded_or_punished():
    picture = metrics.found([OTHER, PLATE], [0.9, 0.8], [PLATE], [OTHER])
    assert metrics.match(picture, 0.5).tolist() == [-2, 0]
    assert metrics.average_precision([picture], 0.5) == 1.0


def test_a_loose_box_counts_at_a_half_and_not_at_three_quarters():
    picture = metrics.found([Box(0, 0, 100, 45)], [0.9], [PLATE], [])
    assert [int(metrics.match(picture, overlap)[0]) for overlap in (0.5, 0.75)] == [0, -1]


def test_without_plates_there_is_no_average_precision():
    assert math.isnan(metrics.average_precision([metrics.found([PLATE], [0.5], [], [])], 0.5))


@pytest.mark.parametrize(("a", "b", "edits"), [("", "", 0), ("ABC", "ABC", 0), ("ABC", "AC", 1), ("ABC", "XABC", 1), ("KITTEN", "SITTING", 3), ("", "AB", 2)])
def test_edits_are_counted_as_levenshtein_did(a, b, edits):
    assert edit_distance(a, b) == edit_distance(b, a) == edits


def test_nought_and_o_are_one_in_the_united_states_alone():
    assert metrics.same_text("AB0", "ABO", "us")
    assert not metrics.same_text("AB0", "ABO", "de")


def test_character_accuracy_is_edits_over_characters():
    assert metrics.character_accuracy(["AB12", "CD34"], ["AB12", "CD3"]) == pytest.approx(1 - 1 / 8)
    assert np.isnan(metrics.character_accuracy([], []))
