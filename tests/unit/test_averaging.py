"""Averaging the weights of several runs."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("h5py", reason="the training side is not installed; ./setup.sh test installs it")

import h5py

from edge.errors import ConfigError
from train import averaging, cli


def a_run(folder, value, source, shape=(2, 3)):
    folder.mkdir()
    with h5py.File(folder / averaging.WEIGHTS, "w") as file:
        file.create_dataset("layers/conv/vars/0", data=np.full(shape, value, np.float32))
        file.attrs["keras"] = "3"
    (folder / "experiment.toml").write_text(f'name = "{folder.name}"\n')
    (folder / "provenance.json").write_text(json.dumps({"experiment": folder.name, "seed": 1, "data": {source: {"rows": 1}}, "starts": []}))
    return folder


def weights(folder):
    with h5py.File(folder / averaging.WEIGHTS) as file:
        return np.asarray(file["layers/conv/vars/0"]), dict(file.attrs)


def test_weights_are_the_mean_by_shares_and_the_papers_name_all_that_was_learnt_from(tmp_path):
    runs = [a_run(tmp_path / "a", 1.0, "first"), a_run(tmp_path / "b", 5.0, "second")]
    out = averaging.average(runs, [3, 1], tmp_path / "mean")
    values, attributes = weights(out)
    assert np.array_equal(values, np.full((2, 3), 2.0, np.float32))
    assert attributes["keras"] == "3"
    papers = json.loads((out / "provenance.json").read_text())
    assert sorted(papers["data"]) == ["first", "second"]
    assert [(one["experiment"], one["share"]) for one in papers["averaged"]] == [("a", 0.75), ("b", 0.25)]
    assert papers["averaged"][0]["weights_sha256"] != papers["averaged"][1]["weights_sha256"]


def test_runs_of_different_networks_are_refused(tmp_path):
    runs = [a_run(tmp_path / "a", 1.0, "x"), a_run(tmp_path / "b", 1.0, "x", shape=(3, 3))]
    with pytest.raises(ConfigError, match="another network"):
        averaging.average(runs, [1, 1], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


@pytest.mark.parametrize("shares", ["1", "1,-1", "0,0", "a,b"])
def test_shares_that_do_not_fit_are_one_sentence(tmp_path, capsys, shares):
    runs = [str(a_run(tmp_path / name, 1.0, "x")) for name in "ab"]
    assert cli.main(["average", *runs, "--shares", shares, "--out", str(tmp_path / "mean")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_is_no_run_or_a_place_that_is_taken_is_named(tmp_path, capsys):
    first = a_run(tmp_path / "a", 1.0, "x")
    assert cli.main(["average", str(first), str(tmp_path), "--out", str(tmp_path / "mean")]) == 1
    assert "no average.weights.h5 there" in capsys.readouterr().err
    assert cli.main(["average", str(first), str(first), "--out", str(first)]) == 1
    assert "exists already" in capsys.readouterr().err
    (tmp_path / "broken").mkdir()
    for name in (averaging.WEIGHTS, "experiment.toml", "provenance.json"):
        (tmp_path / "broken" / name).write_text("no weights")
    assert cli.main(["average", str(first), str(tmp_path / "broken"), "--out", str(tmp_path / "mean")]) == 1
    assert "no weights of Keras" in capsys.readouterr().err
