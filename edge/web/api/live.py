"""The live picture's figures, and the switch of the search for plates."""

from __future__ import annotations

import json
from typing import Any

from flask import abort
from pydantic import ConfigDict, Field

from edge import status
from edge.web.api.declare import Model, endpoint
from edge.web.api.given import errand, files


class PlateInView(Model):
    quad: list[list[float]] = Field(description="Four corners [x, y], clockwise from the top left, in pixels of the frame.")
    text: str = Field(description="As far as it is known yet; empty while nothing is, and where it may not be told.")
    confidence: float


class Motion(Model):
    """Where something moves."""

    rows: int
    columns: int
    bits: str = Field(description="Base64; a bit for each cell, row by row from the top left, the first in the highest bit.")


class LiveAnswer(Model):
    """What belongs to one picture."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    number: int = Field(description="Counts the camera's frames.")
    at: str = Field(json_schema_extra={"format": "date-time"})
    width: int = Field(description="Of the frame; the picture may be smaller.")
    height: int
    plates: list[PlateInView]


class Detect(Model):
    on: bool


class DetectAnswer(Model):
    detecting: bool
    sentence: str


@endpoint("GET", "/api/live", scope="status:read", tag="status", summary="What belongs to the newest live picture", answer=LiveAnswer, errors=(503,))
def get_live() -> dict[str, Any]:
    """The picture itself is `/live.jpg`, which has the same as JSON in its header `X-Figures`. Asking is watching: the daemon makes pictures only then."""
    files().watch()
    told = figures(files().picture())
    if told is None:
        abort(503, "There is no live picture; the status says why.")
    return told


@endpoint("POST", "/api/detect", scope="detect:write", tag="status", summary="Search for plates, or not", body=Detect, answer=DetectAnswer, errors=(409,))
def set_detect(body: Detect) -> dict[str, Any]:
    """Outlives a restart of the daemon."""
    answer = errand("detect", {"on": body.on})
    return {"detecting": body.on, "sentence": answer.sentence}


def figures(jpeg: bytes | None) -> dict[str, Any] | None:
    """None where there is no picture, or one without figures."""
    try:
        found = json.loads(status.figures_of(jpeg or b""))
    except ValueError:
        return None
    return found if isinstance(found, dict) and "plates" in found else None
