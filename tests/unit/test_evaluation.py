"""The figures of an evaluation, on cases small enough to count by hand; the page that shows them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.model.detector import Detector
from edge.model.manifest import SHIPPED
from edge.model.reader import Reader
from edge.reading import Look
from edge.records import Box, Detection, Quad
from edge.vision import reader_codec
from tests.builders import a_read
from train import metrics
from train.data.formats.native import DataError, LabelledImage, LabelledPlate
from train.data.synth import labelled
from train.evaluation import calibration, curves
from train.evaluation.bootstrap import draws, interval, ratio
from train.evaluation.cases import ANYTHING, LOWEST, Case, Facts, check_data, facts, run_models, tilt
from train.evaluation.confusion import aligned, confusions, matrix, worst
from train.evaluation.evaluation import evaluate
from train.evaluation.figures import across_sets, figures
from train.evaluation.outcomes import character_claims, claims, outcomes
from train.evaluation.output import write_report
from train.evaluation.page import make_page
from train.evaluation.plots import draw_plots
from train.evaluation.slices import slices, wilson
from train.evaluation.weighted import intervals, main_figures

FACTS = Facts(100.0, 1.0, 120.0, 3.0)
PLATE, ELSEWHERE = Box(10, 10, 110, 40), Box(200, 100, 300, 130)


def a_scene(texts, reports, path=Path("scene.png"), **image):
    """Plates with these texts side by side, and reports (place of the plate or None for elsewhere, text, confidence of each character)."""
    boxes = [Box(10 + 150 * place, 10, 110 + 150 * place, 40) for place in range(len(texts))]
    plates = tuple(LabelledPlate(box, None, text, 1, "de") for box, text in zip(boxes, texts, strict=True))
    looks = [
        Look(Detection(Quad.from_box(box), box, 0.9 - 0.01 * n, 1), a_read(text, sure))
        for n, (place, text, sure) in enumerate(reports)
        for box in [ELSEWHERE if place is None else boxes[place]]
    ]
    case = Case(LabelledImage(path, 640, 360, image.pop("source", "set"), "de", plates), looks, 0.4, 1.0)
    case.found = metrics.found([one.detection.box for one in looks], [one.detection.score for one in looks], boxes, [])
    case.taken = metrics.match(case.found, 0.5)
    case.of_plates, case.of_looks = [FACTS] * len(plates), [FACTS] * len(looks)
    return case


def a_crop(text, read, sure=0.99, source="crops", country="de", width=100.0):
    plate = LabelledPlate(PLATE, None, text, 1, country)
    looks = [Look(Detection(Quad.from_box(PLATE), PLATE, 1.0), a_read(read, sure))] if read else []
    case = Case(LabelledImage(Path("crop.png"), 120, 50, source, country, (plate,), crop=True), looks, 0.0, 1.0)
    case.of_plates, case.of_looks = [replace(FACTS, width=width)], [FACTS] * len(looks)
    return case


# --- curves


def test_ten_reads_of_080_with_six_right_are_two_tenths_off():
    confidence, right = np.full(10, 0.8), np.array([True] * 6 + [False] * 4)
    assert curves.expected_calibration_error(confidence, right) == pytest.approx(0.2)


def test_two_bins_are_weighed_by_their_number():
    """20 reads of 0.9 all right (off by 0.1) and 10 of 0.5 with 2 right (off by 0.3)."""
    confidence = np.array([0.9] * 20 + [0.5] * 10)
    right = np.array([True] * 20 + [True] * 2 + [False] * 8)
    assert curves.expected_calibration_error(confidence, right) == pytest.approx((20 * 0.1 + 10 * 0.3) / 30)
    shown = curves.reliability(confidence, right, equal_width=True)
    assert (shown.confidence.tolist(), shown.right.tolist()) == (pytest.approx([0.5, 0.9]), pytest.approx([0.2, 1.0]))


def test_honest_confidence_has_next_to_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    assert curves.expected_calibration_error(confidence, rng.random(20_000) < confidence) < 0.02


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    """Of the 6 pairs 4 are in order and one is a tie."""
    confidence, right = np.array([0.9, 0.8, 0.4, 0.8, 0.3]), np.array([True, True, True, False, False])
    assert curves.auc(confidence, right) == pytest.approx((2 + 1.5 + 1) / 6)
    assert np.isnan(curves.auc(confidence, np.ones(5, bool)))
    assert np.isnan(curves.auc(np.zeros(0), np.zeros(0, bool)))


def test_coverage_is_what_may_be_accepted_until_too_much_is_wrong():
    confidence = np.array([0.99, 0.98, 0.97, 0.96, 0.5])
    right = np.array([True, True, False, True, True])
    none_wrong = curves.coverage(confidence, right, 10, 0.0)
    assert (none_wrong.share, none_wrong.threshold) == (0.2, 0.98)
    a_fifth = curves.coverage(confidence, right, 10, 0.2)
    assert (a_fifth.share, a_fifth.threshold) == (0.4, 0.5)
    assert curves.coverage(np.array([0.9, 0.8]), np.array([False, True]), 2, 0.005).share == 0.0


def test_equal_confidences_are_accepted_together():
    assert curves.coverage(np.array([0.9, 0.9]), np.array([True, False]), 2, 0.005).share == 0.0


def test_a_read_drawn_twice_counts_as_two():
    confidence, right = np.array([0.9, 0.6, 0.7]), np.array([True, False, True])
    weights = np.array([2.0, 1.0, 0.0])
    twice = np.array([0, 0, 1])
    assert curves.auc(confidence, right, weights) == curves.auc(confidence[twice], right[twice])
    assert curves.expected_calibration_error(confidence, right, weights) == pytest.approx(curves.expected_calibration_error(confidence[twice], right[twice]))


# --- bootstrap


def test_the_same_seed_draws_the_same_and_another_does_not():
    assert np.array_equal(draws(50, 20, seed=3), draws(50, 20, seed=3))
    assert not np.array_equal(draws(50, 20, seed=3), draws(50, 20, seed=4))
    assert (draws(50, 20).sum(axis=1) == 50).all()


def test_the_interval_of_a_share_is_about_the_one_of_the_books():
    hits = np.array([1.0] * 80 + [0.0] * 20)
    one = interval(ratio(hits, np.ones(100)), draws(100))
    assert one.value == 0.8
    assert (one.low, one.high) == pytest.approx(wilson(80, 100), abs=0.02)


def test_what_cannot_be_told_has_no_interval():
    assert interval(ratio(np.zeros(5), np.zeros(5)), draws(5, 10)) is None


def test_the_bootstraps_figures_are_the_tables_figures():
    cases = [
        a_scene(["AB12", "CD34"], [(0, "AB12", 0.9), (None, "X", 0.4)]),
        a_scene(["EF56"], [(0, "EF55", 0.8)]),
        a_crop("GH78", "GH78"),
        a_scene([], [(None, "Y", 0.6)]),
    ]
    ones = outcomes(cases)
    plain = figures(cases, ones)
    for name, figure in main_figures(cases, ones, claims(ones, len(cases))).items():
        if name in plain:
            assert figure(np.ones(len(cases))) == pytest.approx(plain[name]), name
    many = cases * 10
    ones = outcomes(many)
    assert {"recall", "exact", "f1", "map", "read_exact"} <= set(intervals(many, ones, claims(ones, len(many)), 50))


# --- outcomes


def test_a_plate_found_a_plate_missed_and_a_false_report_are_three_outcomes():
    ones = outcomes([a_scene(["AB12", "CD34"], [(0, "AB12", 0.9), (None, "X", 0.4)])])
    assert [(one.truth, one.found, one.right) for one in ones] == [("AB12", True, True), ("CD34", False, False), (None, True, False)]
    said = claims(ones, 1)
    assert said.right.tolist() == [True, False]
    assert said.plates.tolist() == [2.0]


def test_where_a_text_is_unknown_no_report_is_held_against_the_confidence():
    """The plate without a text could never count as right, so the false report beside it must not count as wrong."""
    assert len(claims(outcomes([a_scene([None], [(0, "AB12", 0.9), (None, "X", 0.9)])]), 1).right) == 0


def test_a_false_report_on_an_empty_picture_counts_against_the_confidence():
    assert claims(outcomes([a_scene([], [(None, "X", 0.9)])]), 1).right.tolist() == [False]


def test_characters_are_judged_one_by_one():
    said = character_claims(outcomes([a_crop("AB12", "AB72"), a_crop("O1", "01", country="us")]), 2)
    assert said.right.tolist() == [True, True, False, True, True, True]


def test_detections_of_a_detector_alone_are_told_by_their_score():
    case = a_scene(["AB12"], [(0, "", 0.0)])
    case.looks = [Look(case.looks[0].detection, ANYTHING)]
    assert case.told == [True]


# --- confusion, slices, sets


def test_characters_are_lined_up_with_the_fewest_edits():
    assert aligned("AB12", "AB2") == [("A", "A"), ("B", "B"), ("1", ""), ("2", "2")]
    assert aligned("A1", "A17") == [("A", "A"), ("1", "1"), ("", "7")]


def test_confusions_are_counted_and_the_worst_comes_first():
    counts = confusions([("A8", "AB", "de"), ("88", "BB", "de"), ("O", "0", "us"), ("1", "", "de")])
    assert worst(counts, 2) == [("8", "B", 3), ("1", "", 1)]
    table = matrix(counts)
    assert table.sum() == 6
    assert table[8, 11] == 3
    assert table[1, 36] == 1


def test_plates_fall_into_the_bin_of_their_width():
    bins = slices(outcomes([a_crop("AB", "AB", width=30.0), a_crop("AB", "XX", width=40.0), a_crop("AB", "AB", width=41.0)]))["width"]
    assert [(one.low, one.texts, one.right) for one in bins] == [(-np.inf, 1, 1), (40.0, 2, 1)]


def test_the_interval_of_wilson_is_the_published_one():
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-3)
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-3)


def test_a_level_plate_has_no_tilt_and_a_turned_one_its_angle():
    assert tilt(Quad.from_box(PLATE)) == 0.0
    assert tilt(Quad(((0, 0), (100, 100), (90, 110), (-10, 10)))) == pytest.approx(45.0)


def test_blurred_is_less_sharp_whatever_the_contrast():
    sharp = np.kron(np.indices((10, 32)).sum(axis=0) % 2, np.ones((4, 4))).astype(np.uint8) * 200
    blurred = cv2.GaussianBlur(sharp, (0, 0), 3)
    whole = Box(0, 0, 128, 40)
    assert facts(blurred, whole, None).sharpness < 0.5 * facts(sharp, whole, None).sharpness
    assert facts(sharp // 2, whole, None).sharpness == pytest.approx(facts(sharp, whole, None).sharpness, rel=0.1)


def test_every_set_counts_the_same_in_the_spread():
    spread = across_sets({"a": {"exact": 0.5, "plates": 1000}, "b": {"exact": 1.0, "plates": 1}, "c": {"plates": 0}})
    assert spread["exact"] == {"sets": 2, "mean": 0.75, "spread": pytest.approx(0.35355, abs=1e-4), "least": 0.5, "most": 1.0}


# --- calibration


def reads_that_overclaim(number=300, seed=1):
    """Crops whose texts are right less often than the logits claim."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(number):
        text = "".join(rng.choice(list("ABCDEF"), 3))
        logits = reader_codec.as_logits(text, certainty=float(rng.uniform(5, 9)))
        read = replace(reader_codec.decode(logits), logits=logits)
        truth = text if rng.random() < read.confidence**2 * 0.95 else text[:-1] + "Z"
        case = a_crop(truth, "X", source=str(rng.choice(["one", "two"])))
        case.looks = [Look(case.looks[0].detection, read)]
        cases.append(case)
    return cases


