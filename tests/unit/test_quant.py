"""Numbers in int8 and back."""

from __future__ import annotations

import numpy as np

from edge.vision.quant import Scale, normalise, quantize_luma, sigmoid, softmax


def test_the_table_gives_what_the_arithmetic_gives():
    luma = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for scale in (Scale(1 / 128, 0), Scale(0.0079, -3), Scale(0.02, 10)):
        assert np.array_equal(quantize_luma(luma, scale.luma_table()), scale.quantize(normalise(luma)))


def test_with_a_scale_of_a_128th_luma_and_int8_differ_by_128():
    luma = np.arange(256, dtype=np.uint8)
    assert np.array_equal(Scale(1 / 128, 0).quantize(normalise(luma)).astype(int), luma.astype(int) - 128)


def test_there_and_back_is_off_by_half_a_step_at_most():
    scale = Scale(0.03, 5)
    values = np.linspace(-3.9, 3.6, 500, dtype=np.float32)
    assert np.abs(scale.dequantize(scale.quantize(values)) - values).max() <= 0.0151


def test_large_logits_do_not_overflow():
    extremes = np.array([-1e4, 0, 1e4], np.float32)
    assert sigmoid(extremes).tolist() == [0.0, 0.5, 1.0]
    assert np.isfinite(softmax(extremes)).all()
