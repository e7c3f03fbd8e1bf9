"""Fitting how much the detector and the reader are believed together."""

import numpy as np
import pytest

from convert.witnesses import Heard, Hearing, TooFew, fit, hear, trade
from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.records import Box, Detection, PlateRead, Quad
from edge.telling import belief
from train.data.synth.labelled import draw_scenes

BOX = Box(0, 0, 100, 25)


def _heard(score: float, text: str, confidence: float, plate: bool) -> Heard:
    return Heard(Detection(Quad.from_box(BOX), BOX, score), PlateRead(text, confidence, ()), plate, not plate)


def test_the_fit_believes_the_witness_that_tells_the_truth():
    """The reader knows, the detector guesses: after the fit its confidence weighs and the score does not."""
    rng = np.random.default_rng(1)
    heard = []
    for _ in range(600):
        plate = bool(rng.random() < 0.5)
        confidence = float(np.clip(rng.normal(0.8 if plate else 0.2, 0.12), 0.01, 0.99))
        heard.append(_heard(float(rng.uniform(0.3, 0.9)), "AB12CD", confidence, plate))
    fitted = fit(heard)
    assert fitted.confidence > 1.0
    assert abs(fitted.score) < 0.5
    sure = [belief(one.detection, one.read, fitted) for one in heard]
    assert np.mean([(p > 0.5) == one.plate for p, one in zip(sure, heard, strict=True)]) > 0.95


def test_the_trade_counts_plates_that_nobody_reported():
    heard = [_heard(0.9, "AB12CD", 0.9, True), _heard(0.5, "", 0.0, False)]
    low, high = trade(Hearing(heard, 4, 2), [0.9, 0.5], (0.3, 0.6))
    assert low == {"limit": 0.3, "recall": 0.25, "precision": 0.5, "false_per_empty": 0.5}
    assert high == {"limit": 0.6, "recall": 0.25, "precision": 1.0, "false_per_empty": 0.0}


def test_a_handful_of_photographs_is_refused(tmp_path):
    folder = draw_scenes(tmp_path / "few", 2, 1)
    with pytest.raises(TooFew, match="--data"):
        hear([folder], Detector.load(), Reader.load())
