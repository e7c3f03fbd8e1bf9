"""What the endpoints of single events, of their number and of their deletion take and give."""

from __future__ import annotations

from typing import Self

from pydantic import Field, RootModel, model_validator

from edge.web.api.declare import Model
from edge.web.api.models import EventAnswer, EventsFilter
from edge.web.query import LONGEST_ID

MOST_IDS = 200


class CharacterShare(Model):
    char: str = Field(description="Empty: no character at all.")
    confidence: float = Field(description="Its share of the votes at this place.")


class LookRow(Model):
    """One look that voted."""

    at_s: float = Field(description="Since the first look at the plate.")
    text: str
    confidence: float
    characters: list[float]
    sharpness: float
    width_px: float
    score: float
    weight: float = Field(description="In the vote, 0.5 to 1.")
    agrees: bool


class CandidateRow(Model):
    text: str
    looks: int
    log_p: float | None = Field(description="Mean log-probability that all looks give it.")


class EvidenceRow(Model):
    """The looks behind the text."""

    voted: int
    looks: list[LookRow]
    by_character: str
    alternatives: list[list[CharacterShare]] = Field(description="For each character of the event's text.")
    candidates: list[CandidateRow]


class PassRow(Model):
    id: str
    last_seen: str


class AlikeRow(Model):
    text: str
    distance: float
    times: int
    last: str


class SeenRow(Model):
    """Of this plate, before this event."""

    text: str
    times: int
    first: str
    last: str
    recent: list[PassRow]
    alike: list[AlikeRow]


class GateRow(Model):
    """What the gate decided."""

    at: str
    opens: bool
    dry_run: bool
    reason: str
    why: str


class TargetState(Model):
    name: str
    state: str = Field(description="`waiting`, `refused`, `unwanted` (the target's filters leave it out) or `done` (nothing waits).")
    reason: str = Field(description="Why the target refused it, else empty.")


class StoryAnswer(Model):
    """One event with all that led to it and came of it."""

    event: EventAnswer
    frame: bool = Field(description="The whole picture was kept: /crops/frame/ID.jpg.")
    evidence: EvidenceRow | None
    suggestions: list[str] = Field(description="What else the plate may say, the likeliest first.")
    seen: SeenRow
    gate: list[GateRow]
    targets: list[TargetState]


class HistogramAnswer(Model):
    """Counted on the clocks of `zone`."""

    events: int
    days: dict[str, int] = Field(description="Every day from the first to the last one with an event, of the newest 366.")
    hours: list[int] = Field(description="The 24 hours of the day.")


class Deletion(Model):
    """Either `ids` or a `filter`."""

    ids: list[str] = Field(default=[], max_length=MOST_IDS)
    filter: EventsFilter | None = Field(default=None, description="All events that it finds, on all pages; an empty one means every event.")
    expected: int = Field(ge=0, description="How many are meant to go; where it is another number by now, nothing is deleted.")

    @model_validator(mode="after")
    def one_of_two(self) -> Self:
        if bool(self.ids) == (self.filter is not None):
            raise ValueError("give either ids or a filter")
        if any(len(id) > LONGEST_ID for id in self.ids):
            raise ValueError(f"an id has at most {LONGEST_ID} characters")
        return self


class Deleted(Model):
    deleted: int
    labels: int
    unread_pictures: int
    complete: bool = Field(description="False where a copy stays in the write-ahead log until somebody else stops reading.")
    not_searched: list[str] = Field(description="Files set aside that cannot be searched.")


class EventsExport(RootModel[list[EventAnswer]]):
    """Events, newest first."""
