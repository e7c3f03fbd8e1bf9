"""Tables and pictures of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from convert.evaluate import Case, worst
from edge.errors import ImageError
from edge.vision.image import load_image, resize

DETECTION = ("scenes", "plates", "precision", "recall", "recall75", "ap50", "ap75", "map", "false_per_empty")
WHOLE = ("scenes", "texts", "exact", "exact_given_found", "whole_precision", "f1")
READING = ("crops", "read_exact", "read_characters", "ms")
TITLES = {
    "Finding (precision, recall at IoU 0.5; map = mean over IoU 0.50-0.95)": DETECTION,
    "Found and read, whole photographs": WHOLE,
    "Reading cut-out plates": READING,
}
COUNTS = {"scenes", "plates", "texts", "crops"}


def print_tables(groups: dict[str, dict[str, dict[str, float | int]]], console: Console) -> None:
    """One table a question, a row a source, a country, and all."""
    for title, columns in TITLES.items():
        table = Table(title=title, title_justify="left")
        table.add_column("")
        for column in columns:
            table.add_column(column.replace("_", " "), justify="right")
        for kind in ("source", "country", "all"):
            rows = [(name, row) for name, row in groups[kind].items() if columns[1] in row or (columns is READING and "crops" in row)]
            for name, row in rows:
                table.add_row(name, *(_cell(column, row.get(column)) for column in columns))
            if rows:
                table.add_section()
        if table.row_count:
            console.print(table)


def _cell(column: str, value: float | int | None) -> str:
    if value is None:
        return ""
    if column in COUNTS:
        return str(value)
    return f"{value:.2f}" if column in ("ms", "false_per_empty") else f"{100 * value:.1f}"


def write_error_sheet(cases: Sequence[Case], folder: Path) -> Path | None:
    """`folder/errors.jpg`: the surest mistakes, each with its label; None when there is none."""
    entries = worst(cases)
    if not entries:
        return None
    tile_w, tile_h, columns = 220, 130, 8
    tiles = []
    for case, box, _, label in entries:
        luma, _ = load_image(case.image.path)
        grow = 0.0 if case.image.crop else 0.5
        x0, y0 = max(0, int(box.x0 - grow * box.width)), max(0, int(box.y0 - grow * box.height))
        x1, y1 = min(luma.shape[1], int(box.x1 + grow * box.width) + 1), min(luma.shape[0], int(box.y1 + grow * box.height) + 1)
        part = luma[y0 : max(y1, y0 + 2), x0 : max(x1, x0 + 2)]
        scale = min(tile_w / part.shape[1], (tile_h - 34) / part.shape[0])
        part = resize(part, max(1, int(part.shape[1] * scale)), max(1, int(part.shape[0] * scale)))
        tile = np.full((tile_h, tile_w), 255, np.uint8)
        tile[: part.shape[0], : part.shape[1]] = part
        cv2.putText(tile, label, (2, tile_h - 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1, cv2.LINE_AA)
        cv2.putText(tile, case.image.source, (2, tile_h - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.36, 110, 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.full((tile_h, tile_w), 255, np.uint8)] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "errors.jpg"
    if not cv2.imwrite(str(path), sheet):
        raise ImageError(f"{path}: cannot be written; name a folder that can be")
    return path
