"""Several looks at one plate as one read."""

import numpy as np
import pytest

from edge.model.pooling import pool
from edge.records import PlateRead
from edge.vision import reader_codec


def look(upper: str, lower: str = "", certainty: float = 9.0) -> PlateRead:
    logits = reader_codec.as_logits(upper, lower, certainty=certainty)
    read = reader_codec.decode(logits)
    return PlateRead(read.text, read.confidence, read.characters, read.lines, read.alternatives, logits)


def test_two_looks_outweigh_one_that_is_as_sure():
    assert pool([look("S08ER1643"), look("TS08ER1643"), look("TS08ER1643")]).text == "TS08ER1643"


def test_the_text_that_no_look_contradicts_wins_over_the_surest():
    """One look is quite sure of a 7; the other two, unsure themselves, both see a 1."""
    sure, unsure = look("AB71", certainty=7.0), look("AB11", certainty=5.5)
    assert max((sure, unsure), key=lambda read: read.confidence) is sure
    assert pool([sure, unsure, unsure]).text == "AB11"


def test_the_confidence_is_no_more_than_that_of_the_looks_that_agree():
    agreed, pooled = look("AB123"), pool([look("AB123"), look("AB128"), look("AB123")])
    assert pooled.text == "AB123"
    assert 0.4 < pooled.confidence < agreed.confidence
    assert pooled.confidence == pytest.approx(float(np.prod([one.confidence for one in pooled.characters])), rel=1e-6)


def test_looks_that_all_see_nothing_are_nothing():
    nothing = look("")
    assert pool([nothing, nothing]).text == ""


def test_without_logits_the_surest_is_taken():
    faint, sure = PlateRead("AB1", 0.2, ()), PlateRead("AB7", 0.9, ())
    assert pool([faint, sure]) is sure
