"""Plate Recognizer Stream's webhook: a part `json` and a part `upload` with the picture, or the JSON alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from edge.publish.told import Told, slug

NOWHERE = {"xmin": 0, "ymin": 0, "xmax": 0, "ymax": 0}


def filename(told: Told) -> str:
    return f"{slug(told.camera)}_{told.last_seen.astimezone(UTC):%Y%m%dT%H%M%S}_{told.id[:12]}.jpg"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def document(told: Told) -> dict[str, Any]:
    """Times are UTC in both fields, with their offset in `timestamp_local`: the device does not know where its reader lives."""
    x0, y0, x1, y1 = told.box
    plate, score = told.text.lower(), round(told.confidence, 3)
    read = {
        "box": {"xmin": x0, "ymin": y0, "xmax": x1, "ymax": y1},
        "plate": plate,
        "region": {"code": told.country, "score": 0.0},
        "score": score,
        "candidates": [{"plate": plate, "score": score}],
        "dscore": round(float(told.row["detection_score"]), 3),
        "vehicle": {"score": 0.0, "type": "Unknown", "box": NOWHERE},
        "model_make": [],
        "color": [],
        "orientation": [],
        "direction": "",
        "source_url": "",
        "position_sec": "",
    }
    made = {
        "hook": {"target": told.target, "id": told.camera, "event": "recognition", "filename": filename(told)},
        "data": {
            "camera_id": told.camera,
            "filename": filename(told),
            "timestamp": _utc(told.last_seen),
            "timestamp_local": told.last_seen.astimezone(UTC).isoformat(timespec="microseconds"),
            "results": [read],
        },
    }
    return made | ({"test": True} if told.test else {})
