"""Labelled folders that the generator draws: the native format with nobody's plate in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import PlatewatchError
from train.data.synth.plates import DrawnPlate, PlateArtist
from train.data.synth.scenes import SceneArtist
from train.data.synth.wear import photograph

Row = dict[str, Any]


def draw_clean_crops(folder: Path, number: int, seed: int = 0, country: str | None = None) -> Path:
    """Plates as good as a scanner would see them, cut out with a little margin."""

    def show(rng: np.random.Generator, plate: DrawnPlate) -> np.ndarray:
        edge = plate.luma.shape[0] // 12
        luma = cv2.copyMakeBorder(plate.luma, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=60)
        return cv2.GaussianBlur(cv2.resize(luma, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), (0, 0), 0.7)

    return _crops(folder, number, seed, country, show)


def draw_crops(folder: Path, number: int, seed: int = 0, country: str | None = None) -> Path:
    """Plates as a camera outdoors sees them, cut out with a margin."""
    return _crops(
        folder, number, seed, country, lambda rng, plate: photograph(rng, plate, (72, round(72 * plate.luma.shape[1] / plate.luma.shape[0])), (0.0, 0.1))
    )


def _crops(folder: Path, number: int, seed: int, country: str | None, show: Callable[[np.random.Generator, DrawnPlate], np.ndarray]) -> Path:
    artist, rows = PlateArtist(), []
    for index in range(number):
        rng = np.random.default_rng((seed, index))
        plate = artist.draw(rng, country)
        luma = show(rng, plate)
        h, w = luma.shape
        truth = {"box": [0, 0, w, h], "text": plate.text, "lines": plate.lines}
        rows.append(_save(folder, index, luma, {"country": None if plate.country == "xx" else plate.country, "crop": True, "plates": [truth]}))
    return _write(folder, rows)


def draw_scenes(folder: Path, number: int, seed: int = 0, width: int = 640, height: int = 480) -> Path:
    """Whole drawn scenes; corners known exactly."""
    artist, rows = SceneArtist(), []
    for index in range(number):
        luma, truths = artist.draw(np.random.default_rng((seed, index)), (height, width))
        plates = []
        for truth in truths:
            quad = np.asarray(truth.quad, float).round(2)
            box = [*quad.min(axis=0).tolist(), *quad.max(axis=0).tolist()]
            plates.append({"box": box, "corners": quad.tolist(), "text": truth.text or None, "lines": truth.lines})
        rows.append(_save(folder, index, luma, {"country": None, "plates": plates}))
    return _write(folder, rows)


def _save(folder: Path, index: int, luma: np.ndarray, row: Row) -> Row:
    """Write one picture; its row."""
    name = f"images/{index:05d}.jpg"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(folder / name), luma, [cv2.IMWRITE_JPEG_QUALITY, 92]):
        raise PlatewatchError(f"{folder / name}: cannot be written; is the disk full?")
    return {"image": name, "width": luma.shape[1], "height": luma.shape[0], "source": folder.name} | row


def _write(folder: Path, rows: list[Row]) -> Path:
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder
