"""What holds for every fine-tuning and every experiment that a program writes."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.records import Box
from train.data.formats.native import LabelledImage, LabelledPlate
from train.finetune.mixing import ALPHAS, Row, choose
from train.finetune.split import groups, split, texts
from train.toml import write_toml

SHARES = st.floats(0, 1)
WORDS = st.text("aZ0-_. \"'\\\n\r\t\x00\x1f\x7f#=[]{},é日🚗", max_size=6)
PLAIN = st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | WORDS
VALUES = PLAIN | st.lists(PLAIN, max_size=3)
TABLES = st.dictionaries(WORDS, VALUES, max_size=3)


@given(st.dictionaries(WORDS, VALUES | TABLES | st.dictionaries(WORDS, TABLES, max_size=2) | st.lists(TABLES, min_size=1, max_size=2), max_size=4))
def test_what_is_written_as_toml_reads_back_the_same(table):
    assert tomllib.loads(write_toml(table, "written by a test\nin two lines")) == table


@given(st.lists(st.tuples(SHARES, SHARES, SHARES), min_size=len(ALPHAS), max_size=len(ALPHAS)), SHARES)
def test_the_mix_taken_gains_and_never_loses_more_than_allowed(figures, allowed):
    rows = [Row(alpha, {"exact": new}, {"drawn": {"exact": a}, "known": {"exact": b}}) for alpha, (new, a, b) in zip(ALPHAS, figures, strict=True)]
    taken = next(row for row in rows if row.alpha == choose(rows, "reader", allowed, ["drawn", "known"]).alpha)
    assert taken.new["exact"] >= rows[0].new["exact"] - 1e-6
    for name in ("drawn", "known"):
        assert taken.known[name]["exact"] >= rows[0].known[name]["exact"] - allowed - 1e-8


@given(st.lists(st.tuples(st.lists(st.sampled_from("ABCDEFGHIJ"), max_size=2), st.sampled_from([None, "day", "night"])), max_size=40), st.integers(0, 9))
def test_a_split_loses_no_picture_and_parts_no_plate(shown, seed):
    images = [
        LabelledImage(Path(f"{n}.png"), 10, 10, "mine", None, tuple(LabelledPlate(Box(0, 0, 5, 2), None, text, 1, None) for text in plates), session=session)
        for n, (plates, session) in enumerate(shown)
    ]
    for kind in ("reader", "detector"):
        train, aside = split(images, kind, 0.2, 3, 100, seed)
        assert texts(train) & texts(aside) == set()
        assert sorted([*train, *aside], key=lambda one: one.path) == sorted(images, key=lambda one: one.path)
        assert sorted(index for group in groups(images, kind) for index in group) == list(range(len(images)))
