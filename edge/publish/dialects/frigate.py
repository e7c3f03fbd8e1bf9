"""Frigate's `tracked_object_update` for plates, as of its version 0.16 (mid-2026): its wire format has changed before."""

from __future__ import annotations

from typing import Any

from edge.publish.told import Told, slug


def object_id(told: Told) -> str:
    """`<unix seconds>.<microseconds>-<6 characters>`: the same for a preview and its final event."""
    return f"{told.first_seen.timestamp():.6f}-{slug(told.id).replace('-', '')[:6]:0<6}"


def document(told: Told) -> dict[str, Any]:
    made = {
        "type": "lpr",
        "id": object_id(told),
        "name": told.known_as or None,
        "plate": told.text,
        "score": round(told.confidence, 4),
        "camera": told.camera,
        "timestamp": told.last_seen.timestamp(),
        "plate_box": list(told.box),
    }
    return made | ({"test": True} if told.test else {})
