"""The gate: its statistics, its verdict, and what may become a bundle."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math

import numpy as np
import pytest

pytest.importorskip("PIL", reason="the training side is not installed; ./setup.sh test installs it")

from convert import bundle, cli
from convert.gate import floats, paired, sides, swap
from convert.gate.verdict import LARGE, Allowance, Judged, judge
from convert.gate.words import in_words
from edge.model.manifest import MODEL_FILE, SHIPPED, Manifest, load_manifest
from edge.model.tflite import Interpreter
from edge.records import Box
from train import metrics
from train.data.synth import labelled

WEIGHTS = SHIPPED.parent.parent / "train" / "weights" / "reader"
READER = Judged("reader", "0" * 64, "variant", "float", None)
DETECTOR = Judged("detector", "0" * 64, "variant", "float", 6)


def a_reader(right, sources=None):
    """What a reader saw on one plate a photograph."""
    names = sources or ["a"] * len(right)
    return sides.Seen(
        [str(n) for n in range(len(right))], names, list(range(len(right))), list(right), {"read_exact": float(np.mean(right or [0]))}, [], [], []
    )


def a_detector(scores, hits, plates=1):
    """A detector with one detection and `plates` plates a photograph."""
    picture = [n for n in range(len(scores)) for _ in range(plates)]
    right = [hit and first for hit in hits for first in [True] + [False] * (plates - 1)]
    return sides.Seen([str(n) for n in range(len(scores))], ["a"] * len(scores), picture, right, {}, list(scores), list(hits), list(range(len(scores))))


def losing(lost, plates, won=0):
    """(float, variant): float reads all but `won`, the variant all but `lost`."""
    return a_reader([n >= won for n in range(plates)]), a_reader([n < plates - lost for n in range(plates)])


@pytest.mark.parametrize(("lost", "won", "p"), [(0, 0, 1.0), (1, 5, 0.125), (5, 1, 0.125), (3, 3, 1 - 20 / 128), (0, 10, 1 / 1024), (12, 59, 5.5e-9)])
def test_mcnemars_test_gives_the_mid_p_value(lost, won, p):
    """(12, 59) by the sum of binomial chances; the rest by hand."""
    if p == 5.5e-9:
        p = sum(2 * math.comb(71, n) for n in range(12)) / 2**71 + math.comb(71, 12) / 2**71
    assert paired.mcnemar(lost, won) == pytest.approx(p)


def test_mcnemars_test_stands_thousands_of_plates():
    assert paired.mcnemar(2000, 2001) == pytest.approx(1.0, abs=0.02)
    assert 0.0 <= paired.mcnemar(3000, 100) < 1e-200


def test_the_weighted_average_precision_is_the_one_of_the_metrics():
    rng = np.random.default_rng(3)
    pictures, scores, hits, of, plates = [], [], [], [], []
    for place in range(30):
        truth = [Box(50.0 * n, 0.0, 50.0 * n + 40, 20.0) for n in range(rng.integers(0, 4))]
        boxes = [Box(b.x0 + s, 0.0, b.x1 + s, 20.0) for b in truth for s in rng.uniform(0, 30, 2)]
        one = metrics.found(boxes, rng.random(len(boxes)).tolist(), truth, [])
        pictures.append(one)
        scores += one.scores.tolist()
        hits += (metrics.match(one, 0.5) >= 0).tolist()
        of += [place] * len(one.scores)
        plates.append(len(truth))
    figure = paired.average_precision(np.array(scores), np.array(hits), np.array(of, np.intp), np.array(plates, float))
    assert figure(np.ones(30)) == pytest.approx(metrics.average_precision(pictures, 0.5))
    weights = np.arange(30) % 3 == 0
    assert figure(weights.astype(float)) == pytest.approx(metrics.average_precision(pictures[::3], 0.5))


def test_the_interval_of_the_drop_holds_the_drop_and_widens_with_fewer_photographs():
    one = judge(READER, losing(10, 1000), Allowance(drop=1.0, least=1))
    low, high = one.interval
    assert one.drop == pytest.approx(0.01)
    assert 0.0 < low < one.drop < high < 0.03
    low, high = judge(READER, losing(1, 100), Allowance(drop=1.0, least=1)).interval
    assert (low, high > 0.02) == (0.0, True)


def test_plates_of_one_photograph_are_drawn_together():
    """A photograph of four plates that all are lost counts as one chance, not as four."""
    alone = judge(READER, losing(40, 400), Allowance(1.0, 1)).interval
    floats_, variant = losing(40, 400)
    four = [
        dataclasses.replace(side, picture=[n // 4 for n in range(400)], photographs=side.photographs[:100], sources=["a"] * 100) for side in (floats_, variant)
    ]
    together = judge(READER, tuple(four), Allowance(1.0, 1)).interval
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_a_drop_within_the_allowance_on_enough_plates_passes():
    verdict = judge(READER, losing(3, 1000), Allowance())
    assert (verdict.passed, verdict.reasons) == (True, ())
    assert (verdict.differing.lost, verdict.differing.won) == (3, 0)
    assert in_words(verdict)[-1] == "passed"


def test_a_greater_drop_is_refused():
    verdict = judge(READER, losing(6, 1000), Allowance())
    assert not verdict.passed
    assert "loses 0.60 points of exact plates on 1000 plates, at most 0.50" in verdict.reasons[0]


def test_too_little_evidence_is_no_pass_however_good():
    assert judge(READER, losing(0, 499), Allowance()).reasons == ("499 plates are too little evidence, a verdict rests on at least 500",)
    nothing = judge(READER, losing(0, 0), Allowance())
    assert (nothing.passed, nothing.drop, nothing.interval) == (False, 1.0, None)


def test_a_large_source_that_loses_is_refused_though_the_whole_wins():
    names = ["large"] * LARGE + ["small"] * 900
    variant = a_reader([n >= 1 for n in range(LARGE + 900)], names)
    verdict = judge(READER, (a_reader([n < 990 for n in range(LARGE + 900)], names), variant), Allowance())
    assert verdict.drop < 0
    assert verdict.reasons == (f"loses 1.00 points on the {LARGE} plates of large (1 lost, 0 won)",)
    assert [(one.name, one.passed) for one in verdict.by_source] == [("large", False), ("small", True)]


def test_a_small_source_is_shown_and_not_judged():
    names = ["small"] * (LARGE - 1) + ["large"] * 900
    everything = LARGE - 1 + 900
    verdict = judge(READER, (a_reader([True] * everything, names), a_reader([n >= 4 for n in range(everything)], names)), Allowance())
    assert verdict.passed
    small = next(one for one in verdict.by_source if one.name == "small")
    assert (small.judged, small.drop) == (False, pytest.approx(4 / (LARGE - 1)))


def test_a_detector_is_judged_by_average_precision():
    """All plates are found on both sides; the variant believes its false reports more."""
    scores = np.linspace(0.9, 0.1, 600)
    floats_ = a_detector(scores, [n < 500 for n in range(600)])
    variant = a_detector(scores[::-1], [n < 500 for n in range(600)])
    verdict = judge(DETECTOR, (floats_, variant), Allowance())
    assert "points of average precision" in verdict.reasons[0]
    assert verdict.recall_interval == (0.0, 0.0)
    assert 0.0 < verdict.interval[0] < verdict.drop < verdict.interval[1]
    assert {"recall_drop_95", "ap50_drop_95", "views"} <= set(verdict.as_json())


def test_sides_that_saw_other_photographs_cannot_be_compared():
    with pytest.raises(ValueError, match="the same plates"):
        judge(READER, (a_reader([True]), a_reader([True, True])), Allowance())


def test_the_verdict_in_the_manifest_is_json_and_keeps_the_former_keys():
    told = judge(READER, losing(3, 1000), Allowance()).as_json()
    assert {"evidence", "drop", "read_exact_drop_95", "float", "int8"} <= set(told)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["by_source"] == {"a": [1000, 1.0, 0.997, 3, 0]}


def test_what_one_side_saw_survives_its_way_through_json():
    seen = a_detector([0.5, 0.4], [True, False], plates=2)
    assert sides.Seen(**json.loads(json.dumps(seen.as_json()))) == seen


def test_without_a_passed_verdict_on_this_very_file_there_is_no_bundle(tmp_path):
    model = b"model"
    about = {"name": "r", "kind": "reader", "codec": "ctc-rows-v1", "width": 128, "height": 48, "sha256": hashlib.sha256(model).hexdigest()}
    manifest = Manifest.of(about)
    failed = judge(READER, losing(6, 1000), Allowance())
    with pytest.raises(bundle.Refused, match=r"loses 0\.60 points"):
        bundle.write_bundle(tmp_path / "out", manifest, model, failed)
    with pytest.raises(bundle.Refused, match="about another file"):
        bundle.write_bundle(tmp_path / "out", manifest, model, judge(READER, losing(0, 1000), Allowance()))
    assert list(tmp_path.iterdir()) == []
    bundle.write_bundle(tmp_path / "out", manifest, model, judge(dataclasses.replace(READER, sha256=manifest.sha256), losing(0, 1000), Allowance()))
    assert (tmp_path / "out" / MODEL_FILE).read_bytes() == model


class Killed(BaseException):
    """The power went."""


OLD, NEW = {"model.tflite": b"old", "manifest.json": b"{old}"}, {"model.tflite": b"new" * 1000, "manifest.json": b"{new}"}


def content(folder):
    """As the device finds it: in its place, or beside it between two renames."""
    folder = folder if folder.exists() else swap.aside(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("step", range(12))
def test_killed_at_any_step_the_bundle_is_the_old_or_the_new_one_whole(tmp_path, monkeypatch, step):
    out = tmp_path / "reader"
    swap.replace_folder(out, OLD)
    taken = iter(range(100))

    def dying(action, half=None):
        def act(*words, **more):
            if next(taken) == step:
                if half:
                    half(*words)
                raise Killed
            return action(*words, **more)

        return act

    with monkeypatch.context() as patch:
        patch.setattr(swap, "_write", dying(swap._write, lambda path, what: path.write_bytes(what[: len(what) // 2])))
        patch.setattr(swap, "_flush", dying(swap._flush))
        patch.setattr(swap.os, "rename", dying(swap.os.rename))
        patch.setattr(swap.shutil, "rmtree", dying(swap.shutil.rmtree))
        try:
            swap.replace_folder(out, NEW)
            survived = True
        except Killed:
            survived = False
    assert survived == (step >= 9), "nine steps: should there be more, kill at those too"
    assert content(out) in (OLD, NEW)
    swap.replace_folder(out, NEW)
    assert content(out) == NEW
    assert [path.name for path in tmp_path.iterdir()] == ["reader"]


def test_a_full_disk_leaves_the_old_bundle(tmp_path, monkeypatch):
    out = tmp_path / "reader"
    swap.replace_folder(out, OLD)

    def full(path, what):
        path.write_bytes(what[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(swap, "_write", full)
    with pytest.raises(swap.CannotWrite, match="No space left on device"):
        swap.replace_folder(out, NEW)
    assert content(out) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["reader"]


def test_a_folder_with_something_else_in_it_is_not_replaced(tmp_path):
    (tmp_path / "holiday.jpg").write_text("x")
    with pytest.raises(swap.CannotWrite, match=r"'holiday\.jpg', which is no part of a bundle"):
        swap.check_out(tmp_path)
    with pytest.raises(swap.CannotWrite, match="is a file"):
        swap.check_out(tmp_path / "holiday.jpg")
    with pytest.raises(swap.CannotWrite, match="cannot be made"):
        swap.check_out(tmp_path / "holiday.jpg" / "bundle")


def test_a_link_to_a_bundle_goes_on_pointing_to_it(tmp_path):
    swap.replace_folder(tmp_path / "one", OLD)
    (tmp_path / "current").symlink_to("one")
    swap.replace_folder(tmp_path / "current", NEW)
    assert (tmp_path / "current").is_symlink()
    assert content(tmp_path / "one") == NEW


def test_the_float_file_must_compute_what_keras_computes():
    """One weight's difference is seen, numbers that are none too."""
    manifest, model = load_manifest(SHIPPED / "reader", "reader")
    net = Interpreter(model, manifest.name)
    pictures = np.random.default_rng(0).integers(-128, 128, (2, 48, 128, 1), dtype=np.int8)
    assert floats.difference(net, net, pictures) == 0.0

    class Off:
        def run(self, values):
            return [array + np.float32(2e-3) for array in net.run(values)]

    assert floats.difference(net, Off(), pictures) > floats.BOUND
    Off.run = lambda self, values: [np.full(array.shape, np.nan) for array in net.run(values)]
    assert floats.difference(net, Off(), pictures) == math.inf
    Off.run = lambda self, values: [array[:, :-1] for array in net.run(values)]
    assert floats.difference(net, Off(), pictures) == math.inf


