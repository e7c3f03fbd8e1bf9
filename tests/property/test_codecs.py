"""What is encoded for training is decoded on the device: both directions of each codec agree."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.records import Box, Quad
from edge.vision import detector_codec, reader_codec
from edge.vision.alphabet import ALPHABET
from edge.vision.detector_codec import PlateTruth
from edge.vision.geometry import iou

LINES = st.text(ALPHABET, min_size=1, max_size=8)


@given(st.text(ALPHABET, max_size=reader_codec.MAX_LENGTH))
def test_a_label_spells_the_text_that_it_was_made_from(text):
    assert reader_codec.spell(reader_codec.encode(text)) == text


@given(LINES)
def test_one_line_comes_back_as_it_was_written(text):
    read = reader_codec.decode(reader_codec.as_logits(text))
    assert (read.text, read.lines) == (text, 1)
    assert [character.char for character in read.characters] == list(text)


@given(LINES, LINES)
def test_two_lines_come_back_in_reading_order(upper, lower):
    read = reader_codec.decode(reader_codec.as_logits(upper, lower))
    assert (read.text, read.lines) == (upper + lower, 2)


@given(st.text(ALPHABET, min_size=1, max_size=6))
def test_the_same_character_at_the_end_of_one_line_and_the_start_of_the_next_is_two(text):
    half = 16
    logits = np.zeros((2 * half, 37), np.float32)
    logits[:, 0] = 9
    kind = 1 + ALPHABET.index(text[0])
    logits[half - 1 : half + 1, 0], logits[half - 1 : half + 1, kind] = 0, 9
    assert reader_codec.decode(logits).text == 2 * text[0]


@st.composite
def plates(draw):
    width, height = draw(st.floats(14, 300)), draw(st.floats(6, 150))
    x, y = draw(st.floats(0, 384 - width)), draw(st.floats(0, 288 - height))
    box = Box(x, y, x + width, y + height)
    bend = np.array([draw(st.floats(0, 0.4)) for _ in range(4)])
    corners = np.array([[0, bend[0]], [bend[1], 0], [1, 1 - bend[2]], [1 - bend[3], 1]])  # touches all four sides of its box
    return PlateTruth(box, Quad.from_array(corners * (width, height) + (x, y)), draw(st.sampled_from((1, 2))))


@given(plates())
def test_a_plate_comes_back_where_it_was_put(plate):
    outputs = detector_codec.as_outputs(detector_codec.encode([plate], [], 384, 288))
    (found,) = detector_codec.decode(outputs["score"], outputs["box"], outputs["corners"], 0.5)
    assert iou(found.box, plate.box) > 0.99
    assert np.allclose(found.quad.array(), plate.quad.array(), atol=0.05)
    assert found.lines == plate.lines


@given(plates(), plates())
def test_two_plates_apart_are_two_detections(first, second):
    assume(iou(first.box, second.box) == 0)
    gap = max(first.box.x0 - second.box.x1, second.box.x0 - first.box.x1, first.box.y0 - second.box.y1, second.box.y0 - first.box.y1)
    assume(gap > 8)  # middles in different cells
    outputs = detector_codec.as_outputs(detector_codec.encode([first, second], [], 384, 288))
    assert len(detector_codec.decode(outputs["score"], outputs["box"], outputs["corners"], 0.5)) == 2


@given(plates())
def test_decoding_leaves_its_input_alone(plate):
    outputs = detector_codec.as_outputs(detector_codec.encode([plate], [], 384, 288))
    before = {name: values.copy() for name, values in outputs.items()}
    once = detector_codec.decode(outputs["score"], outputs["box"], outputs["corners"], 0.5)
    assert detector_codec.decode(outputs["score"], outputs["box"], outputs["corners"], 0.5) == once
    assert all(np.array_equal(before[name], outputs[name]) for name in before)
