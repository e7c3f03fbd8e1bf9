"""`platewatch read`: the contract of its JSON, and what a bad picture does to the others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import main
from edge.plates.ruled import apply_rules
from edge.reading import Look, Looks, as_json
from edge.records import Box, Quad
from edge.vision.geometry import iou
from tests.builders import a_detection
from tests.evidence import read_of, wavering
from train.data.synth import labelled


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """One plate cut out, one in a scene of its own, one empty wall."""
    folder = tmp_path_factory.mktemp("pictures")
    labelled.draw_clean_crops(folder / "crops", 1, seed=3, country="de")
    plate = cv2.imread(str(folder / "crops/images/00000.jpg"))
    text = json.loads((folder / "crops/labels.jsonl").read_text())["plates"][0]["text"]
    wall = np.full((480, 640, 3), 90, np.uint8)
    cv2.imwrite(str(folder / "wall.png"), wall)
    wall[300 : 300 + plate.shape[0], 200 : 200 + plate.shape[1]] = plate
    cv2.imwrite(str(folder / "scene.png"), wall)
    return folder, text


def run(capsys, *words):
    code = main(["read", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_json_of_a_picture_is_as_documented(pictures, capsys):
    folder, text = pictures
    high, wide = cv2.imread(str(folder / "crops/images/00000.jpg")).shape[:2]
    code, out, _ = run(capsys, "--json", folder / "scene.png")
    row = json.loads(out)
    assert code == 0
    assert set(row) == {"image", "width", "height", "ms", "plates"}
    assert (row["width"], row["height"], set(row["ms"])) == (640, 480, {"detect", "read", "total"})
    plate = row["plates"][0]
    assert set(plate) == {"text", "raw_text", "confidence", "characters", "alternatives", "quad", "box", "detection_confidence", "lines", "country", "rule"}
    assert (plate["raw_text"], plate["rule"]) == (text, None)
    assert plate["text"] == text == "".join(character["char"] for character in plate["characters"])
    assert len(plate["quad"]) == 4
    assert len(plate["alternatives"]) == len(text)
    assert all(set(one) == {"char", "confidence"} for others in plate["alternatives"] for one in others)
    truth = Box(200, 300, 200 + wide, 300 + high)
    assert iou(Box(*plate["box"]), truth) > 0.5
    assert iou(Quad.from_array(plate["quad"]).box, truth) > 0.5
    assert plate["country"] in (None, "de")


def test_a_plate_already_cut_out_is_read_whole(pictures, capsys):
    folder, text = pictures
    code, out, _ = run(capsys, "--json", "--crop", folder / "crops/images/00000.jpg")
    (plate,) = json.loads(out)["plates"]
    height, width = cv2.imread(str(folder / "crops/images/00000.jpg")).shape[:2]
    assert (code, plate["text"], plate["detection_confidence"]) == (0, text, 1.0)
    assert iou(Box(*plate["box"]), Box(0, 0, width, height)) > 0.5


def test_no_plate_is_an_empty_list_and_no_error(pictures, capsys):
    code, out, err = run(capsys, "--json", pictures[0] / "wall.png")
    assert (code, json.loads(out)["plates"], err) == (0, [], "")


def test_a_bad_picture_is_one_sentence_and_the_others_are_read(pictures, capsys, tmp_path):
    folder, text = pictures
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "words.jpg").write_text("these are words")
    code, out, err = run(capsys, "--json", tmp_path / "none.jpg", tmp_path / "empty.jpg", tmp_path / "words.jpg", folder / "scene.png")
    assert code == 1
    assert json.loads(out)["plates"][0]["text"] == text
    assert [name in line for name, line in zip(("none.jpg", "empty.jpg", "words.jpg"), err.splitlines(), strict=True)] == [True] * 3
    assert "Traceback" not in err


def test_annotated_copies_of_two_pictures_of_one_name_are_two(pictures, capsys, tmp_path):
    folder, _ = pictures
    (tmp_path / "other").mkdir()
    (tmp_path / "other/scene.png").write_bytes((folder / "scene.png").read_bytes())
    code, _, _ = run(capsys, "--annotate", tmp_path / "out", folder / "scene.png", tmp_path / "other/scene.png")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scene-2.jpg", "scene.jpg"]


def test_a_country_is_named_only_where_the_text_fits_it(pictures, capsys):
    folder, _ = pictures
    fits, not_so = (json.loads(run(capsys, "--json", "--country", code, folder / "scene.png")[1])["plates"][0]["country"] for code in ("de", "br"))
    assert (fits, not_so) == ("de", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--threads", "0"], "--threads 0"), (["--country", "zz"], "--country zz"), (["--country", "de,Poland"], "'pl'"), (["--reader", "nowhere"], "nowhere")],
)
def test_a_wrong_option_is_one_sentence(pictures, capsys, words, said):
    code, out, err = run(capsys, *words, pictures[0] / "scene.png")
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_the_keys_of_a_plate_are_those_that_the_document_tells_of(pictures, capsys):
    (plate,) = json.loads(run(capsys, "--json", pictures[0] / "scene.png")[1])["plates"]
    document = (Path(__file__).parents[2] / "docs/read-json.md").read_text()
    told = re.findall(r"^\| `(\w+)` \|", document.split("A plate:")[1], re.MULTILINE)
    assert sorted(told) == sorted(plate)


def test_without_rules_no_country_is_named(pictures, capsys):
    plate = json.loads(run(capsys, "--json", "--country", "none", pictures[0] / "scene.png")[1])["plates"][0]
    assert (plate["country"], plate["rule"], plate["raw_text"]) == (None, None, plate["text"])


def test_a_changed_text_says_what_was_read_and_which_format_decided():
    read = read_of(wavering("0ZL2318", {0: {"O": 0.3}}))
    found = Look(a_detection(), read)
    row = as_json("gate.jpg", np.zeros((480, 640), np.uint8), Looks([found], 1.0, 1.0), [apply_rules(read, "br")], 3.0)
    (plate,) = json.loads(json.dumps(row))["plates"]
    assert (plate["text"], plate["raw_text"], plate["country"]) == ("OZL2318", "0ZL2318", "br")
    assert "".join(character["char"] for character in plate["characters"]) == "OZL2318"
    assert set(plate["rule"]) == {"format", "cost", "margin"}
    assert plate["rule"]["cost"] == pytest.approx(np.log(0.7 / 0.3), abs=0.05)
