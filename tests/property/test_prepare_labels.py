"""Whatever a label says, what comes out keeps the rules of the native format, or nothing does and a reason says why."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from edge.vision.alphabet import ALPHABET
from edge.vision.reader_codec import MAX_LENGTH
from train.data.formats.reasons import REASONS
from train.data.prepare.places import place, turned
from train.data.prepare.texts import NO_TEXT, clean

WIDTH, HEIGHT = 64, 48
NUMBER = st.one_of(st.floats(-100, 200), st.sampled_from([0.0, WIDTH, HEIGHT, math.nan, math.inf]))
POINT = st.tuples(NUMBER, NUMBER)


@given(st.text(max_size=24))
def test_any_text_becomes_one_of_the_alphabet_or_none(written):
    found = clean(written)
    assert set(found.reasons) <= set(REASONS)
    if found.text is None:
        assert found.reasons or not written.strip()
    else:
        assert 0 < len(found.text) <= MAX_LENGTH
        assert set(found.text) <= set(ALPHABET)
        assert found.text in NO_TEXT or clean(found.text).text == found.text


@given(st.text(ALPHABET + " -·.", max_size=14))
def test_separators_alone_change_nothing_else(written):
    kept = "".join(char for char in written if char in ALPHABET)
    assert clean(written).text == (kept if kept and kept not in NO_TEXT else None)


@given(st.one_of(st.none(), st.tuples(NUMBER, NUMBER, NUMBER, NUMBER)), st.lists(POINT, max_size=7), st.booleans())
def test_any_place_lies_in_the_picture_or_says_why_not(box, polygon, ordered):
    found = place(box, polygon, ordered, WIDTH, HEIGHT)
    assert set(found.reasons) <= set(REASONS)
    if found.box is None:
        assert found.reasons
        return
    assert 0 <= found.box.x0 < found.box.x1 <= WIDTH
    assert 0 <= found.box.y0 < found.box.y1 <= HEIGHT
    if found.corners is not None:
        assert len(found.corners) == 4
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in found.corners)


@given(st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT)), st.integers(1, 8))
def test_turning_back_is_the_way_back(point, orientation):
    """6 and 8 undo each other, every other orientation undoes itself."""
    upright = (HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT)
    x, y = turned(turned(point, orientation, WIDTH, HEIGHT), {6: 8, 8: 6}.get(orientation, orientation), *upright)
    assert math.isclose(x, point[0], abs_tol=1e-9)
    assert math.isclose(y, point[1], abs_tol=1e-9)
