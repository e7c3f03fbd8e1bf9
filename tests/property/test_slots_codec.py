"""The codec with one slot a place: what is encoded for training is decoded on the device."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge.vision import slots_codec
from edge.vision.alphabet import ALPHABET, CLASSES
from edge.vision.quant import softmax
from edge.vision.reader_codecs import READER_CODECS

TEXTS = st.text(ALPHABET, max_size=slots_codec.SLOTS)
LOGITS = arrays.arrays(np.float32, (slots_codec.SLOTS, CLASSES), elements=st.floats(-8, 8, width=32))


@given(TEXTS)
def test_a_label_spells_the_text_that_it_was_made_from(text):
    assert slots_codec.spell(slots_codec.encode(text)) == text


@given(TEXTS)
def test_what_is_encoded_is_decoded(text):
    read = slots_codec.decode(slots_codec.as_logits(text))
    assert read.text == text
    assert [character.char for character in read.characters] == list(text)
    assert len(read.alternatives) == len(text)


@given(st.text(ALPHABET, min_size=slots_codec.SLOTS + 1, max_size=20))
def test_a_text_longer_than_the_slots_is_refused(text):
    with pytest.raises(ValueError, match="longer than 12"):
        slots_codec.encode(text)


@given(LOGITS)
def test_the_confidence_is_the_probability_of_all_slots_and_the_product_over_the_characters(logits):
    """docs/read-json.md promises the product; a doubtful pad must not vanish from it."""
    read = slots_codec.decode(logits)
    if read.text:
        whole = math.prod(float(one) for one in softmax(logits)[np.arange(len(logits)), logits.argmax(axis=-1)])
        assert read.confidence == pytest.approx(whole, rel=1e-4, abs=1e-12)
        assert read.confidence == pytest.approx(math.prod(c.confidence for c in read.characters), rel=1e-6)
    else:
        assert read.confidence == 0.0


@given(LOGITS)
def test_runners_up_are_other_characters_best_first(logits):
    read = slots_codec.decode(logits)
    for best, others in zip(read.characters, read.alternatives, strict=True):
        assert best.char not in {other.char for other in others}
        assert len(others) == 2
        assert others[0].confidence >= others[1].confidence


@given(LOGITS)
def test_decoding_leaves_its_input_alone(logits):
    before = logits.copy()
    assert slots_codec.decode(logits) == slots_codec.decode(logits)
    assert np.array_equal(before, logits)


def test_an_end_that_may_not_be_the_end_makes_the_last_character_unsure():
    logits = slots_codec.as_logits("AB1")
    logits[3, 1 + ALPHABET.index("7")] = 8.9
    read = slots_codec.decode(logits)
    assert read.text == "AB1"
    assert read.characters[1].confidence > 0.99 > 0.6 > read.characters[2].confidence


def test_a_pad_between_two_characters_is_skipped():
    logits = slots_codec.as_logits("AB12")
    logits[1] = slots_codec.as_logits("")[1]
    assert slots_codec.decode(logits).text == "A12"


def test_every_codec_stands_under_its_own_name():
    assert set(READER_CODECS) == {"ctc-rows-v1", "slots-v1"}
    assert all(name == codec.NAME for name, codec in READER_CODECS.items())
