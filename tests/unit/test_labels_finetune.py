"""From a correction on the device to a network that has learnt from it: what is exported is trained on as it is."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from edge.cli import main as platewatch
from edge.config import load
from edge.labels.book import Labels
from edge.records import Character
from edge.shapes import Quad
from edge.store import Store
from edge.tracking.judge import jpeg
from tests.builders import an_event
from tests.converting import eagerly
from tests.unit.test_finetune import TINY
from train.cli import main as train
from train.data.formats.native import read_folder
from train.data.reading import load_crops
from train.data.synth.labelled import draw_crops
from train.finetune import gather as gathering

MANY = 44
AT = (400, 300)
"""Where in the frame the crops were cut."""


@pytest.fixture
def exported(tmp_path):
    """Drawn plates as events that a person went through: every third was read wrongly, and one is no plate."""
    drawn = read_folder(draw_crops(tmp_path / "drawn", MANY, seed=5, country="hr"))
    (tmp_path / "c.toml").write_text('[store]\npath = "events.sqlite"\n')
    config = load(tmp_path / "c.toml")
    with Store(config.store.path) as store:
        book = Labels(store, config)
        for number, image in enumerate(drawn):
            (plate,) = image.plates
            read = plate.text if number % 3 else f"{plate.text[:-1]}{'0' if plate.text[-1] != '0' else '1'}"
            quad = Quad.from_array(Quad.from_box(plate.box).array() + np.array(AT))
            sure = tuple(Character(char, 0.9) for char in read)
            shown = jpeg(cv2.imread(str(image.path)))
            store.add(an_event(str(number), read, characters=sure, quad=quad, lines=plate.lines, crop_jpeg=shown, crop_at=AT, country="hr"))
            book.correct(str(number), plate.text, "anna")
        store.add(an_event("wall", "WALL", crop_jpeg=jpeg(np.full((40, 120, 3), 90, np.uint8)), crop_at=AT))
        book.not_a_plate("wall", "anna")
    assert platewatch(["export-labels", str(tmp_path / "corrections"), "--config", str(tmp_path / "c.toml")]) == 0
    return drawn, tmp_path / "corrections"


def test_what_training_loads_is_what_was_labelled(exported):
    """Text, lines and box of each plate; the picture but for its JPEG."""
    drawn, folder = exported
    crops = load_crops(read_folder(folder))
    expected = load_crops(drawn)[::-1]
    assert [(crop.text, crop.lines) for crop in crops] == [(crop.text, crop.lines) for crop in expected]
    for crop, truth in zip(crops, expected, strict=True):
        assert np.allclose([crop.box.x0, crop.box.y0, crop.box.x1, crop.box.y1], [truth.box.x0, truth.box.y0, truth.box.x1, truth.box.y1], atol=0.11)
        assert crop.luma.shape == truth.luma.shape
        assert np.abs(crop.luma.astype(int) - truth.luma).mean() < 6
    assert sum(json.loads(line)["judgement"] == "corrected" for line in (folder / "labels.jsonl").read_text().splitlines()) == 15


def test_corrections_can_be_prepared_with_other_photographs(exported, tmp_path, capsys):
    """`train prepare` finds nothing wrong with them."""
    assert train(["prepare", str(exported[1]), "--check"]) == 0
    told = capsys.readouterr().out
    assert "broken" not in told


def test_a_reader_is_fine_tuned_on_corrections(exported, tmp_path, monkeypatch):
    """The device's folder and nothing else, as `train finetune` takes it: a fifth is set aside, a step is made of corrections and drawn plates."""
    pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")
    from train.fit import fit

    monkeypatch.setattr(gathering, "DRAWN_CROPS", 6)
    parts = gathering.gather(gathering.Given([exported[1]]), "reader", tmp_path / "data", seed=1)
    assert (parts.own, [folder.name for folder in parts.train]) == (24, ["corrections"])
    mixture = "real = 0.7\ndrawn = 0.2\nblank = 0.1\n"
    (tmp_path / "tiny.toml").write_text(TINY.replace("drawn = 1.0\nblank = 0.0\n", mixture))
    with eagerly():
        fit(tmp_path / "tiny.toml", parts.train, parts.new, tmp_path / "run")
    papers = json.loads((tmp_path / "run/provenance.json").read_text())
    assert "corrections" in papers["data"]
    assert (tmp_path / "run/average.weights.h5").is_file()
