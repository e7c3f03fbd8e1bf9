"""fast-plate-ocr's `annotations.csv`: crops with their texts, to train on what this camera sees. Correct the texts first."""

from __future__ import annotations

from edge.publish.told import Told


def row(told: Told) -> dict[str, str]:
    """`image_path` counts from the CSV file's folder; two lines are one text in reading order."""
    return {"image_path": told.picture_file, "plate_text": told.text}
