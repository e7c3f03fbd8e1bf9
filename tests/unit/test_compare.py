"""Readers side by side: a comparison is one only when all see the same samples; its table and its papers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")

from edge.errors import ConfigError
from train import cli
from train.compare import plan
from train.compare.measure import Measured, interval, wall_seconds
from train.compare.report import write_report
from train.config import load_experiment
from train.data.synth import labelled

SHIPPED = Path(__file__).parents[2] / "train/experiments/compare"
EXPERIMENT = """
name = "{name}"
kind = "reader"
expected = "-"
warmup = 10
decay = 40
seed = {seed}
[mixture]
drawn = 1.0
[network]
architecture = "{name}"
{more}
[[phase]]
steps = {steps}
batch = 2
width = 128
height = 48
"""


@pytest.fixture
def family(tmp_path):
    """A folder of two tiny experiments."""
    folder = tmp_path / "family"
    folder.mkdir()
    write(folder, "cnn", "widths = [4, 4, 4, 4, 4]\nsqueeze = 2\nunits = 8")
    write(folder, "rnn", "units = [4]")
    return folder


def write(folder, name, more="", seed=1, steps=100):
    (folder / f"{name}.toml").write_text(EXPERIMENT.format(name=name, more=more, seed=seed, steps=steps))


def test_the_shipped_family_gets_the_same_samples():
    assert [one.architecture for one in plan.load_family(SHIPPED)] == ["cnn", "crnn", "hybrid", "rnn"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: write(folder, "rnn", seed=2), "seed differ from cnn.toml"),
        (lambda folder: write(folder, "rnn", steps=99), "the number of steps differ from cnn.toml"),
        (lambda folder: (folder / "rnn.toml").rename(folder / "mine.toml"), "must be the file's"),
        (lambda folder: (folder / "rnn.toml").unlink(), "two experiments or more"),
        (lambda folder: write(folder, "rnn", "x = 1\n[sources]\nvn = 2.0"), "sources differ"),
    ],
)
def test_what_is_no_comparison_is_refused_in_one_sentence(family, change, words):
    change(family)
    with pytest.raises(ConfigError, match=words):
        plan.load_family(family)


def test_in_other_steps_every_phase_keeps_its_share():
    hybrid = load_experiment(SHIPPED / "hybrid.toml")
    short = plan.scaled(hybrid, 33)
    assert [phase.steps for phase in short.phases] == [13, 7, 13]
    assert short.steps == 33
    assert [phase.freeze for phase in short.phases] == [phase.freeze for phase in hybrid.phases]
    assert (short.warmup, short.decay) == (3, 13)
    assert plan.scaled(hybrid, hybrid.steps) == hybrid
    with pytest.raises(ConfigError, match="too few"):
        plan.scaled(hybrid, 2)


def test_the_plan_is_an_experiment_that_loads_as_it_was_written(tmp_path):
    for one in plan.load_family(SHIPPED, 50):
        assert load_experiment(plan.write_plan(one, tmp_path)) == one


def test_the_clock_of_a_run_that_was_started_again_is_added_up():
    assert wall_seconds([{"seconds": 10}, {"seconds": 21}, {"seconds": 9}, {"seconds": 18}]) == 39
    assert wall_seconds([{"seconds": 5}]) == 5


def test_the_interval_holds_the_share_and_narrows_with_evidence():
    for share in (0.0, 0.3, 1.0):
        few, many = interval(share, 20), interval(share, 2000)
        assert 0 <= few[0] <= many[0] <= share + 1e-9
        assert share - 1e-9 <= many[1] <= few[1] + 1e-9 <= 1 + 2e-9
    assert interval(0.5, 100) == pytest.approx((0.404, 0.596), abs=1e-3)


def test_the_whole_way_and_a_second_time_without_training(family, tmp_path, capsys, monkeypatch):
    crops, out = labelled.draw_clean_crops(tmp_path / "crops", 3), tmp_path / "out"
    command = ["compare", str(family), "--validate", str(crops), "--out", str(out), "--steps", "4", "--every", "2", "--threads", "1"]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "slots-v1" in said
    written = json.loads((out / "compare.json").read_text())
    assert [one["name"] for one in written["readers"]] == ["cnn", "rnn"]
    assert all(one["samples"] == 8 and one["macs"] > 0 and len(one["curve"]) == 2 for one in written["readers"])
    assert [one["plates"] for one in written["readers"]] == [3, 3]
    assert "| rnn | ctc-rows-v1 |" in (out / "compare.md").read_text()
    assert (out / "compare.png").stat().st_size > 1000

    monkeypatch.setattr("train.compare.measure.fit", lambda *_, **__: pytest.fail("it was trained already"))
    assert cli.main(command) == 0
    assert json.loads((out / "compare.json").read_text()) == written

    provenance = out / "rnn/provenance.json"
    provenance.write_text(json.dumps(json.loads(provenance.read_text()) | {"data": {"other": {"rows": 1}}}))
    assert cli.main(command) == 1
    assert "rnn: learnt from other photographs than" in capsys.readouterr().err

    assert cli.main([*command[:-6], "--steps", "5"]) == 1
    assert "begun with other steps" in capsys.readouterr().err


def test_a_folder_without_crops_is_one_sentence(family, tmp_path, capsys):
    scenes = labelled.draw_scenes(tmp_path / "scenes", 1)
    assert cli.main(["compare", str(family), "--validate", str(scenes), "--out", str(tmp_path / "out")]) == 1
    assert "no cut-out plate" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_numbers_of_steps_that_cannot_be_are_one_sentence(family, tmp_path, capsys):
    assert cli.main(["compare", str(family), "--validate", str(tmp_path), "--steps", "0"]) == 1
    assert "--steps 0: must be 1 or more" in capsys.readouterr().err


def test_a_reader_that_reads_nothing_is_drawn_too(tmp_path):
    """Rounding puts the lower end of its interval a hair above nought, which an error bar does not take."""
    row = Measured("none", "cnn", "slots-v1", 1, 10**6, 1, 48, 1, 100, 0.0, (1e-17, 0.01), 0.2, {}, ((1, 0.0),))
    write_report([row], "one", {}, tmp_path)
    assert (tmp_path / "compare.png").stat().st_size > 1000