def test_a_reader_that_claims_too_much_is_brought_down_to_the_truth():
    found = calibration.study(outcomes(reads_that_overclaim()), reader_codec.decode)
    assert found.chosen != calibration.Setting()
    told = found.as_json()
    assert told["ece_after"] < 0.6 * told["ece_before"]
    assert told["reads"] == 300


def test_reads_of_several_looks_get_a_map_and_no_temperature():
    """One look's logits cannot tell what another temperature would have made of all of them."""
    cases = reads_that_overclaim()
    for case in cases:
        case.looks = [Look(case.looks[0].detection, replace(case.looks[0].read, logits=None))]
    found = calibration.study(outcomes(cases), reader_codec.decode)
    assert (found.name, found.chosen.temperature) == ("map", 1.0)


def test_too_few_reads_say_nothing():
    assert calibration.study(outcomes(reads_that_overclaim(100)), reader_codec.decode) is None


def test_an_honest_reader_is_left_about_as_it_is():
    rng = np.random.default_rng(2)
    p = rng.uniform(0.05, 0.99, 5000)
    slope, offset, ceiling = calibration.fit_map(p, rng.random(5000) < p)
    assert (slope, offset) == (pytest.approx(1.0, abs=0.15), pytest.approx(0.0, abs=0.15))
    assert ceiling >= 0.98


