"""The event of `platewatch targets --test`: no plate was seen, and it says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from edge.records import Box, Character, Event, Quad
from edge.status import utc_iso
from edge.tracking.judge import jpeg

TEXT = "TEST"


def test_event(id: str, camera: str, now: datetime) -> Event:
    """Complete, with a grey picture that says TEST."""
    import cv2
    import numpy as np

    picture = np.full((60, 240, 3), 200, np.uint8)
    cv2.putText(picture, TEXT, (60, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (40, 40, 40), 3)
    return Event(
        id=id,
        camera=camera,
        text=TEXT,
        confidence=1.0,
        characters=tuple(Character(char, 1.0) for char in TEXT),
        first_seen=utc_iso(now - timedelta(seconds=1)),
        last_seen=utc_iso(now),
        duration_s=1.0,
        looks=1,
        agreeing=1,
        lines=1,
        country=None,
        detection_score=1.0,
        quad=Quad.from_box(Box(100.0, 100.0, 340.0, 160.0)),
        crop_jpeg=jpeg(picture),
    )
