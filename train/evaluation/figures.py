"""The figures of one group of pictures, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from train import metrics
from train.data.formats.native import LabelledPlate
from train.evaluation.cases import Case, by_group
from train.evaluation.curves import auc, coverage, expected_calibration_error
from train.evaluation.outcomes import Outcome, claims

OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
LEAST_CLAIMS = 50
"""Of fewer reads nothing is said about confidence."""
Figures = dict[str, float | int]


def exact(plate: LabelledPlate, read: str) -> bool:
    """Read exactly; O and 0 are one on plates of the United States, whose labels do not tell them apart."""
    return bool(metrics.same_text(plate.text or "", read, plate.country))


def figures(cases: Sequence[Case], ones: Sequence[Outcome] = ()) -> Figures:
    """All figures of one group of pictures; one that the group cannot give is absent. `ones` are the group's outcomes, for those of confidence."""
    rows: Figures = {"images": len(cases)}
    scenes = [case for case in cases if case.found is not None]
    if scenes:
        rows["scenes"] = len(scenes)
        rows |= _finding(scenes)
        rows |= _whole(scenes)
    crops = [(plate, case.looks[0].read.text if case.looks else "") for case in cases if case.image.crop for plate in case.texts]
    if crops:
        rows["crops"] = len(crops)
        rows["read_exact"] = float(np.mean([exact(plate, read) for plate, read in crops]))
        rows["read_characters"] = metrics.character_accuracy([fold(plate, plate.text or "") for plate, _ in crops], [fold(*pair) for pair in crops])
    rows |= _ruled(ones)
    rows["ms"] = float(np.median([case.ms for case in cases]))
    rows |= _confidence(ones)
    return {key: value for key, value in rows.items() if np.isfinite(value)}


def fold(plate: LabelledPlate, text: str) -> str:
    """O as 0 on plates of the United States."""
    return text.replace("O", "0") if plate.country == "us" else text


def f1(precision: float, recall: float) -> float:
    """Their harmonic mean."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _finding(scenes: Sequence[Case]) -> Figures:
    pictures = [case.found for case in scenes if case.found is not None]
    rows: Figures = {"plates": sum(len(one.truth) for one in pictures)}
    hits = false = hits75 = 0
    for case in scenes:
        assert case.found is not None
        told = np.array(case.told, dtype=bool)
        hits += int(np.sum((case.taken >= 0) & told))
        false += int(np.sum((case.taken == -1) & told))
        hits75 += int(np.sum((metrics.match(case.found, 0.75) >= 0) & told))
    rows["precision"] = hits / (hits + false) if hits + false else float("nan")
    if rows["plates"]:
        rows["recall"] = hits / rows["plates"]
        rows["recall75"] = hits75 / rows["plates"]
        rows["found_f1"] = f1(float(rows["precision"]), float(rows["recall"])) if hits else 0.0
        precisions = {overlap: metrics.average_precision(pictures, overlap) for overlap in OVERLAPS}
        rows |= {"ap50": precisions[0.5], "ap75": precisions[0.75], "map": float(np.mean(list(precisions.values())))}
    empty = [case for case in scenes if not case.image.plates and not case.image.ignored]
    if empty:
        rows["empty"] = len(empty)
        rows["false_per_empty"] = float(np.mean([sum(case.told) for case in empty]))
    return rows


def _whole(scenes: Sequence[Case]) -> Figures:
    """A plate counts when it is found and read exactly; a report that fits no plate counts against precision."""
    wanted = found = right = reported = 0
    for case in scenes:
        wanted += sum(plate.exact for plate in case.image.plates)
        for place, (one, told) in enumerate(zip(case.looks, case.told, strict=True)):
            if not told:
                continue
            match = int(case.taken[place])
            plate = case.image.plates[match] if match >= 0 else None
            if plate is not None and plate.exact:
                found += 1
                right += exact(plate, one.read.text)
            reported += bool(one.read.text) and (match == -1 or (plate is not None and plate.exact))
    if not wanted:
        return {}
    recall, precision = right / wanted, right / reported if reported else 0.0
    given_found = right / found if found else float("nan")
    return {"texts": wanted, "exact": recall, "exact_given_found": given_found, "whole_precision": precision, "f1": f1(precision, recall)}


def _ruled(ones: Sequence[Outcome]) -> Figures:
    """Exact under the country rules: of all countries (`auto`), and of the label's own (`told`)."""
    rows: Figures = {}
    for crop, key in ((False, "exact"), (True, "read_exact")):
        texts = [(one, one.auto, one.told) for one in ones if one.truth is not None and one.crop == crop and one.auto is not None and one.told is not None]
        if texts:
            rows[f"{key}_auto"] = float(np.mean([one.says(auto.text) for one, auto, _ in texts]))
            rows[f"{key}_told"] = float(np.mean([one.says(told.text) for one, _, told in texts]))
    return rows


def _confidence(ones: Sequence[Outcome]) -> Figures:
    said = claims(ones, 1 + max((one.picture for one in ones), default=0))
    if len(said.confidence) < LEAST_CLAIMS:
        return {}
    return {
        "claims": len(said.confidence),
        "ece": expected_calibration_error(said.confidence, said.right),
        "auc": auc(said.confidence, said.right),
        "coverage": coverage(said.confidence, said.right, said.plates.sum(), 0.005).share,
    }


def grouped(cases: Sequence[Case], ones: Sequence[Outcome] = ()) -> dict[str, dict[str, Figures]]:
    """{"source": {name: figures}, "country": {code: figures}, "all": {"all": figures}}."""
    number = {id(case): place for place, case in enumerate(cases)}
    by_picture: dict[int, list[Outcome]] = {}
    for one in ones:
        by_picture.setdefault(one.picture, []).append(one)

    def of(members: Sequence[Case]) -> list[Outcome]:
        return [one for case in members for one in by_picture.get(number[id(case)], [])]

    return {kind: {name: figures(members, of(members)) for name, members in group.items()} for kind, group in by_group(cases).items()}


SPREAD = (
    "recall",
    "precision",
    "found_f1",
    "ap50",
    "map",
    "exact",
    "exact_auto",
    "exact_told",
    "f1",
    "read_exact",
    "read_exact_auto",
    "read_exact_told",
    "read_characters",
    "ece",
    "coverage",
)


def across_sets(sources: dict[str, Figures]) -> dict[str, dict[str, float | int]]:
    """Each figure over the test sets that have it: mean, standard deviation, least and most. Every set counts the same."""
    rows: dict[str, dict[str, float | int]] = {}
    for key in SPREAD:
        values = [float(row[key]) for row in sources.values() if key in row and not (key == "precision" and not row["plates"])]
        if len(values) > 1:
            rows[key] = {
                "sets": len(values),
                "mean": float(np.mean(values)),
                "spread": float(np.std(values, ddof=1)),
                "least": min(values),
                "most": max(values),
            }
    return rows
