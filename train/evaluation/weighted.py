"""The main figures as functions of a weight a picture: what the bootstrap draws again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from edge.plates.text import edit_distance
from train import metrics
from train.evaluation.bootstrap import RESAMPLES, Interval, draws, interval, ratio
from train.evaluation.cases import Case
from train.evaluation.curves import auc, coverage, expected_calibration_error
from train.evaluation.figures import OVERLAPS, exact, f1, fold
from train.evaluation.outcomes import Claims, Outcome

Floats = npt.NDArray[np.float64]


def intervals(cases: Sequence[Case], ones: Sequence[Outcome], plates: Claims, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """95 % intervals of the main figures over all pictures; absent what cannot be told."""
    drawn = draws(len(cases), resamples)
    return {name: one for name, figure in main_figures(cases, ones, plates).items() if (one := interval(figure, drawn)) is not None}


def main_figures(cases: Sequence[Case], ones: Sequence[Outcome], plates: Claims) -> dict[str, Callable[[Floats], float]]:
    """Name -> figure of a weight a picture. With a weight of one each they are those of `figures`."""
    number = {
        name: np.zeros(len(cases)) for name in ("hits", "reports", "plates", "right", "said", "texts", "crops", "read", "characters", "edits", "empty", "false")
    }
    for place, case in enumerate(cases):
        if case.found is None:
            for plate in case.texts:
                read, truth = (fold(plate, text) for text in (case.looks[0].read.text if case.looks else "", plate.text or ""))
                number["crops"][place] += 1
                number["read"][place] += truth == read
                number["characters"][place] += len(truth)
                number["edits"][place] += edit_distance(truth, read)
            continue
        told = np.array(case.told, bool)
        number["hits"][place] = np.sum(told & (case.taken >= 0))
        number["reports"][place] = np.sum(told & (case.taken != -2))
        number["plates"][place] = len(case.image.plates)
        number["texts"][place] = len(case.texts)
        if not case.image.plates and not case.image.ignored:
            number["empty"][place], number["false"][place] = 1, told.sum()
        for look, match in zip(np.array(case.looks, object)[told], case.taken[told], strict=True):
            plate = case.image.plates[match] if match >= 0 else None
            number["right"][place] += plate is not None and plate.exact and exact(plate, look.read.text)
            number["said"][place] += bool(look.read.text) and (match == -1 or (plate is not None and plate.exact))
    precision, recall = ratio(number["hits"], number["reports"]), ratio(number["hits"], number["plates"])
    sure, whole = ratio(number["right"], number["said"]), ratio(number["right"], number["texts"])
    if not number["plates"].any():  # where there is nothing to find, precision tells nothing that false_per_empty does not
        precision = ratio(np.zeros(len(cases)), np.zeros(len(cases)))
    if not number["texts"].any():
        sure = whole
    wrong_characters = ratio(number["edits"], number["characters"])
    rules = {name: np.zeros(len(cases)) for name in ("exact_auto", "exact_told", "read_exact_auto", "read_exact_told")}
    for one in ones:
        if one.truth is not None and one.auto is not None and one.told is not None:
            for name, ruled in (("auto", one.auto), ("told", one.told)):
                rules[f"read_exact_{name}" if one.crop else f"exact_{name}"][one.picture] += one.says(ruled.text)
    aps = {overlap: _average_precision(cases, overlap) for overlap in OVERLAPS}
    return {
        "precision": precision,
        "recall": recall,
        "found_f1": lambda weights: f1(precision(weights), recall(weights)),
        "ap50": aps[0.5],
        "map": lambda weights: float(np.mean([ap(weights) for ap in aps.values()])),
        "false_per_empty": ratio(number["false"], number["empty"]),
        "exact": whole,
        "exact_auto": ratio(rules["exact_auto"], number["texts"]),
        "exact_told": ratio(rules["exact_told"], number["texts"]),
        "whole_precision": sure,
        "f1": lambda weights: f1(sure(weights), whole(weights)),
        "read_exact": ratio(number["read"], number["crops"]),
        "read_exact_auto": ratio(rules["read_exact_auto"], number["crops"]),
        "read_exact_told": ratio(rules["read_exact_told"], number["crops"]),
        "read_characters": lambda weights: 1.0 - wrong_characters(weights),
        "ece": lambda weights: expected_calibration_error(plates.confidence, plates.right, plates.weights(weights)),
        "auc": lambda weights: auc(plates.confidence, plates.right, plates.weights(weights)),
        "coverage": lambda weights: coverage(plates.confidence, plates.right, float(weights @ plates.plates), 0.005, plates.weights(weights)).share,
    }


def weighted_precision(hit: Floats, picture: npt.NDArray[np.intp], truths: Floats) -> Callable[[Floats], float]:
    """Average precision of detections, the surest first: `hit` is 1.0 for a right one, `picture` its photograph; `truths` are plates by photograph."""

    def figure(weights: Floats) -> float:
        total = float(weights @ truths)
        if not total or not len(hit):
            return 0.0 if total else float("nan")
        each = weights[picture]
        hits = np.cumsum(each * hit)
        precision = np.maximum.accumulate((hits / np.maximum(np.cumsum(each), 1e-12))[::-1])[::-1]
        return float(np.diff(np.append(0.0, hits / total)) @ precision)

    return figure


def _average_precision(cases: Sequence[Case], overlap: float) -> Callable[[Floats], float]:
    """`train.metrics.average_precision` with a weight a picture."""
    rows = [
        (float(score), bool(taken >= 0), place)
        for place, case in enumerate(cases)
        if case.found is not None
        for score, taken in zip(case.found.scores, metrics.match(case.found, overlap), strict=True)
        if taken != -2
    ]
    rows.sort(key=lambda row: -row[0])
    hit, picture = np.array([row[1] for row in rows], np.float64), np.array([row[2] for row in rows], np.intp)
    truths = np.array([len(case.found.truth) if case.found is not None else 0 for case in cases], np.float64)
    return weighted_precision(hit, picture, truths)
