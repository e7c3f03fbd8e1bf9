"""Training in stages: what is frozen stays as it is, down to its statistics, and a stopped run goes on in the right stage."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")

from edge.errors import ConfigError  # noqa: E402
from tests.converting import eagerly  # noqa: E402
from train import fit as fitting  # noqa: E402
from train.config import load_experiment  # noqa: E402
from train.models.readers import reader_network  # noqa: E402
from train.stages import begins_stage  # noqa: E402

PHASE = """
[[phase]]
steps = 2
batch = 2
width = 128
height = 48
{more}
"""
STAGED = """
name = "staged"
kind = "reader"
expected = "-"
warmup = 1
decay = 1
average = 0.0
[mixture]
drawn = 1.0
[network]
architecture = "cnn"
widths = [4, 4, 4, 4, 4]
squeeze = 2
units = 4
"""
CONVOLUTIONS = '["stem", "at", "down", "squeeze"]'


def write(folder, *phases):
    path = folder / "staged.toml"
    path.write_text(STAGED + "".join(PHASE.format(more=more) for more in phases))
    return path


def weights(run):
    """The run's variables by their paths."""
    model = reader_network(load_experiment(run / "experiment.toml")).model
    with np.load(run / "state.npz") as state:
        return {variable.path: state[f"m{number}"] for number, variable in enumerate(model.weights)}


def moved(before, after, names):
    return [name for name in names if not np.allclose(before[name], after[name], atol=1e-6)]


def test_a_frozen_part_stays_as_it_is_down_to_its_statistics(tmp_path):
    path = write(tmp_path, 'freeze = ["heads"]', f"freeze = {CONVOLUTIONS}", "rate = 0.5")
    stages = []
    for steps in (2, 4, 6):
        with eagerly():
            fitting.fit(path, [], [], tmp_path / "run", steps=steps, every=2)
        stages.append(weights(tmp_path / "run"))
    first, second, third = stages
    begun = {variable.path: np.asarray(variable) for variable in reader_network(load_experiment(path)).model.weights}
    heads = [name for name in first if name.startswith("heads")]
    convolutions = [name for name in first if not name.startswith(("heads", "mix"))]
    statistics = [name for name in convolutions if "moving_mean" in name]
    assert statistics
    assert not first["heads/bias"].any()
    assert moved(begun, first, statistics) == statistics
    assert moved(first, second, convolutions) == []
    assert moved(first, second, heads) == heads
    assert moved(second, third, [*statistics, *heads]) == [*statistics, *heads]


def test_a_stage_begins_where_other_layers_begin_to_learn(tmp_path):
    experiment = load_experiment(write(tmp_path, 'freeze = ["stem"]', 'freeze = ["stem"]\nrate = 0.1', ""))
    assert [step for step in range(9) if begins_stage(experiment, step)] == [4]


def test_a_stage_begins_with_a_fresh_optimizer_whether_the_run_was_stopped_before_it_or_not(tmp_path, monkeypatch):
    path = write(tmp_path, 'freeze = ["heads"]', "")
    fitting.fit(path, [], [], tmp_path / "whole", every=2)  # in one graph after the other, as always
    real, seen = fitting.every_batch, []

    def two(*arguments):
        for batch in real(*arguments):
            if len(seen) == 2:
                raise KeyboardInterrupt
            seen.append(1)
            yield batch

    monkeypatch.setattr(fitting, "every_batch", two)
    with eagerly():
        with pytest.raises(KeyboardInterrupt):
            fitting.fit(path, [], [], tmp_path / "parts", every=2)
        monkeypatch.undo()
        fitting.fit(path, [], [], tmp_path / "parts", every=2)
    for run in ("whole", "parts"):
        with np.load(tmp_path / run / "state.npz") as state:
            assert int(state["step"]) == 4
            assert int(state["o0"]) == 2, "the optimizer counts the steps of its stage"
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(np.allclose(whole[name], parts[name], atol=5e-3) for name in whole)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('freeze = ["nosuch"]', "no layer's name begins so; those with weights are stem_conv"),
        ('freeze = ["stem", "at", "down", "squeeze", "mix", "heads"]', "freezes every layer"),
    ],
)
def test_a_freeze_that_cannot_be_is_one_sentence(tmp_path, more, words):
    with pytest.raises(ConfigError, match=words):
        fitting.fit(write(tmp_path, more), [], [], tmp_path / "run")


def test_freeze_must_be_a_list_of_names(tmp_path):
    with pytest.raises(ConfigError, match="must be a list"):
        load_experiment(write(tmp_path, 'freeze = "front"'))
