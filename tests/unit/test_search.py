"""The search for settings: what may stand in its file, that it goes on where it was, and what it leaves behind."""

from __future__ import annotations

import json
import tomllib

import pytest

from edge.errors import ConfigError
from train.cli import main
from train.config import load_experiment
from train.data.synth.labelled import draw_crops
from train.search import report
from train.search.report import Trial, best_of, ranked
from train.search.space import changed, load_search, shortened

BASE = """
name = "tiny"
kind = "reader"
expected = "a smaller loss"
warmup = 10
decay = 20
start = "from.weights.h5"
[mixture]
drawn = 1.0
blank = 0.0
[network]
widths = [4, 8, 8, 8, 16]
units = 8
[[phase]]
steps = 30
batch = 2
width = 128
height = 48
[[phase]]
steps = 70
batch = 2
width = 128
height = 48
"""
SEARCH = """
base = "tiny.toml"
steps = 4
every = 2
trials = 3
metric = "characters"
[ranges]
rate = { low = 1e-4, high = 1e-2, log = true }
phase.batch = { low = 2, high = 3 }
"network.widths" = { choices = [[4, 8, 8, 8, 16], [8, 8, 8, 8, 8]] }
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "tiny.toml").write_text(BASE.replace('start = "from.weights.h5"\n', ""))
    (tmp_path / "search.toml").write_text(SEARCH)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tiny.toml", "tony.toml", "base: tony.toml: no such file"),
        ("rate = {", "raet = {", "unknown setting 'raet'; did you mean 'rate'"),
        ("phase.batch", "phase.bach", "unknown phase.bach: key 'bach'; did you mean 'batch'"),
        ('"network.widths"', '"netwrok.widths"', "did you mean 'network'"),
        ("low = 1e-4", "low = 1.0", "rate: low must be less than high"),
        ("low = 1e-4", "least = 1.0", "rate: a range is"),
        ("every = 2", "every = 5", "every at most steps"),
        ("trials = 3", "trails = 3", "did you mean 'trials'"),
        ("[ranges]", 'pruner = "hedge"\n[ranges]', "must be one of median, hyperband, none"),
        ("[ranges]", "ranges", "not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(files, old, new, words):
    (files / "search.toml").write_text(SEARCH.replace(old, new))
    with pytest.raises(ConfigError, match=words) as refusal:
        load_search(files / "search.toml")
    assert "search.toml" in str(refusal.value)


def test_the_shipped_searches_are_valid():
    from train.finetune.start import SHIPPED

    found = [load_search(path) for path in sorted((SHIPPED.parent / "experiments/search").glob("*.toml"))]
    assert {search.experiment.kind for search in found} == {"reader", "detector"}


def test_a_trial_is_a_small_picture_of_the_whole(files):
    search = load_search(files / "search.toml")
    small = shortened(search.table, search.experiment, 10)
    assert [phase["steps"] for phase in small["phase"]] == [3, 7]
    assert (small["warmup"], small["decay"]) == (1, 2)


def test_a_value_goes_where_its_name_says(files):
    search = load_search(files / "search.toml")
    new = changed(search.table, {"rate": 0.5, "network.units": 12, "phase.batch": 9, "sources.gate": 2.0})
    assert (new["rate"], new["network"]["units"], new["sources"], [phase["batch"] for phase in new["phase"]]) == (0.5, 12, {"gate": 2.0}, [9, 9])
    assert search.table["network"]["units"] == 8


def test_what_was_given_up_is_never_the_best():
    trials = [
        Trial(1, "pruned", 0.9, 2, 1.0, {}),
        Trial(2, "complete", 0.5, 4, 1.0, {}),
        Trial(3, "burst", None, 1, 1.0, {}),
        Trial(4, "complete", -2.0, 4, 1.0, {}),
    ]
    assert [one.number for one in ranked(trials)] == [2, 4, 1, 3]
    assert best_of(trials).number == 2
    assert best_of(trials[:1]) is None


@pytest.fixture
def fake_fit(monkeypatch):
    """A training whose figure is its rate, so that the search has something to find; `after` stops it there as Ctrl-C does."""
    pytest.importorskip("optuna", reason="Optuna is not installed; ./setup.sh test installs it")
    pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")
    from train import fit as fitting

    calls = []

    def fit(path, data, validation, out, every, watch, after=[]):  # noqa: B006  (the tests reach in)
        experiment = load_experiment(path)
        calls.append((path.name, experiment.rate))
        out.mkdir(parents=True, exist_ok=True)
        if len(calls) in after:
            raise KeyboardInterrupt
        for step in range(every, experiment.steps + 1, every):
            figures = {"characters": experiment.rate}
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps({"step": step, **figures}) + "\n")
            watch(step, figures)

    monkeypatch.setattr(fitting, "fit", fit)
    fit.calls, fit.after = calls, fit.__defaults__[0]
    yield fit
    fit.after.clear()


def test_a_search_that_was_stopped_goes_on_with_the_trial_it_was_in(files, fake_fit, monkeypatch):
    monkeypatch.setattr(report, "plot_trials", lambda *_: None)
    valid = str(draw_crops(files / "valid", 2))
    call = ["search", str(files / "search.toml"), "--validate", valid, "--trials", "4"]
    assert main([*call, "--out", str(files / "whole")]) == 0
    whole = list(fake_fit.calls)
    fake_fit.calls.clear()
    fake_fit.after.append(3)
    assert main([*call, "--out", str(files / "parts")]) == 130
    assert json.loads((files / "parts/trials.json").read_text())["best"] is not None, "Ctrl-C keeps what was done"
    assert main([*call, "--out", str(files / "parts")]) == 0
    assert fake_fit.calls == [*whole[:3], *whole[2:]]
    done = [json.loads((files / name / "trials.json").read_text()) for name in ("whole", "parts")]
    assert [one["values"] for one in done[0]["trials"]] == [one["values"] for one in done[1]["trials"]]
    assert main([*call, "--out", str(files / "parts")]) == 0
    assert len(fake_fit.calls) == 5, "four are done: nothing is left to do"


def test_the_best_is_an_experiment_of_full_length_and_the_tables_agree(files, fake_fit):
    call = ["search", str(files / "search.toml"), "--validate", str(draw_crops(files / "valid", 2)), "--out", str(files / "out")]
    assert main(call) == 0
    found = json.loads((files / "out/trials.json").read_text())
    complete = [one for one in found["trials"] if one["state"] == "complete"]
    best = max(complete, key=lambda one: one["value"])
    assert found["best"] == best["number"]
    experiment = load_experiment(files / "out/best.toml")
    assert (experiment.rate, experiment.steps) == (best["values"]["rate"], 100)
    assert tomllib.loads((files / "out/best.toml").read_text())["network"]["widths"] == best["values"]["network.widths"]
    assert f"| {best['number']} | complete |" in (files / "out/trials.md").read_text()
    assert (files / "out/search.png").stat().st_size > 1000


def test_another_search_in_the_same_folder_is_refused(files, fake_fit, capsys):
    call = ["search", str(files / "search.toml"), "--validate", str(draw_crops(files / "valid", 2)), "--out", str(files / "out"), "--trials", "1"]
    assert main(call) == 0
    (files / "search.toml").write_text(SEARCH.replace("high = 1e-2", "high = 1e-1"))
    assert main(call) == 1
    assert "holds a search with another search" in capsys.readouterr().err


def test_a_metric_that_the_check_does_not_have_is_named(files, fake_fit, capsys):
    (files / "search.toml").write_text(SEARCH.replace('"characters"', '"exakt"'))
    assert main(["search", str(files / "search.toml"), "--validate", str(draw_crops(files / "valid", 2)), "--out", str(files / "out")]) == 1
    assert "no 'exakt' here; it has characters" in capsys.readouterr().err


def test_a_missing_optuna_is_a_sentence_with_the_command(files, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(["search", str(files / "search.toml"), "--validate", str(draw_crops(files / "valid", 2)), "--out", str(files / "out")]) == 1
    assert "pip install optuna" in capsys.readouterr().err


def test_a_trial_really_trains(files):
    """The one test here with a network: two tiny trials on drawn plates."""
    pytest.importorskip("optuna", reason="Optuna is not installed; ./setup.sh test installs it")
    pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")
    (files / "search.toml").write_text(SEARCH.replace("steps = 4", "steps = 2").replace("every = 2", "every = 1"))
    call = ["search", str(files / "search.toml"), "--validate", str(draw_crops(files / "valid", 3)), "--out", str(files / "out"), "--trials", "1"]
    assert main(call) == 0
    assert (files / "out/trials/001/average.weights.h5").is_file()
    assert not (files / "out/trials/001/state.npz").exists()
    (trial,) = json.loads((files / "out/trials.json").read_text())["trials"]
    assert (trial["state"], trial["steps"]) == ("complete", 2)
