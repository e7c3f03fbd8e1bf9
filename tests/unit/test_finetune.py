"""Fine-tuning: what it learns from, what it measures on, and which mix of old and new weights it takes."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from edge.records import Box
from tests.converting import eagerly
from train.cli import main
from train.data.formats.native import LabelledImage, LabelledPlate, find_folders, read_folder
from train.data.synth.labelled import draw_crops
from train.finetune import gather as gathering
from train.finetune.gather import Given, gather
from train.finetune.mixing import Row, choose, mix
from train.finetune.parts import LONGEST, write_part
from train.finetune.split import split, texts

TINY = """
name = "tiny"
kind = "reader"
expected = "a smaller loss"
rate = 6e-2
warmup = 1
decay = 1
[mixture]
drawn = 1.0
blank = 0.0
[network]
widths = [4, 8, 8, 8, 16]
units = 8
[[phase]]
steps = 1
batch = 2
width = 128
height = 48
"""


def a_picture(path, text="AB123", session=None, crop=True):
    plate = LabelledPlate(Box(10, 10, 60, 30), None, text, 1, None)
    return LabelledImage(path, 100, 50, "mine", None, (plate,) if text is not None else (), crop=crop, session=session)


def a_row(alpha, new, **known):
    return Row(alpha, {"exact": new, "characters": new}, {name: {"exact": value} for name, value in known.items()})


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    return draw_crops(tmp_path_factory.mktemp("drawn") / "gate", 60, seed=5, country="hr")


@pytest.fixture
def few_drawn(monkeypatch):
    monkeypatch.setattr(gathering, "DRAWN_CROPS", 6)
    monkeypatch.setattr(gathering, "DRAWN_SCENES", 2)


def test_the_mix_that_gains_most_without_losing_too_much_is_taken():
    rows = [a_row(0.0, 0.80, drawn=0.60), a_row(0.5, 0.90, drawn=0.595), a_row(1.0, 0.95, drawn=0.50)]
    choice = choose(rows, "reader", 0.01, ["drawn"])
    assert choice.alpha == 0.5
    assert "drawn loses 10.0 points" in choice.warnings[0]
    assert choose(rows, "reader", 0.2, ["drawn"]) == choose(rows, "reader", 0.01, [])
    assert choose(rows, "reader", 0.2, ["drawn"]).alpha == 1.0


def test_between_equals_the_nearer_to_the_start_is_taken():
    assert choose([a_row(0.0, 0.5), a_row(0.25, 0.7), a_row(1.0, 0.7)], "reader", 0.01, []).alpha == 0.25


def test_where_nothing_is_gained_the_start_is_kept_and_said():
    choice = choose([a_row(0.0, 0.9, drawn=0.5), a_row(1.0, 0.9, drawn=0.6)], "reader", 0.01, ["drawn"])
    assert (choice.alpha, len(choice.warnings)) == (0.0, 1)
    assert "start weights are kept" in choice.warnings[0]


def test_a_mix_lies_between_its_ends():
    ends = [np.array([0.0, 2.0], np.float32)], [np.array([4.0, 2.0], np.float32)]
    assert [mix(*ends, alpha)[0].tolist() for alpha in (0.0, 0.25, 1.0)] == [[0.0, 2.0], [1.0, 2.0], [4.0, 2.0]]


def test_no_plate_stands_on_both_sides_of_a_split(tmp_path):
    images = [a_picture(tmp_path / f"{n}.png", f"AB{n % 30}") for n in range(120)]
    train, aside = split(images, "reader", 0.2, 20, 400, seed=3)
    assert texts(train) & texts(aside) == set()
    assert (len(train), len(aside)) == (96, 24)
    assert split(images, "reader", 0.2, 20, 400, seed=3) == (train, aside)


def test_the_detector_keeps_a_session_on_one_side(tmp_path):
    images = [a_picture(tmp_path / f"{n}.png", f"AB{n}", session=f"day {n % 10}", crop=False) for n in range(200)]
    train, aside = split(images, "detector", 0.2, 20, 400, seed=3)
    assert {image.session for image in train} & {image.session for image in aside} == set()
    assert len(aside) == 40


def test_a_reader_gets_plates_cut_out_of_photographs_and_a_detector_gets_them_smaller(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (1000, 2 * LONGEST)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "street.png"), picture)
    plate = LabelledPlate(Box(400, 500, 500, 530), None, "AB123", 1, "hr")
    photograph = LabelledImage(tmp_path / "street.png", 2 * LONGEST, 1000, "gate", "hr", (plate,), ignored=(Box(0, 0, 100, 20),))
    (cut,) = read_folder(write_part(tmp_path / "cut", [photograph], "reader"))
    assert (cut.crop, cut.width, cut.height, cut.source) == (True, 160, 48, "cut")
    assert cut.plates[0].text == "AB123"
    seen = cv2.imread(str(cut.path), cv2.IMREAD_GRAYSCALE)[9:39, 30:130]
    assert np.array_equal(seen, picture[500:530, 400:500])
    (small,) = read_folder(write_part(tmp_path / "small", [photograph], "detector"))
    assert (small.width, small.height, small.plates[0].box, small.ignored) == (LONGEST, 500, Box(200, 250, 250, 265), (Box(0, 0, 50, 10),))


def test_a_fifth_is_set_aside_and_every_part_is_a_labelled_folder(own, tmp_path, few_drawn):
    parts = gather(Given([own]), "reader", tmp_path / "data", seed=1)
    assert [folder.name for folder in parts.train] == ["gate"]
    train, new = (read_folder(folder) for folder in (*parts.train, *parts.new))
    assert (len(train), len(new)) == (40, 20)
    assert texts(train) & texts(new) == set()
    assert "20 of your plates were set aside" in parts.notes[0]
    assert len(read_folder(parts.known["drawn"][0])) == 6
    assert all(image.path.is_symlink() for image in train), "what needs no change is not copied"


def test_plates_to_validate_on_are_not_learnt_from(own, tmp_path, few_drawn):
    some = tmp_path / "some"
    shutil.copytree(own, some)
    lines = (some / "labels.jsonl").read_text().splitlines(keepends=True)
    (some / "labels.jsonl").write_text("".join(lines[:25]))
    parts = gather(Given([own], [some]), "reader", tmp_path / "data", seed=1)
    assert (parts.own, len(read_folder(parts.new[0]))) == (35, 25)
    assert "25 pictures" in parts.notes[0]


def test_photographs_whose_plates_are_cut_out_beside_them_do_not_count_twice(own, tmp_path, few_drawn):
    scenes, crops = tmp_path / "gate", tmp_path / "gate_crops"
    for folder in (scenes, crops):
        shutil.copytree(own, folder)
    (scenes / "labels.jsonl").write_text((own / "labels.jsonl").read_text().replace('"crop": true', '"crop": false'))
    both = gather(Given([scenes, crops]), "reader", tmp_path / "both", seed=1)
    alone = gather(Given([scenes]), "reader", tmp_path / "alone", seed=1)
    assert (both.own, alone.own) == (40, 40)
    assert [folder.name for folder in (*both.train, *alone.train)] == ["gate_crops", "gate"]


def test_kept_photographs_are_split_too_and_their_names_do_not_clash(own, tmp_path, few_drawn):
    keep = draw_crops(tmp_path / "gate", 50, seed=6)
    parts = gather(Given([own], keep=[keep]), "reader", tmp_path / "data", seed=1)
    assert [folder.name for folder in parts.train] == ["gate", "kept-gate"]
    assert parts.kept_sources == ["kept-gate"]
    assert parts.kept + len(read_folder(parts.known["kept"][0])) == 50


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--from", "raeder"], "raeder: no experiment.toml nor average.weights.h5 there; --from takes one of detector, reader"),
        (["--from", "reader", "--country", "hrv"], "no country 'hrv'; did you mean 'hr'?"),
        (["--from", "reader", "--steps", "0"], "--steps: 0 is not more than 0"),
        (["--from", "detector"], "no plates in whole photographs there"),
    ],
)
def test_a_mistake_is_one_sentence(own, tmp_path, capfd, words, sentence):
    assert main(["finetune", *words, "--data", str(own), "--out", str(tmp_path / "run")]) == 1
    said = capfd.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


def test_too_few_plates_to_split_are_refused(own, tmp_path, few_drawn):
    some = tmp_path / "some"
    shutil.copytree(own, some)
    lines = (some / "labels.jsonl").read_text().splitlines(keepends=True)
    (some / "labels.jsonl").write_text("".join(lines[:30]))
    with pytest.raises(gathering.DataError, match=r"30 plates with a text are too few.*--validate"):
        gather(Given([some]), "reader", tmp_path / "data", seed=1)


def test_a_bundle_leads_to_the_float_weights_it_was_made_from(tmp_path):
    from train.finetune.start import SHIPPED, BundleError, file_hash, find_start

    folder = tmp_path / "bundle"
    folder.mkdir()
    weights = SHIPPED / "reader/average.weights.h5"
    (folder / "manifest.json").write_text(json.dumps({"float_sha256": file_hash(weights)}))
    assert find_start(str(folder)).weights == weights
    (folder / "manifest.json").write_text(json.dumps({"float_sha256": "0" * 64}))
    with pytest.raises(BundleError, match=r"float weights \(000000000000\.\.\.\) are not in train/weights"):
        find_start(str(folder))


def test_a_tiny_reader_is_fine_tuned_into_a_run_folder_that_convert_takes(own, tmp_path, few_drawn, capsys):
    """From start to the papers: the mix taken is the one whose figures are told, and a second call changes nothing."""
    pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")
    from train.config import load_experiment
    from train.evaluation.nets import load_network
    from train.fit import fit

    (tmp_path / "tiny.toml").write_text(TINY)
    with eagerly():
        fit(tmp_path / "tiny.toml", [], [], tmp_path / "start")
    call = [
        "finetune",
        "--from",
        str(tmp_path / "start"),
        "--data",
        str(own),
        "--country",
        "hr",
        "--steps",
        "8",
        "--batch",
        "2",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main(call) == 0
    run = tmp_path / "run"
    experiment = load_experiment(run / "experiment.toml")
    assert (experiment.countries, experiment.steps, experiment.rate) == ({"hr": 0.6}, 8, 0.01)
    figures = json.loads((run / "finetune.json").read_text())
    assert figures["plates"] == {"new": 20, "drawn": 6}
    assert [one["alpha"] for one in figures["mixes"]] == [0.0, 0.25, 0.5, 0.75, 1.0]
    papers = json.loads((run / "provenance.json").read_text())
    assert set(papers["data"]) == {"gate"}
    assert papers["begun_from"]["weights_sha256"] == figures["begun_from"]["weights_sha256"]
    start, end, taken = (
        load_network(experiment, file).get_weights() for file in (run / "start.weights.h5", run / "training/average.weights.h5", run / "average.weights.h5")
    )
    assert any(not np.allclose(a, b) for a, b in zip(start, end, strict=True)), "eight steps must change something"
    for mixed, expected in zip(taken, mix(start, end, figures["alpha"]), strict=True):
        assert np.allclose(mixed, expected, atol=1e-6)
    before = (run / "finetune.json").read_text()
    assert main(call) == 0
    assert (run / "finetune.json").read_text() == before
    assert main([*call, "--seed", "2"]) == 1
    assert "holds a fine-tuning with other settings" in capsys.readouterr().err
    assert [folder.name for folder in find_folders([run / "data/train"])] == ["gate"]
