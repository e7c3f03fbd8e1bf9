"""Records for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge.records import Box, Character, Detection, Event, Frame, PlateRead, Quad, Sighting


def a_read(text: str, confidence: float = 0.95, alternatives: dict[int, tuple[str, float]] | None = None) -> PlateRead:
    """Every character with the same confidence; `alternatives` gives one runner-up by position."""
    characters = tuple(Character(char, confidence) for char in text)
    others = tuple((Character(*alternatives[place]),) if alternatives and place in alternatives else () for place in range(len(text)))
    return PlateRead(text, confidence ** max(1, len(text)) if text else 0.0, characters, alternatives=others)


def a_detection(x: float = 100.0, y: float = 100.0, width: float = 120.0, height: float = 30.0, score: float = 0.9) -> Detection:
    box = Box(x, y, x + width, y + height)
    return Detection(Quad.from_box(box), box, score)


def a_sighting(
    text: str = "AB12CDE",
    at: float = 0.0,
    *,
    confidence: float = 0.95,
    sharpness: float = 1.0,
    glare: float = 0.0,
    crop: Any = None,
    read: PlateRead | None = None,
    **where: float,
) -> Sighting:
    return Sighting(a_detection(**where), read or a_read(text, confidence), at, sharpness, glare, crop=crop)


def a_frame(seen_at: float = 0.0, index: int = 0, width: int = 640, height: int = 360) -> Frame:
    """Grey with a checked patch where `a_detection` is by default, so that its crop is sharp."""
    luma = np.full((height, width), 128, np.uint8)
    luma[100:130, 100:220] = np.indices((30, 120)).sum(axis=0) % 8 // 4 * 255
    return Frame(luma, seen_at, "camera", None, index)


def an_event(id: str = "1", text: str = "AB12CDE", last_seen: str = "2026-11-22T21:00:01.000+00:00", **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "id": id, "camera": "gate", "text": text, "confidence": 0.9, "characters": tuple(Character(char, 0.9) for char in text),
        "first_seen": "2026-11-22T21:00:00.000+00:00", "last_seen": last_seen, "duration_s": 1.0, "looks": 4, "agreeing": 3, "lines": 1,
        "country": None, "detection_score": 0.8, "quad": Quad.from_box(Box(10, 20, 110, 45)), "crop_jpeg": b"jpeg of " + id.encode(),
        "raw_text": text,
    }  # fmt: skip
    return Event(**(fields | changes))
