"""What the endpoints of labels and of unread plates take and give."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from edge.labels.book import PAGE
from edge.web.api.declare import Model
from edge.web.query import LONGEST_TEXT

MOST = 200


class LabelBody(Model):
    """What the plate says, as a person sees it."""

    judgement: Literal["confirmed", "corrected", "not a plate"]
    text: str = Field(default="", max_length=LONGEST_TEXT, description="Of a correction: as people write it, the upper line first.")
    lines: int = Field(default=0, ge=0, le=2, description="0 where nobody looked.")


class ToldRow(Model):
    judgement: str
    text: str
    lines: int
    by: str
    at: str


class LabelRow(Model):
    """A label; it outlives its event."""

    seq: int
    event: str = Field(description="The event's id, or the name of an unread picture.")
    origin: Literal["event", "unread"]
    told: ToldRow
    read: str
    confidence: float
    camera: str
    last_seen: str
    list: str
    country: str
    direction: str
    width: int = Field(description="Of the picture, pixels; 0 where there is none. The picture: /crops/label/SEQ.jpg.")
    height: int
    corners: Any = Field(description="Of the plate in the picture, null where they are not known.")
    right: bool = Field(description="The device had read just this.")


class LabelsQuery(Model):
    limit: int = Field(default=PAGE, ge=1, le=MOST)
    before: int = Field(default=0, ge=0, le=2**53, description="`next` of the answer before.")
    judgement: Literal["", "confirmed", "corrected", "not a plate"] = ""


class LabelsAnswer(Model):
    labels: list[LabelRow]
    next: int | None = Field(description="Ask with `before` set to this for the next page.")


class BandRow(Model):
    low: float
    high: float
    events: int
    right: int
    not_plates: int
    share: float | None
    at_least: float | None = Field(description="With 95 % confidence.")
    at_most: float | None
    expected: float | None = Field(description="The mean confidence: an honest device has it near `share`.")


class ReportAnswer(Model):
    """How often the device was right, as far as people said so."""

    bands: list[BandRow]
    total: BandRow
    unread: int
    unread_plates: int
    stored: int


class UnreadQuery(Model):
    reason: str = Field(default="", max_length=40, description="These alone.")
    before: str = Field(default="", max_length=40, description="`next` of the answer before.")
    limit: int = Field(default=24, ge=1, le=100)


class ReasonCount(Model):
    reason: str
    count: int = Field(ge=0, description="In the last 24 hours.")
    pictures: int = Field(ge=0, description="That are still there.")
    words: str


class UnreadPicture(Model):
    """A plate that gave no event: what was measured, why, and what would help."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    name: str
    at: str
    camera: str
    reason: str
    crop: bool = Field(description="There is a picture: /crops/unread/NAME.jpg.")
    words: str
    advice: list[str] = Field(description="In the language of the request.")
    label: ToldRow | None


class UnreadAnswer(Model):
    reasons: list[ReasonCount]
    pictures: list[UnreadPicture]
    next: str | None
