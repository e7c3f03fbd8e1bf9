"""What a plate must look like for the shipped reader: plates that it reads as they are, made worse in one way at a time until it does not.

Every figure is told in the setup aid's own unit (`edge.desk.aid.figures`), so that what is measured here can be its limits.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.desk.aid import figures
from edge.errors import ConfigError
from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.records import Box, Detection, Luma, PlateRead, Quad, Sighting
from edge.tracking.tracker import Track
from edge.vision.geometry import iou
from edge.vision.image import load_image, resize
from train.data.formats.native import LabelledImage, LabelledPlate, find_folders, read_folder

AROUND = 2.0
"""So much of its width is kept around a plate."""
LONG = 2.6
"""Where nobody says how many lines a plate has, one that is so much longer than high has one."""
WIDTH = 120.0
"""All but the width is tried on plates of this width, px."""
NOISE = 3.0
"""Standard deviation of the luma noise that is added at last: small and faint plates of a photograph are cleaner than a camera's."""
GOOD, BAD = 0.02, 0.15
"""So many of the plates may be lost."""
WIDE = 70
FINER = 8
"""A smear is not of whole pixels."""
STEPS: dict[str, tuple[float, ...]] = {
    "width_px": (24, 32, 40, 50, 60, 70, 80, 100, 120),
    "contrast": (4, 6, 10, 15, 20, 30, 40, 60, 80, 120),
    "burnt_out": (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    "smear": (0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08),
    "tilt_deg": (0, 5, 10, 15, 20, 25, 30, 40),
}
"""`smear`: along the plate, as a share of its width. `contrast` and `burnt_out` are what the aid tells of the plate afterwards, about."""
Progress = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Plate:
    """Cut out with what is around it: `quad` in pixels of `luma` (H, W). `alone`: there is nothing around it."""

    luma: Luma
    quad: Quad
    text: str
    lines: int
    alone: bool = False


@dataclass(slots=True)
class Tally:
    """Right reads by step, and the aid's own figures of what was read, with whether it was right."""

    plates: int = 0
    tried: dict[str, dict[float, int]] = field(default_factory=lambda: {way: defaultdict(int) for way in STEPS})
    right: dict[str, dict[float, int]] = field(default_factory=lambda: {way: defaultdict(int) for way in STEPS})
    told: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))

    def share(self, way: str, step: float) -> float:
        return self.right[way][step] / max(1, self.tried[way][step])


def plates(roots: Sequence[Path], most: int, seed: int) -> list[Plate]:
    """Of single lines, wide enough, with a sure text; drawn evenly from the folders. Raises ConfigError where there are none."""
    draw, found = np.random.default_rng(seed), list[Plate]()
    folders = [read_folder(folder) for folder in find_folders([str(root) for root in roots])]
    rows = [[(image, plate) for image in images for plate in image.plates if _is_fit(image, plate)] for images in folders]
    for each in rows:
        draw.shuffle(each)
    for image, plate in [each[place] for place in range(max(map(len, rows), default=0)) for each in rows if place < len(each)]:
        if len(found) >= most:
            break
        found.append(replace(_cut(load_image(image.path)[0], plate), alone=image.crop))
    if not found:
        raise ConfigError("--data: holds no plate of one line and a known text that is wide enough (150 px, in whole photographs 90)")
    return found


def _is_fit(image: LabelledImage, plate: LabelledPlate) -> bool:
    one_line = plate.lines == 1 or (plate.lines == 0 and plate.box.width >= LONG * plate.box.height)
    return plate.exact and not plate.year_omitted and one_line and plate.box.width >= (150 if image.crop else 90)


def _cut(luma: Luma, plate: LabelledPlate) -> Plate:
    reach, quad = AROUND * plate.box.width, plate.quad or Quad.from_box(plate.box)
    x0, y0 = max(0, math.floor(plate.box.x0 - reach)), max(0, math.floor(plate.box.y0 - reach))
    part = np.ascontiguousarray(luma[y0 : math.ceil(plate.box.y1 + reach), x0 : math.ceil(plate.box.x1 + reach)])
    return Plate(np.asarray(part, np.uint8), Quad.from_array(quad.array() - (x0, y0)), str(plate.text), 1)


def measure(found: Sequence[Plate], detector: Detector, reader: Reader, seed: int, progress: Progress) -> Tally:
    """Only plates count that are read right at WIDTH: of the others nothing can be learnt about what else they need."""
    tally, draw = Tally(), np.random.default_rng(seed)
    for plate in progress(found):
        base = _to_width(plate, WIDTH)
        if _read(_noisy(base, draw), reader).text != plate.text:
            continue
        tally.plates += 1
        for way, steps in STEPS.items():
            for step in steps if way != "tilt_deg" or not plate.alone else ():
                right = _try(tally, way, step, plate, base, detector, reader, draw)
                if way == "tilt_deg" and not step and not right:  # not found at all
                    tally.tried[way][step] = tally.right[way][step]
                    break
    return tally


