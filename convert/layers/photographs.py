"""Plates that float reads or finds and int8 does not, and the other way round, through the device's own reader and detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.nets import VariantNet
from edge.model.detector import Detector
from edge.model.manifest import Manifest
from edge.model.reader import Reader
from edge.model.tflite import Interpreter, Net
from edge.vision.geometry import iou
from train.data.formats.native import find_folders, read_folder
from train.evaluation.cases import LOWEST, NOTHING, Case, Legible, run_models, run_reader
from train.evaluation.figures import exact
from train.evaluation.sheets import Example


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Labelled plates by who was right, float or int8; detectors: false reports of each too. `lost` and `won` are for looking at, the surest first."""

    plates: int
    both: int
    float_only: int
    int8_only: int
    neither: int
    false_float: int
    false_int8: int
    lost: tuple[Example, ...]
    won: tuple[Example, ...]

    @property
    def chance(self) -> float:
        """Exact McNemar test, two-sided: how likely a split as uneven as this is when int8 is as good as float."""
        return even_chance(self.float_only, self.int8_only)


def even_chance(one: int, other: int) -> float:
    """Probability of a split at least as uneven, when each of one + other falls to either side with a half."""
    number = one + other
    tail: int = sum(math.comb(number, count) for count in range(min(one, other) + 1))
    return min(1.0, float(2 * tail / 2**number))


def disagreements(manifest: Manifest, floats: bytes, int8: bytes, folders: Sequence[Path], progress: Any = iter) -> Disagreement:
    """Both networks on every labelled plate. The detector without closer looks, as in the gate: the networks are compared, not the looking."""
    nets: list[Net] = [VariantNet(floats, "the float file"), Interpreter(int8, manifest.name)]
    if manifest.kind == "reader":
        return _reads(*([*run_reader(folders, Reader(manifest, net), progress)] for net in nets))
    scenes = [folder for folder in find_folders(list(folders)) if not all(image.crop for image in read_folder(folder))]
    return _finds(*(run_models(scenes, Detector(manifest, net, LOWEST, views=0), Legible(), progress, crops=False) if scenes else [] for net in nets))


def _reads(floats: list[Case], int8: list[Case]) -> Disagreement:
    counts = {(a, b): 0 for a in (True, False) for b in (True, False)}
    lost, won = [], []
    for there, here in zip(floats, int8, strict=True):
        plate = there.image.plates[0]
        said, says = (case.looks[0].read if case.looks else NOTHING for case in (there, here))
        right = exact(plate, said.text), exact(plate, says.text)
        counts[right] += 1
        if right[0] and not right[1]:
            lost.append(Example(here, plate.box, "int8 wrong", says.confidence, f"{plate.text} > {says.text or '-'}"))
        elif right[1] and not right[0]:
            won.append(Example(there, plate.box, "float wrong", said.confidence, f"{plate.text} > {said.text or '-'}"))
    return _disagreement(counts, 0, 0, lost, won)


def _finds(floats: list[Case], int8: list[Case]) -> Disagreement:
    counts = {(a, b): 0 for a in (True, False) for b in (True, False)}
    lost, won = [], []
    false = [0, 0]
    for pair in zip(floats, int8, strict=True):
        best = [_best(case) for case in pair]
        for place, plate in enumerate(pair[0].image.plates):
            scores = [one.get(place, 0.0) for one in best]
            right = scores[0] >= pair[0].threshold, scores[1] >= pair[1].threshold
            counts[right] += 1
            words = f"float {scores[0]:.2f}, int8 {scores[1]:.2f}"
            if right[0] and not right[1]:
                lost.append(Example(pair[1], plate.box, "int8 misses", scores[0], f"missed: {words}"))
            elif right[1] and not right[0]:
                won.append(Example(pair[0], plate.box, "float misses", scores[1], f"missed: {words}"))
        wrong = [[look.detection for look, match, told in zip(case.looks, case.taken, case.told, strict=True) if told and match == -1] for case in pair]
        for side, examples, whose in ((1, lost, "int8"), (0, won, "float")):
            false[side] += len(wrong[side])
            alone = [one for one in wrong[side] if not any(iou(one.box, other.box) > 0.5 for other in wrong[1 - side])]
            examples += [Example(pair[side], one.box, f"false by {whose}", one.score, f"false by {whose} {one.score:.2f}") for one in alone]
    return _disagreement(counts, false[0], false[1], lost, won)


def _best(case: Case) -> dict[int, float]:
    """The best score that a detection of each plate has."""
    found: dict[int, float] = {}
    for look, place in zip(case.looks, case.taken, strict=True):
        if place >= 0:
            found[int(place)] = max(found.get(int(place), 0.0), look.detection.score)
    return found


def _disagreement(counts: dict[tuple[bool, bool], int], false_float: int, false_int8: int, lost: list[Example], won: list[Example]) -> Disagreement:
    lost, won = (sorted(examples, key=lambda one: -one.confidence) for examples in (lost, won))
    both, float_only, int8_only, neither = (counts[key] for key in ((True, True), (True, False), (False, True), (False, False)))
    return Disagreement(sum(counts.values()), both, float_only, int8_only, neither, false_float, false_int8, tuple(lost), tuple(won))