def test_the_shipped_reader_is_verified_on_drawn_plates_from_the_command_line(tmp_path, capsys):
    pytest.importorskip("keras", reason="Keras is not installed; ./setup.sh test installs it")
    data = labelled.draw_clean_crops(tmp_path / "clean", 6, country="de")
    told = tmp_path / "verdict.json"
    words = ["verify", str(WEIGHTS), str(SHIPPED / "reader" / MODEL_FILE), "--validate", str(data), "--float", "keras", "--json", str(told)]
    assert cli.main([*words, "--least", "6", "--allowed-drop", "100"]) == 0
    out = capsys.readouterr().out
    assert "exact plates, %" in out
    assert out.splitlines()[-1] == "passed"
    written = json.loads(told.read_text())
    assert (written["passed"], written["evidence"], written["float"]["plates"]) == (True, 6, 6)
    assert written["by_source"]["clean"][0] == 6


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"RUN": "nowhere"}, "no experiment.toml there"),
        ({"FILE": "nothing.tflite"}, "no such file"),
        ({"FILE": str(WEIGHTS)}, "is no file"),
        ({"--allowed-drop": "nan"}, "from 0 to 100 points"),
        ({"--allowed-drop": "-1"}, "from 0 to 100 points"),
        ({"--least": "0"}, "at least one plate"),
        ({"--json": "nowhere/x.json"}, "name a file in a folder that is there"),
        ({"--variant-of": str(SHIPPED / "detector")}, "is a detector, a reader is wanted"),
        ({"--views": "-1"}, "closer looks"),
        ({"--validate": "nowhere"}, "no labels.jsonl there"),
    ],
)
def test_bad_input_is_one_sentence_before_any_work(changed, words, capsys):
    options = {"RUN": str(WEIGHTS), "FILE": str(SHIPPED / "reader" / MODEL_FILE), "--validate": "nowhere"} | changed
    rest = [word for key, value in options.items() if key.startswith("--") for word in (key, value)]
    assert cli.main(["verify", options["RUN"], options["FILE"], *rest]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
