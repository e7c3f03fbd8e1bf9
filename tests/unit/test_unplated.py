"""Scenes without a plate, for the detector to leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from train.data.synth import legends, lookalikes, unplated
from train.data.synth.cast import draw_van


@pytest.mark.parametrize("size", [(256, 320), (288, 384)])
def test_a_scene_has_the_asked_size_and_no_plate(size):
    for seed in range(12):
        luma, plates = unplated.draw(np.random.default_rng(seed), size)
        assert (luma.shape, luma.dtype, plates) == (size, np.uint8, [])


def test_the_same_seed_draws_the_same_scene_and_another_one_another():
    one, same, other = (unplated.draw(np.random.default_rng(seed), (256, 320))[0] for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_what_is_put_into_photographs_is_flat_and_large_enough_to_be_lettering():
    for seed in range(30):
        flat = unplated.flat(np.random.default_rng(seed))
        assert flat.dtype == np.uint8
        assert flat.ndim == 2
        assert min(flat.shape) >= 20


def test_legends_leave_no_gap_unfilled_and_hold_telephone_numbers():
    rng = np.random.default_rng(1)
    said = {legends.legend(rng) for _ in range(400)}
    assert not [text for text in said if "#" in text or not text.strip()]
    assert sum(sum(char.isdigit() for char in text) >= 7 for text in said) > 80


def test_ink_is_as_high_as_asked_and_longer_for_longer_texts():
    rng = np.random.default_rng(2)
    short, long = (lookalikes.ink(rng, text, 40) for text in ("12", "Call 555 0142 today"))
    assert (short.shape[0], long.shape[0]) == (40, 40)
    assert long.shape[1] > 2 * short.shape[1]
    assert short.max() > 200


def test_a_van_carries_what_it_is_told_to():
    bare, lettered = (draw_van(np.random.default_rng(3), words)[0] for words in ((), ("Tel. 030 123456",)))
    assert (bare != lettered).any()
