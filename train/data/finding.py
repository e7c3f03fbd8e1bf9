"""Samples for the detector: real photographs zoomed, cut and exposed anew, with plates pasted in whose corners are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.records import Box, Luma, Quad
from edge.vision import detector_codec
from edge.vision.detector_codec import PlateTruth
from edge.vision.geometry import iou
from edge.vision.image import PAD, load_image
from train.data import augment
from train.data.formats.native import LabelledImage
from train.data.pasting import paste, random_quad

Rng = np.random.Generator
WIDTH, HEIGHT = 384, 288
DECOY_CHANCE = 0.4
BACKDROP_CHANCE = 0.85
Sample = tuple[Luma, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Scene:
    """One photograph to learn from."""

    luma: Luma
    plates: tuple[PlateTruth, ...]
    ignored: tuple[Box, ...]
    source: str


def load_scenes(images: Sequence[LabelledImage]) -> list[Scene]:
    """Whole photographs as luma, longest side at most 1024 px as stored."""
    return [
        Scene(load_image(image.path)[0], tuple(PlateTruth(plate.box, plate.quad, plate.lines) for plate in image.plates), image.ignored, image.source)
        for image in images
    ]


class RealScenes:
    """A cut of (height, width) out of a real photograph, at about the size at which the device would see it.

    The device letterboxes whole frames to 384x288; training may cut smaller windows out of that view, which costs less a step.
    `flats(rng)`, if given, yields (luma of one flat plate, lines) to paste in; `decoys(rng)` flat pictures that look like plates and are none.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        width: int,
        height: int,
        weights: dict[str, float],
        flats: Callable[[Rng], tuple[Luma, int]] | None = None,
        paste_chance: float = 0.35,
        decoys: Callable[[Rng], Luma] | None = None,
    ) -> None:
        if not scenes:
            raise ValueError("no photograph to learn from")
        self.scenes, self.width, self.height = list(scenes), width, height
        self.flats, self.paste_chance, self.decoys = flats, paste_chance, decoys
        chances = np.array([weights.get(scene.source, 1.0) for scene in scenes], dtype=np.float64)
        self.chances = np.cumsum(chances / chances.sum())

    def __call__(self, rng: Rng) -> Sample:
        scene = self._choose(rng)
        matrix = self._view(rng, scene)
        fill = PAD if rng.random() < 0.7 else int(rng.integers(0, 256))
        luma = augment.warp(scene.luma, matrix, self.width, self.height, fill)
        plates, ignored = self._carry(scene, matrix)
        if rng.random() < BACKDROP_CHANCE:
            luma = self._back(rng, luma, carried_box(scene, matrix), plates, ignored)
        if self.flats is not None and (rng.random() < self.paste_chance or (not plates and rng.random() < 0.5)):
            for _ in range(1 if rng.random() < 0.7 else 2):
                luma = self._paste(rng, luma, plates, ignored)
        if self.decoys is not None and rng.random() < DECOY_CHANCE:
            for _ in range(int(rng.integers(1, 4))):
                luma = self._distract(rng, luma, plates)
        luma = augment.expose(rng, luma)
        if rng.random() < 0.25:
            luma = augment.blur(rng, luma, 1.6)
        if rng.random() < 0.3:
            luma = augment.add_noise(rng, luma, 18.0)
        if rng.random() < 0.2:
            luma = augment.compress(rng, luma)
        if rng.random() < 0.04:
            luma = np.asarray(255 - luma, np.uint8)
        return luma, detector_codec.encode(plates, ignored, self.width, self.height)

    def _choose(self, rng: Rng) -> Scene:
        return self.scenes[min(int(np.searchsorted(self.chances, rng.random())), len(self.scenes) - 1)]

    def _back(self, rng: Rng, luma: Luma, front: Box, plates: list[PlateTruth], ignored: list[Box]) -> Luma:
        """Another photograph in the place that this one leaves empty: more to learn from for the same step, and far plates among busy surroundings."""
        if (min(front.x1, self.width) - max(front.x0, 0)) * (min(front.y1, self.height) - max(front.y0, 0)) > 0.75 * self.width * self.height:
            return luma
        other = self._choose(rng)
        h, w = other.luma.shape
        scale = max(self.width / w, self.height / h) * float(np.exp(abs(rng.normal(0, 0.25))))
        shift = [rng.uniform(room - scale * length, 0.0) for room, length in ((self.width, w), (self.height, h))]
        matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
        back = augment.warp(other.luma, matrix, self.width, self.height)
        more, skipped = self._carry(other, matrix)
        x0, y0, x1, y1 = max(round(front.x0), 0), max(round(front.y0), 0), min(round(front.x1), self.width), min(round(front.y1), self.height)
        back[y0:y1, x0:x1] = luma[y0:y1, x0:x1]
        for plate in more:
            hidden = max(0.0, min(plate.box.x1, x1) - max(plate.box.x0, x0)) * max(0.0, min(plate.box.y1, y1) - max(plate.box.y0, y0))
            if hidden == 0:
                plates.append(plate)
            elif hidden < 0.9 * plate.box.area:
                skipped.append(Box(plate.box.x0, plate.box.y0, plate.box.x1, plate.box.y1))
        ignored += [box for box in skipped if not (x0 < box.centre[0] < x1 and y0 < box.centre[1] < y1)]
        return back

    def _view(self, rng: Rng, scene: Scene) -> npt.NDArray[np.float64]:
        """Affine from the photograph to the cut: zoom around the device's own view, a little stretch and turn, mirrored or not."""
        h, w = scene.luma.shape
        scale = min(WIDTH / w, HEIGHT / h)
        plate = scene.plates[int(rng.integers(len(scene.plates)))] if scene.plates else None
        if plate is not None and rng.random() < 0.3:
            scale = np.exp(rng.uniform(np.log(14.0), np.log(0.8 * self.width))) / plate.box.width
            scale = float(np.clip(scale, 0.15, 4.0))
        else:
            scale *= float(np.exp(rng.normal(0.05, 0.35)))
        sx, sy = scale * np.exp(rng.normal(0, 0.07)), scale * np.exp(rng.normal(0, 0.07))
        turn = np.deg2rad(rng.normal(0, 2.5)) if rng.random() < 0.35 else 0.0
        linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([sx, sy])
        if rng.random() < 0.5:
            linear = linear @ np.diag([-1.0, 1.0])
        hull = carried_hull(linear, w, h)
        offset = np.empty(2)
        for axis, room in ((0, self.width), (1, self.height)):
            low, high = sorted((-hull[0][axis], room - hull[1][axis]))  # the photograph fills the cut, or lies within it
            if plate is not None and rng.random() < 0.9:
                middle = float((linear @ np.array(plate.box.centre))[axis])
                low, high = max(low, 0.04 * room - middle), min(high, 0.96 * room - middle)
            offset[axis] = rng.uniform(low, high) if high > low else (low + high) / 2
        return np.column_stack([linear, offset])

    def _carry(self, scene: Scene, matrix: npt.NDArray[np.float64]) -> tuple[list[PlateTruth], list[Box]]:
        """Truth in the cut. A plate mostly outside or too small to find is neither rewarded nor punished."""
        plates, ignored = [], [augment.carry(box, matrix) for box in scene.ignored]
        mirrored = np.linalg.det(matrix[:, :2]) < 0
        for plate in scene.plates:
            box = augment.carry(plate.box, matrix)
            inside = Box(max(box.x0, 0), max(box.y0, 0), min(box.x1, self.width), min(box.y1, self.height))
            if inside.width <= 0 or inside.height <= 0:
                continue
            if inside.area < 0.6 * box.area or box.width < 9 or box.height < 3.5:
                ignored.append(box)
                continue
            quad = None
            if plate.quad is not None:
                points = plate.quad.array() @ matrix[:, :2].T + matrix[:, 2]
                quad = Quad.from_array(points[[1, 0, 3, 2]] if mirrored else points)
            plates.append(PlateTruth(inside, quad if inside == box else None, plate.lines))
        return plates, ignored

    def _paste(self, rng: Rng, luma: Luma, plates: list[PlateTruth], ignored: list[Box]) -> Luma:
        """Put one flat plate somewhere free, in perspective and in the light of its surroundings; its truth joins `plates`."""
        flat, lines = self.flats(rng)  # type: ignore[misc]
        quad = random_quad(rng, flat.shape[1] / flat.shape[0], self.width, self.height)
        box = quad.box
        grown = Box(box.x0 - 4, box.y0 - 4, box.x1 + 4, box.y1 + 4)
        if any(iou(grown, plate.box) > 0 for plate in plates) or any(iou(grown, other) > 0 for other in ignored):
            return luma
        plates.append(PlateTruth(box, quad, lines))
        return paste(rng, luma, flat, quad)

    def _distract(self, rng: Rng, luma: Luma, plates: list[PlateTruth]) -> Luma:
        """Put something that is no plate where no plate is. Large enough to be told from one: at some size all lettering looks alike."""
        assert self.decoys is not None
        flat = self.decoys(rng)
        quad = random_quad(rng, flat.shape[1] / flat.shape[0], self.width, self.height)
        box = quad.box
        grown = Box(box.x0 - 4, box.y0 - 4, box.x1 + 4, box.y1 + 4)
        if box.height < 14 or any(iou(grown, plate.box) > 0 for plate in plates):
            return luma
        return paste(rng, luma, flat, quad)


def carried_hull(linear: npt.NDArray[np.float64], width: int, height: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest x, y of a picture of that size under a linear map."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64) @ linear.T
    return corners.min(axis=0), corners.max(axis=0)


def carried_box(scene: Scene, matrix: npt.NDArray[np.float64]) -> Box:
    """Where the whole photograph comes to lie."""
    return augment.carry(Box(0.0, 0.0, float(scene.luma.shape[1]), float(scene.luma.shape[0])), matrix)


class DrawnScenes:
    """Whole scenes from the generator, with exact corners. `draw(rng, (height, width))` gives (luma, truths with quad and lines)."""

    def __init__(self, draw: Callable[[Rng, tuple[int, int]], tuple[Luma, list[object]]], width: int, height: int) -> None:
        self.draw, self.width, self.height = draw, width, height

    def __call__(self, rng: Rng) -> Sample:
        luma, truths = self.draw(rng, (self.height, self.width))
        plates = []
        for truth in truths:
            quad = Quad.from_array(truth.quad)  # type: ignore[attr-defined]
            plates.append(PlateTruth(quad.box, quad, truth.lines))  # type: ignore[attr-defined]
        return luma, detector_codec.encode(plates, [], self.width, self.height)
