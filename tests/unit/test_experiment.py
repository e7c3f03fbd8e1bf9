"""Experiment files and the learning rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import ConfigError
from train.config import learning_rate, load_experiment

SHIPPED = sorted((Path(__file__).parents[2] / "train/experiments").glob("*.toml"))
PHASE = "[[phase]]\nsteps = 5\nbatch = 2\nwidth = 64\nheight = 32\n"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_experiment_is_valid_and_states_what_to_expect(path):
    assert load_experiment(path).expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nmae = 'x'\n", "did you mean 'name'"),
        ("name = 'x'\nkind = 'painter'\nexpected = '-'\n" + PHASE, "must be one of detector, reader"),
        ("name = 'x'\nkind = 'reader'\nexpected = '-'\n", "at least one"),
        ("name = 'x'\nkind = 'reader'\n" + PHASE, "expected"),
        ("name = \n", "not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as refusal:
        load_experiment(path)
    assert str(path) in str(refusal.value)


def test_the_rate_rises_stays_and_falls():
    rates = [learning_rate(step, 1000, 0.1, 100, 200) for step in range(1000)]
    assert rates[0] < rates[50] < rates[100] == rates[700] == 0.1
    assert rates[800] > rates[900] > rates[999] > 0


def test_a_longer_run_has_the_same_rates_until_the_shorter_one_begins_to_fall():
    short, long = ([learning_rate(step, steps, 0.1, 100, 200) for step in range(800)] for steps in (1000, 5000))
    assert short == long
