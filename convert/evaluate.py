"""The bundles' figures on labelled photographs, through the device's own code."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.reading import Look, is_worth_telling, look_at_crop
from edge.records import Box, PlateRead
from edge.vision.geometry import iou
from edge.vision.image import load_image
from train import metrics
from train.data.formats.native import LabelledImage, LabelledPlate, find_folders, read_folder

LOWEST = 0.05
"""Score from which detections count towards average precision; precision and recall are of what the device would report."""
OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(slots=True)
class Case:
    """One picture with its truth and what the device made of it. `looks` holds detections down to LOWEST, best first."""

    image: LabelledImage
    looks: list[Look]
    threshold: float
    ms: float
    found: metrics.Found | None = None
    taken: Any = field(default=None)

    @property
    def told(self) -> list[bool]:
        """For each look: would the device report it?"""
        return [one.detection.score >= self.threshold and is_worth_telling(one) for one in self.looks]


def run_bundles(folders: Sequence[str | Path], detector: Detector, reader: Reader, progress: Any = iter) -> list[Case]:
    """Every picture of the labelled folders. `detector` must have been made with threshold LOWEST."""
    cases = []
    images = [image for folder in find_folders(list(folders)) for image in read_folder(folder)]
    for image in progress(images):
        luma, _ = load_image(image.path)
        if image.crop:
            began = time.perf_counter()
            looks = look_at_crop(luma, detector, reader).plates
            cases.append(Case(image, looks, 0.0, 1000 * (time.perf_counter() - began)))
            continue
        began = time.perf_counter()
        detections = detector.detect(luma)
        sure = [one for one in detections if one.score >= detector.manifest.threshold]
        reads = [reader.read(luma, one.quad, one.lines) for one in sure]
        ms = 1000 * (time.perf_counter() - began)
        nothing = PlateRead("", 0.0, ())
        looks = [Look(one, reads[place] if place < len(reads) else nothing) for place, one in enumerate(detections)]
        case = Case(image, looks, detector.manifest.threshold, ms)
        case.found = metrics.found(
            [one.detection.box for one in looks], [one.detection.score for one in looks], [plate.box for plate in image.plates], image.ignored
        )
        case.taken = metrics.match(case.found, 0.5)
        cases.append(case)
    return cases


def exact(plate: LabelledPlate, read: str) -> bool:
    """Read exactly; O and 0 are one on plates of the United States, whose labels do not tell them apart."""
    return bool(metrics.same_text(plate.text or "", read, plate.country))


def figures(cases: Sequence[Case]) -> dict[str, float | int]:
    """All figures of one group of pictures; a figure that the group cannot give is absent."""
    rows: dict[str, float | int] = {"images": len(cases)}
    scenes = [case for case in cases if case.found is not None]
    if scenes:
        rows["scenes"] = len(scenes)
        rows |= _detection(scenes)
        rows |= _whole(scenes)
    crops = [(case, plate) for case in cases if case.image.crop for plate in case.image.plates if plate.exact and not plate.year_omitted]
    if crops:
        reads = [case.looks[0].read.text if case.looks else "" for case, _ in crops]
        rows["crops"] = len(crops)
        rows["read_exact"] = float(np.mean([exact(plate, read) for (_, plate), read in zip(crops, reads, strict=True)]))
        rows["read_characters"] = metrics.character_accuracy(
            [_fold(plate, plate.text or "") for _, plate in crops], [_fold(plate, read) for (_, plate), read in zip(crops, reads, strict=True)]
        )
    rows["ms"] = float(np.median([case.ms for case in cases]))
    return {key: value for key, value in rows.items() if np.isfinite(value)}


def _fold(plate: LabelledPlate, text: str) -> str:
    return text.replace("O", "0") if plate.country == "us" else text


def _detection(scenes: Sequence[Case]) -> dict[str, float | int]:
    pictures = [case.found for case in scenes if case.found is not None]
    rows: dict[str, float | int] = {"plates": sum(len(one.truth) for one in pictures)}
    hits = false = 0
    hits75 = 0
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
        precisions = {overlap: metrics.average_precision(pictures, overlap) for overlap in OVERLAPS}
        rows |= {"ap50": precisions[0.5], "ap75": precisions[0.75], "map": float(np.mean(list(precisions.values())))}
    empty = [case for case in scenes if not case.image.plates and not case.image.ignored]
    if empty:
        rows["false_per_empty"] = float(np.mean([sum(case.told) for case in empty]))
    return rows


def _whole(scenes: Sequence[Case]) -> dict[str, float | int]:
    """A plate counts when it is found and read exactly; a report that fits no plate counts against precision."""
    wanted = found = right = reported = 0
    for case in scenes:
        assert case.found is not None
        texts = [plate for plate in case.image.plates if plate.exact]
        wanted += len(texts)
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
    return {
        "texts": wanted,
        "exact": recall,
        "exact_given_found": right / found if found else float("nan"),
        "whole_precision": precision,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
    }


def grouped(cases: Sequence[Case]) -> dict[str, dict[str, dict[str, float | int]]]:
    """{"source": {name: figures}, "country": {code: figures}, "all": {"all": figures}}."""
    sources: dict[str, list[Case]] = {}
    countries: dict[str, list[Case]] = {}
    for case in cases:
        sources.setdefault(case.image.source, []).append(case)
        if case.image.country:
            countries.setdefault(case.image.country, []).append(case)
    groups: Iterable[tuple[str, dict[str, list[Case]]]] = (("source", sources), ("country", countries), ("all", {"all": list(cases)}))
    return {kind: {name: figures(members) for name, members in sorted(group.items())} for kind, group in groups}


def worst(cases: Sequence[Case], at_most: int = 96) -> list[tuple[Case, Box, str, str]]:
    """Plates missed or read wrongly and false reports, the surest mistakes first: (case, where, what happened, label)."""
    wrong: list[tuple[float, tuple[Case, Box, str, str]]] = []
    for case in cases:
        if case.image.crop:
            for plate in case.image.plates:
                read = case.looks[0].read if case.looks else PlateRead("", 0.0, ())
                if plate.exact and not plate.year_omitted and not exact(plate, read.text):
                    whole = Box(0, 0, case.image.width, case.image.height)
                    wrong.append((read.confidence, (case, whole, "misread", f"{plate.text} > {read.text or '-'}")))
            continue
        matched = set()
        for place, (one, told) in enumerate(zip(case.looks, case.told, strict=True)):
            match = int(case.taken[place])
            if not told:
                continue
            if match >= 0:
                matched.add(match)
                plate = case.image.plates[match]
                if plate.exact and not exact(plate, one.read.text):
                    wrong.append((one.read.confidence, (case, one.detection.box, "misread", f"{plate.text} > {one.read.text or '-'}")))
            elif match == -1:
                near = max((iou(one.detection.box, plate.box) for plate in case.image.plates), default=0.0)
                label = f"false {one.detection.score:.2f} {one.read.text}" + (f" IoU {near:.2f}" if near > 0.1 else "")
                wrong.append((one.detection.score, (case, one.detection.box, "false", label)))
        wrong += [(0.5, (case, plate.box, "missed", f"missed {plate.text or ''}")) for place, plate in enumerate(case.image.plates) if place not in matched]
    wrong.sort(key=lambda pair: -pair[0])
    return [entry for _, entry in wrong[:at_most]]
