"""Training on drawn plates alone: it learns, it resumes where it stopped, it stops at a loss that is no number."""

from __future__ import annotations

import json

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")

from tests.converting import eagerly  # noqa: E402
from train import fit as fitting  # noqa: E402
from train.data import finding, reading  # noqa: E402
from train.data.batches import draw_batch  # noqa: E402
from train.data.synth.scenes import SceneArtist  # noqa: E402
from train.models.detector import build_detector, for_training  # noqa: E402
from train.models.losses import detector_loss, reader_loss  # noqa: E402

TINY = """
name = "tiny"
kind = "reader"
expected = "a smaller loss"
rate = 2e-3
warmup = 2
decay = 1
[mixture]
drawn = 1.0
blank = 0.0
[network]
widths = [4, 8, 8, 8, 16]
units = 8
[[phase]]
steps = 6
batch = 4
width = 128
height = 48
"""


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_a_detector_learns_a_batch_by_heart():
    """As the readers do in test_readers."""
    keras.utils.set_random_seed(0)
    model = for_training(build_detector(None, None, widths=(8, 8, 16, 16, 16)))
    model.compile(optimizer=keras.optimizers.Adam(5e-3), loss=detector_loss, jit_compile=False)
    luma, target = draw_batch(finding.DrawnScenes(SceneArtist().draw, 128, 96), 0, 0, 6)
    losses = [float(model.train_on_batch(luma, target)) for _ in range(25)]
    assert losses[-1] < 0.7 * losses[0]


def test_an_unreadable_target_teaches_nothing_and_breaks_nothing():
    """More equal characters than steps: CTC has no path, and its loss is infinite."""
    output = np.zeros((2, 8, 37), np.float32)
    target = np.stack([reading.target("11111111", 8), reading.target("A1", 2)])
    assert np.isfinite(float(reader_loss(target, output)))


def test_a_stopped_run_goes_on_as_if_it_had_never_stopped(experiment, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fitting.fit(experiment, [], [], whole, every=6)
    with eagerly():
        fitting.fit(experiment, [], [], parts, steps=6, every=3)
    with np.load(parts / "state.npz") as state:
        assert int(state["step"]) == 6
    (parts / "state.npz").unlink()

    stopped = tmp_path / "stopped"

    class Enough(Exception):
        pass

    real, seen = fitting.every_batch, []

    def three(*arguments):
        for batch in real(*arguments):
            if len(seen) == 4:
                raise Enough
            seen.append(1)
            yield batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "every_batch", three)
        with pytest.raises(Enough):
            fitting.fit(experiment, [], [], stopped, every=3)
    fitting.fit(experiment, [], [], stopped, every=3)
    with np.load(whole / "state.npz") as expected, np.load(stopped / "state.npz") as actual:
        assert int(actual["step"]) == 6
        for name in expected.files:
            if name.startswith("a"):
                assert np.allclose(expected[name], actual[name], atol=1e-4), name
    starts = json.loads((stopped / "provenance.json").read_text())["starts"]
    assert [start["step"] for start in starts] == [0, 3]
    assert (stopped / "curves.png").stat().st_size > 1000


def test_a_loss_that_is_no_number_stops_the_run(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_: float("nan"))
    with pytest.raises(fitting.TrainingStopped, match="at step 0"):
        fitting.fit(experiment, [], [], tmp_path / "run")
