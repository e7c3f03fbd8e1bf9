"""Side by side with others: peers with known answers, drawn photographs, and files that are small enough to make here."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import sys
import time
import types
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert import cli
from convert.commands import peers
from convert.peers import command, fast_alpr, networks, outputs, pixels
from convert.peers.base import About, Answer, Model, Nonsense, PeerError, Report, checked
from convert.peers.comparison import compare, exact_p
from convert.peers.config import Section, make_config, read_peer
from convert.peers.disagreements import write_disagreements
from convert.peers.judge import as_case, is_asked
from convert.peers.pair import load as load_pair
from convert.peers.platewatch import Config as OursConfig
from convert.peers.platewatch import load as load_ours
from convert.peers.process import Side, Wanted
from convert.peers.run import Book, ask_all, chosen, photographs
from convert.peers.tables import as_markdown
from convert.peers.worker import look
from edge.errors import ConfigError, ImageError
from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.records import Box
from edge.vision.image import load_image
from train.data.formats.native import LabelledImage, LabelledPlate, read_folder
from train.data.synth import labelled
from train.evaluation.cases import LOWEST, run_models
from train.evaluation.figures import figures

ABOUT = About("fake", (Model("m", 10, "0" * 64),), 0.5)

# --- a peer with known answers; the worker's process finds it in this module


class Config(Section):
    name: str = "fake"
    data: list[str]
    mode: str = "truth"
    worst: int = -1


class Fake:
    """Knows the labels by the picture's bytes. `mode` says what it makes of them; `worst` is the photograph on which it fails."""

    def __init__(self, config: Config) -> None:
        self.about, self._mode, self._worst = replace(ABOUT, name=config.name), config.mode, config.worst
        images = [image for folder in config.data for image in read_folder(folder)]
        self._known = {_key(load_image(image.path)[1]): (number, image) for number, image in enumerate(images)}

    def scene(self, picture):
        number, image = self._known[_key(picture)]
        if number == self._worst and self._mode != "slow":
            {"crash": _crash, "die": _die, "hang": _hang, "nonsense": lambda: None}[self._mode]()
            return [Report((0, 0, float("nan"), 5), 0.5, True)]
        if self._mode == "slow":
            time.sleep(0.03)
        if self._mode == "nothing":
            return []
        return [Report((p.box.x0, p.box.y0, p.box.x1, p.box.y1), 0.9, True, p.text or "", ()) for p in image.plates]

    def crop(self, picture):
        found = self.scene(picture)
        return found[0] if found else None


def _key(picture):
    return hashlib.sha256(picture.tobytes()).hexdigest()


def _crash():
    raise ZeroDivisionError("no plate here\nand more")