def _try(tally: Tally, way: str, step: float, plate: Plate, base: Plate, detector: Detector, reader: Reader, draw: np.random.Generator) -> bool:
    """Whether it is still read."""
    worse = _noisy(worsened(plate if way == "width_px" else base, way, step), draw)
    if way == "tilt_deg":  # here it is the detector that must find the corners
        near = [one for one in detector.detect(worse.luma) if iou(one.box, worse.quad.box) >= 0.3]
        read = reader.read(worse.luma, near[0].quad, near[0].lines) if near else PlateRead("", 0.0, ())
    else:
        read = _read(worse, reader)
    right = read.text == plate.text
    tally.tried[way][step] += 1
    tally.right[way][step] += right
    if way == "smear" or (way == "width_px" and step >= WIDE):  # of the narrower ones the width is the trouble, and not how high they are
        told = figures(worse.luma, _track(worse, read))
        for name in ("character_height_px",) if way == "width_px" else ("sharpness",):
            if told[name] is not None:
                tally.told[name].append((float(told[name]), right))
    return right


def worsened(plate: Plate, way: str, step: float) -> Plate:
    """One of STEPS."""
    if way == "width_px":
        return _to_width(plate, step)
    if way == "tilt_deg":
        return _turned(plate, step)
    luma = plate.luma.astype(np.float32)
    box = plate.quad.box
    part = luma[max(0, int(box.y0)) : int(box.y1) + 1, max(0, int(box.x0)) : int(box.x1) + 1]
    low, high = np.percentile(part, (5, 95))
    if way == "contrast":
        luma = 110 + (luma - (low + high) / 2) * step / max(1.0, float(high - low))
    elif way == "burnt_out" and step:
        luma = luma * 255 / max(1.0, float(np.percentile(part, 100 * (1 - step))))
    elif way == "smear" and step:
        rows, columns = luma.shape
        large = cv2.resize(luma, (FINER * columns, rows), interpolation=cv2.INTER_LINEAR)
        smeared = cv2.blur(large, (max(1, round(FINER * step * box.width)), 1))
        luma = np.asarray(cv2.resize(smeared, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    return replace(plate, luma=np.clip(luma, 0, 255).astype(np.uint8))


def _to_width(plate: Plate, width: float) -> Plate:
    a, b, c, d = plate.quad.points
    scale = width / ((math.dist(a, b) + math.dist(d, c)) / 2)
    rows, columns = plate.luma.shape
    wide, high = max(8, round(columns * scale)), max(8, round(rows * scale))
    return replace(plate, luma=resize(plate.luma, wide, high), quad=Quad.from_array(plate.quad.array() * (wide / columns, high / rows)))


def _turned(plate: Plate, degrees: float) -> Plate:
    rows, columns = plate.luma.shape
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), -degrees, 1.0)
    luma = cv2.warpAffine(plate.luma, matrix, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    corners = plate.quad.array() @ matrix[:, :2].T + matrix[:, 2]
    return replace(plate, luma=np.asarray(luma, np.uint8), quad=Quad.from_array(corners))


def _noisy(plate: Plate, draw: np.random.Generator) -> Plate:
    noise = draw.normal(0, NOISE, plate.luma.shape)
    return replace(plate, luma=np.clip(plate.luma + noise, 0, 255).astype(np.uint8))


def _read(plate: Plate, reader: Reader) -> PlateRead:
    return reader.read(plate.luma, plate.quad, plate.lines)


def _track(plate: Plate, read: PlateRead) -> Track:
    box: Box = plate.quad.box
    return Track(1, [Sighting(Detection(plate.quad, box, 1.0, plate.lines), read, 0.0)], 0.0, 0.0)


def limits(rows: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """{figure: (good, bad)} from what the command writes: good as long as at most GOOD more are lost than at best, bad beyond BAD."""
    found = {}
    for way, steps in rows["ways"].items():
        kept = [(one["at"], one["right"] / one["of"]) for one in steps if one["of"]]
        found[way] = _limits(kept if kept and kept[0][1] < kept[-1][1] else kept[::-1])
    for name, parts in rows["told"].items():
        found[name] = _limits([(low, share) for low, _, share, _ in parts])
    return found


def _limits(kept: list[tuple[float, float]]) -> tuple[float, float]:
    """From the worst step to the best: where the run of good ones, and of bearable ones, begins."""
    best = max(share for _, share in kept)
    top = max(place for place, (_, share) in enumerate(kept) if share == best)
    reached = []
    for most in (GOOD, BAD):
        lost = [place for place, (_, share) in enumerate(kept[:top]) if best - share > most]
        reached.append(kept[max(lost, default=-1) + 1][0])
    return reached[0], reached[1]


def bins(told: Sequence[tuple[float, bool]], parts: int = 8) -> Iterator[tuple[float, float, float, int]]:
    """Least, most, share of right reads and number, in parts of equal numbers."""
    for part in np.array_split(np.array(sorted(told), dtype=float), parts):
        if len(part):
            yield float(part[0, 0]), float(part[-1, 0]), float(part[:, 1].mean()), len(part)
