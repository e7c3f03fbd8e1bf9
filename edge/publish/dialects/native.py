"""Platewatch's own JSON: the event as it is stored. `docs/schemas/event.schema.json` describes it; keys are added, never changed."""

from __future__ import annotations

import base64
from typing import Any

from edge.publish.told import Told


def document(told: Told) -> dict[str, Any]:
    """Of a withdrawal nothing but whose it is: the key `text` is not there."""
    made = told.row | {"stage": told.stage}
    if told.picture_file:
        made["picture_file"] = told.picture_file
    elif told.picture:
        made["picture_jpeg"] = base64.b64encode(told.picture).decode()
    return made | ({"test": True} if told.test else {})