def _die():
    print("about to die", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _hang():
    time.sleep(60)


def load(config, threads, download=False):
    print("this library likes to talk")  # on stdout, where the answers are
    return Fake(config)


class Here:
    """A side in this process."""

    def __init__(self, peer):
        self.name, self.about, self._peer, self._warm, self.asked = peer.about.name, peer.about, peer, set(), 0

    def ask(self, path, crop):
        self.asked += 1
        return look(self._peer, path, crop, self._warm)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with six scenes and six cut-out plates."""
    folder = tmp_path_factory.mktemp("peers")
    labelled.draw_scenes(folder / "scenes", 6, seed=5)
    labelled.draw_clean_crops(folder / "crops", 6, seed=6)
    return folder


def fake(drawn, mode="truth", name="fake", worst=-1):
    return Fake(Config(name=name, data=[str(drawn / "crops"), str(drawn / "scenes")], mode=mode, worst=worst))


def compared(drawn, *peers, resamples=50):
    images, told = photographs([drawn]), []
    sides = [Here(peer) for peer in peers]
    book = Book([side.about for side in sides], 1)
    ask_all(images, sides, book, warn=lambda name, words: told.append(f"{name}: {words}"))
    return compare(images, [book.of(image) for image in images], [side.about for side in sides], resamples), told


# --- known answers


def test_who_tells_the_truth_has_everything_and_who_says_nothing_has_nothing(drawn):
    found, told = compared(drawn, fake(drawn), fake(drawn, "nothing", "mute"))
    truth, mute = (side.groups["all"]["all"] for side in found.sides)
    assert told == []
    assert {truth[key] for key in ("recall", "precision", "ap50", "exact", "read_exact", "read_characters", "characters")} == {1.0}
    assert {mute[key] for key in ("recall", "ap50", "exact", "read_exact", "read_characters", "characters")} == {0.0}
    (against,) = found.against
    assert against.differences["exact"].as_json() == [1.0, 1.0, 1.0]
    assert (against.mcnemar.both, against.mcnemar.theirs, against.mcnemar.neither) == (0, 0, 0)
    assert against.mcnemar.ours == truth["texts"] + truth["crops"]


def test_the_slower_peer_has_a_ratio_above_one(drawn):
    found, _ = compared(drawn, fake(drawn), fake(drawn, "slow", "slow"))
    assert all(found.against[0].ratios[kind].value > 1.0 for kind in ("scenes", "crops"))


def test_platewatch_is_judged_as_convert_evaluate_judges_it(drawn):
    found, _ = compared(drawn, load_ours(OursConfig(), 1), fake(drawn))
    cases = run_models([drawn], Detector.load(threshold=LOWEST), Reader.load())
    expected = {key: value for key, value in figures(cases).items() if key != "ms"}
    assert {key: found.sides[0].groups["all"]["all"][key] for key in expected} == expected


def test_the_tables_have_a_row_a_side_and_the_json_is_json(drawn):
    found, _ = compared(drawn, fake(drawn), fake(drawn, "nothing", "mute"))
    page = as_markdown(found, "said")
    assert "| fake | 6 |" in page
    assert "| mute | 6 |" in page
    assert "| scenes, mute |" in page
    assert json.loads(json.dumps(found.as_json()))["against"]["mute"]["mcnemar"]["theirs"] == 0


def test_what_one_reads_and_the_other_does_not_is_shown(drawn, tmp_path):
    found, _ = compared(drawn, fake(drawn), fake(drawn, "nothing", "mute"))
    (sheet,) = write_disagreements(found, tmp_path)
    assert sheet.name == "1-mute-first-alone.jpg"
    assert cv2.imread(str(sheet)) is not None


def test_mcnemar_is_the_binomial_test():
    assert (exact_p(5, 0), exact_p(0, 5), exact_p(3, 3), exact_p(0, 0)) == (0.0625, 0.0625, 1.0, 1.0)
    assert exact_p(1, 9) == pytest.approx(2 * 11 / 1024)


# --- the labels' rules


def an_image(*plates, crop=False, ignored=(), country=None):
    return LabelledImage(Path("a.png"), 640, 360, "set", country, tuple(plates), tuple(ignored), crop)


PLATE = LabelledPlate(Box(10, 10, 110, 40), None, "AB120", 1, "us")


def test_a_report_in_an_ignored_region_is_neither_right_nor_wrong():
    image = an_image(PLATE, ignored=[Box(300, 100, 400, 130)])
    case = as_case(image, Answer((Report((10, 10, 110, 40), 0.9, True, "AB12O"), Report((305, 102, 395, 128), 0.8, True, "X")), 1.0))
    assert {key: figures([case])[key] for key in ("precision", "recall", "exact")} == {"precision": 1.0, "recall": 1.0, "exact": 1.0}  # O is 0 in the US


def test_what_a_peer_would_not_report_serves_average_precision_alone():
    case = as_case(an_image(PLATE), Answer((Report((10, 10, 110, 40), 0.2, False, "AB120"),), 1.0))
    assert {key: figures([case])[key] for key in ("recall", "ap50", "exact")} == {"recall": 0.0, "ap50": 1.0, "exact": 0.0}


def test_separators_and_small_letters_of_a_peer_are_not_held_against_it():
    case = as_case(an_image(PLATE, crop=True), Answer((Report((0, 0, 1, 1), 1.0, True, "ab-12 0"),), 1.0))
    assert case.looks[0].read.text == "AB120"
    assert figures([case])["read_exact"] == 1.0


def test_a_cut_out_plate_whose_label_leaves_glyphs_out_is_not_asked():
    assert is_asked(an_image(PLATE, crop=True))
    assert not is_asked(an_image(replace(PLATE, year_omitted=True), crop=True))
    assert not is_asked(an_image(replace(PLATE, text=None), crop=True))
    assert is_asked(an_image())


FINE = Report((0, 0, 1, 1), 0.5, True, "A", (0.5,))


@pytest.mark.parametrize("wrong", [{"box": (0, 0, float("inf"), 1)}, {"score": 1.5}, {"score": float("nan")}, {"confidences": (-1.0,)}, {"text": 5}])
def test_nonsense_is_called_so(wrong):
    assert checked([FINE]) == [FINE]
    with pytest.raises(Nonsense):
        checked([replace(FINE, **wrong)])


# --- peers that fail


@pytest.mark.parametrize(("mode", "reason"), [("crash", "ZeroDivisionError: no plate here"), ("nonsense", "a box of [0.0, 0.0, nan, 5.0]")])
def test_a_failure_on_one_photograph_is_counted_and_the_run_goes_on(drawn, mode, reason):
    found, told = compared(drawn, fake(drawn), fake(drawn, mode, "weak", worst=8))
    side = found.sides[1]
    assert side.failures == {reason: 1}
    assert len(told) == 1
    assert reason in told[0]
    assert side.times["scenes"]["photographs"] == 5
    assert side.groups["all"]["all"]["read_exact"] == 1.0
    assert side.groups["all"]["all"]["recall"] < 1.0
    lost = len(side.cases[8].image.plates)
    mcnemar = found.against[0].mcnemar
    assert mcnemar.both == found.sides[0].groups["all"]["all"]["texts"] - lost + 6
    assert mcnemar.ours == 0  # a photograph that the peer did not answer is no evidence


def wanted(drawn, mode, worst=8):
    config = {"name": "weak", "data": [str(drawn / "crops"), str(drawn / "scenes")], "mode": mode, "worst": worst}
    return Wanted("weak", __name__, config)


def test_a_process_that_dies_is_started_anew(drawn):
    side = Side(wanted(drawn, "die"))
    try:
        answers = [side.ask(str(image.path), image.crop) for image in photographs([drawn])[7:10]]
    finally:
        side.close()
    assert side.about.name == "weak"
    assert [answer.failure is None for answer in answers] == [True, False, True]
    assert answers[1].failure == "its process was ended by SIGKILL: about to die"
    assert answers[0].peak_mb > 0 or sys.platform != "linux"


def test_patience_ends(drawn):
    side = Side(wanted(drawn, "hang"), patience_s=0.5)
    try:
        image = photographs([drawn])[8]
        assert side.ask(str(image.path), image.crop).failure == "no answer in 0.5 s"
    finally:
        side.close()


def test_a_picture_that_nobody_can_read_is_no_peers_fault(drawn, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    side = Side(wanted(drawn, "truth"))
    try:
        with pytest.raises(ImageError, match=r"a\.png"):
            side.ask(str(tmp_path / "a.png"), False)
    finally:
        side.close()


def test_a_peer_that_cannot_be_loaded_says_why_in_one_sentence(drawn):
    with pytest.raises(PeerError, match=r"no labels\.jsonl there"):
        Side(Wanted("weak", __name__, {"name": "weak", "data": [str(drawn)]}))


# --- stopping and going on


def test_a_stopped_run_goes_on_where_it_was(drawn, tmp_path):
    images, sides = photographs([drawn]), [Here(fake(drawn)), Here(fake(drawn, name="two"))]
    about = [side.about for side in sides]
    ask_all(images[:4], sides, Book(about, 1, tmp_path / "answers.jsonl"))
    again = [Here(fake(drawn)), Here(fake(drawn, name="two"))]
    book = Book(about, 1, tmp_path / "answers.jsonl")
    ask_all(images, again, book)
    assert [side.asked for side in again] == [8, 8]
    assert all(book.of(image) is not None for image in images)
    with pytest.raises(ConfigError, match="other sides, models or threads"):
        Book(about, 2, tmp_path / "answers.jsonl")


def test_sides_take_turns_in_going_first(drawn):
    order = []

    class Noted(Here):
        def ask(self, path, crop):
            order.append(self.name)
            return super().ask(path, crop)

    sides = [Noted(fake(drawn, name=name)) for name in "ab"]
    ask_all(photographs([drawn])[:4], sides, Book([side.about for side in sides], 1))
    assert "".join(order) == "abbaabba"


def test_ctrl_c_tells_what_was_measured(drawn, tmp_path, monkeypatch, capsys):
    class Stopping(Here):
        def __init__(self, one, patience):
            super().__init__(fake(drawn, name=one.name))

        def ask(self, path, crop):
            if self.asked == 7:
                raise KeyboardInterrupt
            return super().ask(path, crop)

        def close(self):
            pass

    monkeypatch.setattr(command, "Side", Stopping)
    words = ["peers", "--data", str(drawn), "--peer", "platewatch", "--json", str(tmp_path / "o.json"), "--resamples", "20", "--at-most", "11"]
    assert cli.main(words) == 130
    assert "stopped after 7 of 11 photographs" in capsys.readouterr().out
    row = json.loads((tmp_path / "o.json").read_text())
    assert (row["photographs"], row["stopped"], list(row["sides"])) == (7, True, ["platewatch", "platewatch 2"])


def test_as_many_photographs_as_wished_the_same_each_time(drawn):
    images = photographs([drawn])
    assert chosen(images, [ABOUT], 5) == chosen(images, [ABOUT], 5)
    assert len(chosen(images, [ABOUT], 5)) == 5
    assert chosen(images, [ABOUT], 500) == images


def test_with_a_reader_alone_all_sides_are_asked_on_cut_out_plates(drawn):
    images, reader = photographs([drawn]), replace(ABOUT, finds=False)
    assert [image.crop for image in chosen(images, [ABOUT, reader])] == [True] * 6
    with pytest.raises(ConfigError, match="fake: a reader alone is asked on cut-out plates"):
        chosen([image for image in images if not image.crop], [ABOUT, reader])


# --- pictures in


def a_network(tmp_path, **more):
    (tmp_path / "d.onnx").touch()
    values = {"file": str(tmp_path / "d.onnx"), "width": 64, "height": 64, "output": "end2end"} | more
    return make_config("pair", {"detector": values, "reader": READER | {"file": values["file"]}}, "x").detector


READER = {"width": 32, "height": 16, "output": "slots", "alphabet": "AB_", "colour": "grey", "layout": "nhwc", "fit": "stretch", "mean": [0], "std": [1]}


def test_a_letterbox_leaves_a_box_where_it_was(tmp_path):
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[20:40, 50:100] = 255
    for fit in ("letterbox", "corner", "stretch"):
        wanted = a_network(tmp_path, fit=fit, std=[1], resize="area")
        values, where = pixels.prepare(picture, wanted)
        rows, columns = np.nonzero(values[0, 0] > 200)
        seen = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
        np.testing.assert_allclose(where.back(seen), [[50, 20, 100, 40]], atol=4)


def test_colours_layout_and_normalisation_are_as_told(tmp_path):
    picture = np.full((64, 64, 3), (10, 20, 30), np.uint8)  # BGR
    values, _ = pixels.prepare(picture, a_network(tmp_path, colour="rgb", mean=[0, 0, 10], std=[10, 10, 10]))
    assert values.shape == (1, 3, 64, 64)
    assert values[0, :, 0, 0].tolist() == [3.0, 2.0, 0.0]
    values, _ = pixels.prepare(picture, a_network(tmp_path, colour="bgr", layout="nhwc", std=[1]))
    assert values[0, 5, 5].tolist() == [10.0, 20.0, 30.0]
    values, _ = pixels.prepare(picture, a_network(tmp_path, colour="grey", std=[1]))
    assert values.shape == (1, 1, 64, 64)


# --- numbers out


def test_end_to_end_rows_are_boxes_from_the_lowest_score_on(tmp_path):
    rows = np.array([[[1, 2, 3, 4, 0.3, 0], [5, 6, 7, 8, 0.9, 1], [0, 0, 1, 1, 0.01, 0]]], np.float32)
    found, scores = outputs.boxes(rows, a_network(tmp_path), 0.05)
    assert (found.tolist(), scores.tolist()) == ([[5, 6, 7, 8], [1, 2, 3, 4]], pytest.approx([0.9, 0.3]))
    only, _ = outputs.boxes(rows, a_network(tmp_path, classes=[0]), 0.05)
    assert only.tolist() == [[1, 2, 3, 4]]
    batched = np.array([[0, 5, 6, 7, 8, 0, 0.9]], np.float32)
    found, scores = outputs.boxes(batched, a_network(tmp_path, output="batch-end2end"), 0.05)
    assert (found.tolist(), scores.tolist()) == ([[5, 6, 7, 8]], pytest.approx([0.9]))


def test_raw_yolov8_is_turned_round_suppressed_and_scaled(tmp_path):
    table = np.zeros((10, 6), np.float32)
    table[:3] = [[0.5, 0.5, 0.2, 0.1, 0.2, 0.8], [0.51, 0.5, 0.2, 0.1, 0.1, 0.7], [0.1, 0.1, 0.1, 0.1, 0.6, 0.1]]
    wanted = a_network(tmp_path, output="yolov8", coordinates="shares")
    for output in (table[None], table.T[None]):
        found, scores = outputs.boxes(output, wanted, 0.05)
        assert scores.tolist() == pytest.approx([0.8, 0.6])
        np.testing.assert_allclose(found[0], np.array([0.4, 0.45, 0.6, 0.55]) * 64, rtol=1e-5)
    found, scores = outputs.boxes(table[None], a_network(tmp_path, output="yolov8", classes=[0]), 0.15)
    assert scores.tolist() == pytest.approx([0.6, 0.2])


def test_slots_lose_their_padding_at_the_end_only(tmp_path):
    wanted = make_reader(tmp_path)
    output = np.log(np.array([[[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]], np.float32))
    text, sure = outputs.text(output, wanted)
    assert (text, sure) == ("A_B", pytest.approx((0.8, 0.8, 0.8), abs=1e-6))
    assert outputs.text(np.exp(output).reshape(1, -1), wanted)[0] == "A_B"


def make_reader(tmp_path, **more):
    (tmp_path / "r.onnx").touch()
    rows = {"file": str(tmp_path / "r.onnx"), "width": 8, "height": 8}
    return make_config("pair", {"detector": rows | {"output": "end2end"}, "reader": READER | rows | more}, "x").reader


@pytest.mark.parametrize("blank", [0, 2])
def test_ctc_drops_blanks_and_repetitions(tmp_path, blank):
    """A A - A B B reads AAB, wherever the blank stands and however the steps lie."""
    wanted = make_reader(tmp_path, output="ctc", alphabet="AB", blank=blank)
    order = ["-", "A", "B"] if blank == 0 else ["A", "B", "-"]
    steps = np.full((6, 3), 0.05, np.float32)
    for step, letter in enumerate("AA-ABB"):
        steps[step, order.index(letter)] = 0.9
    for output in (steps[None], steps[:, None], steps.T[None]):
        text, sure = outputs.text(output, wanted)
        assert (text, len(sure)) == ("AAB", 3)


def test_an_output_of_another_shape_is_told_in_one_sentence(tmp_path):
    with pytest.raises(PeerError, match=r"d\.onnx: its output is 1 x 8 x 5; .* rows of 6"):
        outputs.boxes(np.zeros((1, 8, 5), np.float32), a_network(tmp_path), 0.05)
    with pytest.raises(PeerError, match="by candidates"):
        outputs.boxes(np.zeros((1, 3, 80), np.float32), a_network(tmp_path, output="yolov8"), 0.05)
    with pytest.raises(PeerError, match="number of slots by the 3 characters"):
        outputs.text(np.zeros((1, 4, 4), np.float32), make_reader(tmp_path))
    with pytest.raises(PeerError, match="steps by 4 classes"):
        outputs.text(np.zeros((1, 7, 5), np.float32), make_reader(tmp_path, output="ctc"))


# --- files of others

PAIR = """
kind = "pair"
[detector]
file = "d{ending}"
width = 64
height = 64
layout = "{layout}"
output = "end2end"
threshold = 0.5
[reader]
file = "r{ending}"
width = 32
height = 16
colour = "grey"
layout = "nhwc"
fit = "stretch"
std = [1]
output = "slots"
alphabet = "AB_"
"""
ROWS = [[16.0, 24.0, 48.0, 40.0, 0.9, 0.0], [0.0, 0.0, 8.0, 4.0, 0.3, 0.0]]
SLOTS = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


def a_tflite(path, shape, output, dtype="float32"):
    """A network that answers `output` whatever it is shown, and looks at it all the same."""
    tf = pytest.importorskip("tensorflow", reason="the training side is not installed; ./setup.sh test installs it")

    class Constant(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(shape, dtype)])
        def __call__(self, picture):
            return tf.constant(output, tf.float32) + 0.0 * tf.reduce_mean(tf.cast(picture, tf.float32))

    module = Constant()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.__call__.get_concrete_function()], module)
    path.write_bytes(converter.convert())


@pytest.fixture(scope="module")
def tflite_pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    a_tflite(folder / "d.tflite", (1, 64, 64, 3), [ROWS])
    a_tflite(folder / "r.tflite", (1, 16, 32, 1), [SLOTS], "uint8")
    (folder / "mine.toml").write_text(PAIR.format(ending=".tflite", layout="nhwc"))
    return folder / "mine.toml"


def test_a_pair_of_tflite_files_finds_and_reads(tflite_pair):
    kind, config = read_peer(str(tflite_pair))
    peer = load_pair(config, 1)
    assert (kind, peer.about.name, list(peer.about.versions)) == ("pair", "mine", ["ai-edge-litert"])
    assert peer.about.bytes == sum((tflite_pair.parent / name).stat().st_size for name in ("d.tflite", "r.tflite"))
    sure, faint = peer.scene(np.zeros((320, 640, 3), np.uint8))
    assert (sure.box, sure.told, sure.text, sure.confidences) == ((160.0, 80.0, 480.0, 240.0), True, "BA", (1.0, 1.0))
    assert (faint.told, faint.text) == (False, "")
    assert peer.crop(np.zeros((20, 90, 3), np.uint8)).text == "BA"


def test_a_reader_alone_is_a_pair_too(tflite_pair, tmp_path):
    text = tflite_pair.read_text()
    (tmp_path / "r.toml").write_text(text[text.index("[reader]") :].replace('file = "', f'file = "{tflite_pair.parent}/'))
    peer = load_pair(read_peer(str(tmp_path / "r.toml"))[1], 1)
    assert (peer.about.finds, len(peer.about.models)) == (False, 1)
    assert peer.crop(np.zeros((20, 90, 3), np.uint8)).text == "BA"
    with pytest.raises(PeerError, match="r: has no detector"):
        peer.scene(np.zeros((20, 90, 3), np.uint8))


def test_the_command_compares_a_pair(tflite_pair, drawn, tmp_path, capsys):
    """Real processes, from the words of the command line to the files."""
    words = ["peers", "--data", str(drawn), "--peer", str(tflite_pair), "--out", str(tmp_path / "out"), "--json", str(tmp_path / "o.json"), "--resamples", "50"]
    assert cli.main(words) == 0
    row = json.loads((tmp_path / "o.json").read_text())
    assert row["sides"]["mine"]["all"]["all"]["read_exact"] == 0.0
    assert row["sides"]["platewatch"]["all"]["all"]["read_exact"] > 0.5
    assert row["against"]["mine"]["time_ratio_95"]["crops"][0] > 0
    assert "mine" in (tmp_path / "out" / "peers.md").read_text()
    before = capsys.readouterr().out
    assert cli.main(words) == 0  # nobody is asked again, so every figure is the same
    assert capsys.readouterr().out.splitlines()[:8] == before.splitlines()[:8]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("width = 64", "width = 32", "takes 1 x 64 x 64 x 3, but width, height, colour and layout say 1 x 64 x 32 x 3"),
        ('layout = "nhwc"\noutput', 'layout = "nchw"\noutput', "say 1 x 3 x 64 x 64"),
        ('"AB_"', '"ABCD_"', "not a number of slots by the 5 characters"),
        ('output = "end2end"', 'output = "batch-end2end"', "rows of 7 numbers"),
        ('output = "end2end"', 'output = "end2end"\noutput_name = "boxes"', "output_name: 'boxes' is none of its outputs"),
    ],
)
def test_a_file_of_another_shape_is_refused_at_once(tflite_pair, tmp_path, old, new, sentence):
    text = tflite_pair.read_text().replace(old, new, 1).replace('file = "', f'file = "{tflite_pair.parent}/')
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(PeerError, match=sentence):
        load_pair(read_peer(str(tmp_path / "p.toml"))[1], 1)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("threshold = 0.5", "treshold = 0.5", r"detector\.treshold: no such key; did you mean threshold"),
        ('output = "slots"', 'output = "words"', r"reader\.output: input should be 'slots' or 'ctc'"),
        ("std = [1]", "std = [0]", "std: pixels are divided by it"),
        ("std = [1]", "std = [1, 1, 1]", r"std: one number, or one for each of the 1 channel\(s\)"),
        ('alphabet = "AB_"', 'alphabet = "AB"', "pad_char: '_' is not in the alphabet"),
        ('alphabet = "AB_"', 'alphabet = "AAB_"', "a character stands in it twice"),
        ('output = "slots"', 'output = "ctc"\nblank = 9', "blank: with 3 characters it is an index of 0 to 3"),
        ("d.tflite", "nowhere.tflite", r"detector\.file: no such file \(it is .*nowhere"),
        ("d.tflite", "d.pt", r"detector\.file: name an \.onnx or a \.tflite file"),
        ("width = 64\n", "", r"detector\.width: is missing"),
        ('kind = "pair"', 'kind = "pear"', "kind: 'pear' is none of fast-alpr, pair, platewatch"),
        ('kind = "pair"', "kind = ", "not TOML"),
    ],
)
def test_a_mistake_in_the_toml_is_told_with_file_and_key(tflite_pair, tmp_path, old, new, sentence):
    (tmp_path / "p.toml").write_text(tflite_pair.read_text().replace(old, new, 1).replace('file = "', f'file = "{tflite_pair.parent}/'))
    with pytest.raises(ConfigError, match=sentence) as caught:
        read_peer(str(tmp_path / "p.toml"))
    assert str(caught.value).startswith(str(tmp_path / "p.toml"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "--peer: name at least one of"),
        (["--peer", "fast-alp"], "did you mean fast-alpr"),
        (["--peer", "nowhere.toml"], r"nowhere\.toml: cannot be read"),
        (["--peer", "pair"], r"a pair is told by a TOML file with \[detector\] and \[reader\]"),
        (["--peer", "platewatch", "--threads", "0"], "--threads 0: must be 1 to"),
        (["--peer", "platewatch", "--at-most", "0"], "--at-most 0"),
        (["--peer", "platewatch", "--patience", "0"], "--patience 0"),
        (["--peer", "platewatch", "--closer-looks", "-1"], "command line: closer_looks: .*greater than or equal to 0"),
        (["--peer", "platewatch", "--json", "/nowhere/o.json"], "--json /nowhere/o.json"),
        (["--peer", "platewatch", "--detector", "/nowhere"], "/nowhere: no manifest.json there"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(drawn, words, sentence, capsys):
    assert cli.main(["peers", "--data", str(drawn), *words]) == 1
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert re.search(sentence, said), said


def test_a_folder_is_another_pair_of_platewatch(tmp_path):
    kind, config = read_peer(str(tmp_path))
    assert (kind, config.name, config.detector, config.reader) == ("platewatch", tmp_path.name, tmp_path / "detector", tmp_path / "reader")


def test_two_of_one_name_are_told_apart(tmp_path, drawn):
    words = ["--data", str(drawn), "--peer", "platewatch", "--peer", str(tmp_path)]
    parser = argparse.ArgumentParser()
    peers.add_arguments(parser)
    assert [one.name for one in command.wanted_sides(parser.parse_args(words))] == ["platewatch", "platewatch 2", tmp_path.name]


def test_paths_in_a_toml_are_beside_it(tmp_path):
    (tmp_path / "old.toml").write_text('kind = "platewatch"\ndetector = "bundles/d"\nreader = "/else/r"')
    _, config = read_peer(str(tmp_path / "old.toml"))
    assert (config.name, config.detector, config.reader) == ("old", tmp_path / "bundles/d", Path("/else/r"))


# --- fast-alpr


def test_what_is_not_installed_is_told_with_the_mend(monkeypatch):
    monkeypatch.setattr(networks.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(f"No module named {name!r}")))
    with pytest.raises(PeerError, match=r"--peer fast-alpr needs fast-alpr\[onnx\], which is not installed here .*pip install"):
        fast_alpr.load(fast_alpr.Config(), 1)


class Hub(types.ModuleType):
    """Both hubs of fast-alpr's packages, as far as they are asked; notes what it would have downloaded."""

    def __init__(self, folder):
        super().__init__("hub")
        self.MODEL_CACHE_DIR, self.fetched = folder, []
        self.DETECTION_MODELS = {fast_alpr.Config().detector_model: types.SimpleNamespace(url="net://x/d.onnx", backend="yolo_v9", class_labels=("p",))}
        self.AVAILABLE_ONNX_MODELS = {fast_alpr.Config().ocr_model: ("net://x/r.onnx", "net://x/r.yaml")}

    def download_model(self, name):
        self.fetched.append(name)
        raise OSError("no network")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    hub = Hub(tmp_path)
    monkeypatch.setattr(fast_alpr, "needed", lambda module, package, why: hub)
    return hub


def test_nothing_is_fetched_unless_it_is_allowed(hub):
    with pytest.raises(PeerError, match=r"models are not here \(.*d\.onnx, .*r\.onnx, .*r\.yaml\); --allow-download"):
        fast_alpr.load(fast_alpr.Config(), 1)
    assert hub.fetched == []
    with pytest.raises(PeerError, match=r"d\.onnx could not be fetched \(no network\)"):
        fast_alpr.load(fast_alpr.Config(), 1, download=True)
    assert hub.fetched == [fast_alpr.Config().detector_model]


def test_a_model_that_the_hub_does_not_have_is_named(hub):
    with pytest.raises(PeerError, match="detector_model: 'tiny' is none of yolo-v9"):
        fast_alpr.load(fast_alpr.Config(detector_model="tiny"), 1)
    with pytest.raises(ConfigError, match="ocr_file and ocr_config: name both or neither"):
        make_config("fast-alpr", {"ocr_file": __file__}, "x")


def test_another_version_of_its_packages_is_told_so(hub):
    del hub.DETECTION_MODELS
    with pytest.raises(PeerError, match=r"is not known here .*install fast-alpr 0\.4\.0"):
        fast_alpr.load(fast_alpr.Config(), 1)


def an_onnx(path, shape, rows, kind="FLOAT", name="plate"):
    """Answers `rows` whatever it is shown."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed; pip install onnx onnxruntime")
    h = onnx.helper
    number = getattr(onnx.TensorProto, kind)
    value = h.make_tensor("value", onnx.TensorProto.FLOAT, np.shape(rows), np.ravel(rows).tolist())
    nodes = [
        h.make_node("Cast", ["input"], ["floats"], to=onnx.TensorProto.FLOAT),
        h.make_node("ReduceMean", ["floats"], ["mean"], keepdims=0),
        h.make_node("Constant", [], ["zero"], value=h.make_tensor("z", onnx.TensorProto.FLOAT, [], [0.0])),
        h.make_node("Mul", ["mean", "zero"], ["nothing"]),
        h.make_node("Constant", [], ["rows"], value=value),
        h.make_node("Add", ["rows", "nothing"], [name]),
    ]
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("input", number, shape)], [h.make_tensor_value_info(name, onnx.TensorProto.FLOAT, np.shape(rows))]
    )
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=9), str(path))


def test_a_pair_of_onnx_files_finds_and_reads(tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed; pip install onnx onnxruntime")
    an_onnx(tmp_path / "d.onnx", (1, 3, 64, 64), [ROWS])
    an_onnx(tmp_path / "r.onnx", ("batch", 16, 32, 1), [SLOTS], "UINT8")
    (tmp_path / "p.toml").write_text(PAIR.format(ending=".onnx", layout="nchw"))
    peer = load_pair(read_peer(str(tmp_path / "p.toml"))[1], 1)
    sure, faint = peer.scene(np.zeros((320, 640, 3), np.uint8))
    assert (sure.box, sure.text, faint.told) == ((160.0, 80.0, 480.0, 240.0), "BA", False)


@pytest.mark.filterwarnings("ignore")  # its packages warn of their own future
def test_fast_alprs_own_package_is_called_as_it_wants(tmp_path):
    """Its real code, on files with its models' inputs and outputs."""
    pytest.importorskip("fast_alpr", reason="fast-alpr is not installed; pip install 'fast-alpr[onnx]' onnx")
    an_onnx(tmp_path / "d.onnx", (1, 3, 64, 64), [[0.0, *row[:4], row[5], row[4]] for row in ROWS])
    an_onnx(tmp_path / "r.onnx", ("batch", 16, 32, 1), [SLOTS], "UINT8")
    (tmp_path / "r.yaml").write_text("max_plate_slots: 3\nalphabet: 'AB_'\npad_char: '_'\nimg_height: 16\nimg_width: 32\n")
    (tmp_path / "theirs.toml").write_text('kind = "fast-alpr"\ndetector_file = "d.onnx"\nocr_file = "r.onnx"\nocr_config = "r.yaml"')
    peer = fast_alpr.load(read_peer(str(tmp_path / "theirs.toml"))[1], 1)
    assert peer.about.versions["fast-alpr"]
    picture = np.zeros((320, 640, 3), np.uint8)
    sure, faint = peer.scene(picture)
    assert (sure.box, sure.told, sure.text, sure.confidences) == ((160.0, 80.0, 480.0, 240.0), True, "BA", (1.0, 1.0))
    assert (faint.told, faint.text) == (False, "")
    assert peer.crop(picture).text == "BA"
    (said,) = [one for one in peer._alpr.predict(picture) if one.detection.confidence > 0.4]  # as it is used by others
    assert (said.ocr.text, said.detection.bounding_box.xyxy) == (sure.text, (160, 80, 480, 240))
