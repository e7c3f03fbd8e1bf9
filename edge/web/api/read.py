"""Plates in a picture that somebody sends."""

from __future__ import annotations

from typing import Any, cast

from flask import abort, current_app, request
from pydantic import Field
from werkzeug.exceptions import TooManyRequests

from edge.errors import ImageError
from edge.reading_apart import MOST_BYTES, Busy, ReadingApart
from edge.web.api.declare import Model, endpoint
from edge.web.pictures import is_animated, kind_of

RETRY_S = 2


class ReadQuery(Model):
    """How the picture is meant."""

    crop: bool = Field(default=False, description="The picture is one plate already cut out, perhaps with a margin.")


class CharacterAnswer(Model):
    char: str = Field(min_length=1, max_length=1)
    confidence: float = Field(ge=0, le=1)


class RuleAnswer(Model):
    """The pattern that decided, how many nats less probable the text is than the raw one, and how far the next text lies behind."""

    format: str
    cost: float
    margin: float


class PlateAnswer(Model):
    """One plate; coordinates are pixels of the picture, turned upright."""

    text: str = Field(description="Empty where a plate is surely there and nothing on it is legible.")
    raw_text: str = Field(description="What the reader alone says; differs where a country's format decided.")
    confidence: float = Field(ge=0, le=1, description="The product of the characters' confidences.")
    characters: list[CharacterAnswer]
    alternatives: list[list[CharacterAnswer]] = Field(description="For each character of `raw_text` what else it may be, best first.")
    quad: list[tuple[float, float]] = Field(min_length=4, max_length=4, description="Clockwise from the plate's top-left corner.")
    box: tuple[float, float, float, float] = Field(description="x0, y0, x1, y1")
    detection_confidence: float = Field(ge=0, le=1)
    lines: int = Field(ge=1, le=2)
    country: str | None
    rule: RuleAnswer | None = Field(description="null where `text` is `raw_text`.")


class ReadMs(Model):
    """Milliseconds."""

    detect: float
    read: float
    total: float


class ReadAnswer(Model):
    """As docs/read-json.md has it."""

    image: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    ms: ReadMs
    plates: list[PlateAnswer] = Field(description="Best first.")


def reading() -> ReadingApart:
    """Made for the first picture; 503 where the page was started without a config file."""
    extensions = current_app.extensions
    if "reading" not in extensions:
        if extensions.get("config_file") is None:
            abort(503, "The page was started without a config file, and so without models.")
        extensions.setdefault("reading", ReadingApart(extensions["config_file"]))
    return cast(ReadingApart, extensions["reading"])


@endpoint(
    "POST",
    "/api/read",
    scope="image:read",
    tag="read",
    summary="The plates in a picture",
    query=ReadQuery,
    answer=ReadAnswer,
    errors=(409, 429),
    accepts="image/*",
    largest=MOST_BYTES,
)
def post_read(query: ReadQuery) -> dict[str, Any]:
    """The body is the picture itself: JPEG, PNG or WebP, still, at most 16 MB and 12.5 million pixels. It is read by the models of the device, beside the
    daemon and one at a time (429 meanwhile), and is kept nowhere."""
    if not (request.mimetype.startswith("image/") or request.mimetype in ("", "application/octet-stream")):
        abort(415, "Send the picture itself, with Content-Type: image/jpeg, image/png or image/webp.")
    picture = request.get_data(cache=False)
    if not picture:
        abort(400, "The body is empty; send a picture.")
    if kind_of(picture) is None:
        abort(415, "This is no JPEG, PNG or WebP picture.")
    if is_animated(picture):
        abort(415, "The picture is animated; send a still one.")
    try:
        return reading().read(picture, crop=query.crop)
    except ImageError as error:
        said = str(error).removeprefix("picture: ")
        abort(400, f"{said[:1].upper()}{said[1:]}.")
    except Busy:
        raise TooManyRequests("Another picture is being read; ask again in a moment.", retry_after=RETRY_S) from None