def test_of_the_surest_reads_no_more_is_claimed_than_is_right():
    """Wherever a reader is sure it is wrong three times in a hundred."""
    rng = np.random.default_rng(3)
    p = rng.beta(8, 0.4, 4000)
    right = (rng.random(4000) < p) & (rng.random(4000) < 0.97)
    sure = p > 0.99
    assert p[sure].mean() > right[sure].mean() + 0.02
    assert calibration.apply(p, calibration.fit_map(p, right))[sure].mean() == pytest.approx(right[sure].mean(), abs=0.007)


def test_the_map_for_many_is_the_devices_map():
    from edge.model.confidence import plate_confidence

    p = np.array([0.0, 0.2, 0.9, 1.0])
    assert calibration.apply(p, (1.3, -0.4, 0.97)) == pytest.approx([plate_confidence(one, (1.3, -0.4, 0.97)) for one in p])


def test_what_likelihood_cannot_tell_apart_the_calibration_error_decides():
    rng = np.random.default_rng(0)
    base = rng.random(200)
    losses = {"plain": base + 1.0, "a": base, "b": base + rng.normal(0, 0.001, 200)}
    assert calibration.choose(losses, {"plain": 0.0, "a": 0.05, "b": 0.02}) == "b"


def test_of_two_that_are_alike_the_first_is_taken():
    rng = np.random.default_rng(0)
    base = rng.random(200)
    losses = {"a": base + rng.normal(0, 0.001, 200), "b": base}
    assert calibration.choose(losses, {"a": 0.024, "b": 0.020}) == "a"


