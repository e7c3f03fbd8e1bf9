"""Contact sheets: plates with their texts, for an eye to run over. They hold photographs, so they stay in the user's own folder."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.image import load_image
from train.data.formats.raw import Remark
from train.data.prepare.check import Sample
from train.data.prepare.write import replace

TILE_W, TILE_H, COLUMNS, MOST = 220, 130, 6, 96
DOUBTFUL = ("odd shape", "glyphs left out", "transliterated", "accents dropped", "box clipped", "corners reordered", "scaled", "turned", "orientation unknown")
"""Reasons for which somebody should look at a plate."""
Tile = tuple[Sample, dict[str, Any], str]


def chosen(samples: Sequence[Sample], seed: int) -> list[Tile]:
    """At most MOST plates, the sources in turn, by a hash of the seed."""
    by_source: dict[str, list[Tile]] = defaultdict(list)
    for sample in sorted(samples, key=lambda sample: hashlib.sha256(f"{seed} {sample.facts.sha256}".encode()).digest()):
        by_source[sample.row["source"]] += [(sample, plate, "") for plate in sample.row["plates"]]
    turns = max(map(len, by_source.values()), default=0)
    return [tiles[turn] for turn in range(turns) for tiles in by_source.values() if turn < len(tiles)][:MOST]


def doubtful(samples: Sequence[Sample], remarks: Iterable[Remark]) -> list[Tile]:
    """Plates of the pictures that were mended or noted, with the reason."""
    reasons = {(remark.place, remark.picture): remark.reason for remark in remarks if remark.reason in DOUBTFUL}
    found = [(sample, reasons[(sample.place, sample.name)]) for sample in samples if (sample.place, sample.name) in reasons]
    return [(sample, plate, reason) for sample, reason in found for plate in sample.row["plates"]][:MOST]


def draw(path: Path, tiles: Sequence[Tile]) -> bool:
    """A PNG of the plates with their texts; False where there is none to draw."""
    pictures = [_tile(*tile) for tile in tiles]
    if not pictures:
        return False
    pictures += [np.full((TILE_H, TILE_W, 3), 255, np.uint8)] * (-len(pictures) % COLUMNS)
    sheet = np.vstack([np.hstack(pictures[start : start + COLUMNS]) for start in range(0, len(pictures), COLUMNS)])
    replace(path, cv2.imencode(".png", sheet)[1].tobytes())
    return True


def _tile(sample: Sample, plate: dict[str, Any], reason: str) -> npt.NDArray[np.uint8]:
    """(TILE_H, TILE_W, 3): the plate with a margin and its outline, its text and source beneath."""
    _, bgr = load_image(sample.path)
    x0, y0, x1, y1 = plate["box"]
    across, down = 0.25 * (x1 - x0), 0.25 * (y1 - y0)
    left, top = max(0, int(x0 - across)), max(0, int(y0 - down))
    part = bgr[top : int(y1 + down) + 1, left : int(x1 + across) + 1]
    scale = min((TILE_W - 8) / part.shape[1], (TILE_H - 44) / part.shape[0])
    part = cv2.resize(part, (max(1, int(part.shape[1] * scale)), max(1, int(part.shape[0] * scale))), interpolation=cv2.INTER_AREA)
    outline = plate["corners"] or [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    cv2.polylines(part, [np.int32((np.array(outline) - (left, top)) * scale)], True, (0, 160, 255), 1, cv2.LINE_AA)
    tile = np.full((TILE_H, TILE_W, 3), 255, np.uint8)
    bottom = TILE_H - 38
    tile[bottom - part.shape[0] : bottom, 4 : 4 + part.shape[1]] = part
    text = (plate["text"] or "(no text)") + (" *" if plate.get("partial") or plate.get("masked") else "") + (" 2 lines" if plate.get("lines") == 2 else "")
    cv2.putText(tile, text, (4, TILE_H - 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    beneath = reason or sample.row["source"].encode("ascii", "replace").decode()
    cv2.putText(tile, beneath[:34], (4, TILE_H - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 200) if reason else (110, 110, 110), 1, cv2.LINE_AA)
    return tile
