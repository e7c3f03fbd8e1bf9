"""Labelled folders that the project's own generator draws: the native format with nobody's plate in it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from train.data.synth.plates import PlateArtist
from train.data.synth.scenes import SceneArtist


def crops(folder: Path, number: int, seed: int = 0, country: str = "de") -> Path:
    """Clean plates, cut out with a little margin."""
    artist, rows = PlateArtist(), []
    (folder / "images").mkdir(parents=True)
    for index in range(number):
        plate = artist.draw(np.random.default_rng((seed, index)), country)
        edge = plate.luma.shape[0] // 12
        luma = cv2.copyMakeBorder(plate.luma, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=60)
        luma = cv2.GaussianBlur(cv2.resize(luma, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), (0, 0), 0.7)
        name = f"images/{index}.jpg"
        cv2.imwrite(str(folder / name), luma)
        h, w = luma.shape
        rows.append(
            {
                "image": name,
                "width": w,
                "height": h,
                "country": country,
                "source": folder.name,
                "crop": True,
                "plates": [{"box": [0, 0, w, h], "text": plate.text, "lines": plate.lines}],
            }
        )
    return _write(folder, rows)


def scenes(folder: Path, number: int, seed: int = 0, width: int = 640, height: int = 480) -> Path:
    """Whole drawn scenes; corners known exactly."""
    artist, rows = SceneArtist(), []
    (folder / "images").mkdir(parents=True)
    for index in range(number):
        luma, truths = artist.draw(np.random.default_rng((seed, index)), (height, width))
        name = f"images/{index}.jpg"
        cv2.imwrite(str(folder / name), luma)
        plates = []
        for truth in truths:
            quad = np.asarray(truth.quad, float)
            plates.append(
                {"box": [*quad.min(axis=0).tolist(), *quad.max(axis=0).tolist()], "corners": quad.tolist(), "text": truth.text or None, "lines": truth.lines}
            )
        rows.append({"image": name, "width": width, "height": height, "country": None, "source": folder.name, "plates": plates})
    return _write(folder, rows)


def _write(folder: Path, rows: list[dict]) -> Path:
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