# --- what is written


def an_evaluation(folder):
    path = folder / "scene.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8))
    scenes = [a_scene(["AB12", "CD34"], [(0, "AB12", 0.9), (1, "CD84", 0.7), (None, "X", 0.4)], path) for _ in range(4)]
    return evaluate(scenes, {"reader": {"name": "<b>tiny</b>", "sha256": "0" * 64}}, None, resamples=5)


def test_the_page_is_one_file_that_needs_nothing_from_elsewhere(tmp_path):
    page = write_report(an_evaluation(tmp_path), tmp_path / "out")
    words = page.read_text()
    assert "<script" not in words
    assert re.findall(r"""(?:src|href)=["']?(?!["']|data:image/|#)[^>\s]*""", words) == []
    assert re.findall(r"https?:|@import|url\(", words) == []
    assert words.count("data:image/png") == len(list((tmp_path / "out").glob("*.png"))) >= 5
    assert "data:image/jpeg" in words
    assert "prefers-color-scheme: dark" in words
    assert "&lt;b&gt;tiny" in words
    assert "CD34 &gt; CD84" in words


def test_without_anything_to_show_the_page_still_stands(tmp_path):
    found = evaluate([a_scene([], [])], {}, None, resamples=5)
    assert draw_plots(found) == {}
    assert "None." in make_page(found, {}, "nothing", "now")


def test_the_json_has_the_groups_at_the_top_and_the_rest_beside_them(tmp_path):
    told = an_evaluation(tmp_path).as_json()
    assert told["all"]["all"]["exact"] == 0.5
    assert told["all"]["all"]["exact_auto"] == 0.5
    assert told["intervals_95"]["exact"] == [0.5, 0.5, 0.5]
    assert told["confusions"] == [["3", "8", 4]]
    assert told["coverage"][1] == {"wrong": 0.005, "share": 0.5, "threshold": pytest.approx(0.9**4)}
    assert told["slices"]["width"][0]["exact"] == 0.5


def test_a_run_on_drawn_pictures_agrees_with_itself(tmp_path):
    """The shipped bundles: what the table counts as found is what the outcomes count."""
    data = labelled.draw_scenes(tmp_path / "scenes", 4)
    cases = run_models([data], Detector.load(threshold=LOWEST), Reader.load(SHIPPED / "reader"))
    ones = outcomes(cases)
    row = figures(cases, ones)
    real = [one for one in ones if one.plate is not None]
    assert row["recall"] == pytest.approx(sum(one.found for one in real) / len(real))
    assert row["exact"] == pytest.approx(sum(one.right for one in real) / sum(one.truth is not None for one in real))


def test_questions_that_cannot_be_answered_are_one_sentence(tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "labels.jsonl").write_text("")
    with pytest.raises(DataError, match="no labelled picture"):
        check_data([tmp_path / "none"], {"reader"})
    crops = labelled.draw_clean_crops(tmp_path / "crops", 1)
    with pytest.raises(DataError, match="cut-out plates alone"):
        check_data([crops], {"detector"})
    labels = crops / "labels.jsonl"
    labels.write_text(re.sub(r'"text": "[^"]*"', '"text": null', labels.read_text()))
    with pytest.raises(DataError, match="no plate there has a text"):
        check_data([crops], {"reader"})
