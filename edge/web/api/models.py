"""What the endpoints of status and events take and give. An event's truth is `edge.publish.schema`, which docs/schemas/event.schema.json is made of."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from edge.publish.schema import EventRow
from edge.web.api.declare import Model
from edge.web.query import LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, MOST


class EventsFilter(Model):
    """Which events. What is left out or empty does not count."""

    text: str = Field(default="", max_length=LONGEST_TEXT, description="What the plate says; written as you like, `ab-12 cd` finds AB12CD.")
    match: Literal["", "contains", "prefix", "exact", "pattern", "fuzzy"] = Field(
        default="", description="How `text` is meant; empty: contains. A pattern has * and ?, fuzzy finds lookalikes."
    )
    distance: str = Field(default="", max_length=10, description="Of lookalikes, 0 to 1.5; empty: 0.5.")
    camera: str = Field(default="", max_length=LONGEST_NAME)
    list: str = Field(default="", max_length=LONGEST_NAME, description="A list's name, or `unknown` for plates of none.")
    day: str = Field(default="", max_length=40, description="A date; or `from` and `to`.")
    since: str = Field(default="", alias="from", max_length=40, description="A date or time of `zone`.")
    until: str = Field(default="", alias="to", max_length=40, description="A date or time of `zone`.")
    zone: str = Field(default="", max_length=60, description="Name of a time zone, as Europe/Berlin; empty: the device's.")
    country: str = Field(default="", max_length=LONGEST_NAME)
    direction: Literal["", "approaching", "leaving", "left", "right", "unknown"] = ""
    below: str = Field(default="", max_length=10, description="Only reads of less confidence than this, 0 to 1.")
    label: str = Field(default="", max_length=40, description="What a person said: any, corrected, confirmed, not a plate, none.")


class EventsQuery(EventsFilter):
    """Which events, newest first, and how many."""

    limit: int = Field(default=50, ge=1, le=MOST, description="At most so many.")
    cursor: str = Field(default="", max_length=20, pattern="^[0-9]*$", description="`cursor` of the answer before: the page that follows it.")
    before: str = Field(default="", max_length=LONGEST_ID, description="Instead of `cursor`: the id of the last event that is already known.")


class EventAnswer(EventRow):
    """One pass of one vehicle, as docs/schemas/event.schema.json has it."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)


class EventsAnswer(Model):
    events: list[EventAnswer]
    next: str | None = Field(description="Ask with `before` set to this for the next page; null where there is none.")
    cursor: str | None = Field(description="The same for `cursor`, which holds even where that event is deleted meanwhile.")
    damaged: list[str] = Field(description="Ids of those that stand among them in the store and cannot be read any more; they can be deleted.")


class StatusQuery(Model):
    watching: Literal["", "0", "1"] = Field(default="", description="1 also asks the daemon for the live picture.")


class Reason(Model):
    """Why plates gave no event, in the last 24 hours."""

    reason: str
    count: int = Field(ge=0)
    words: str


class StoreState(Model):
    readable: bool
    problem: str | None


class StatusAnswer(Model):
    """One look at the device."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    v: Literal[1]
    now: str = Field(json_schema_extra={"format": "date-time"}, description="The device's clock, UTC.")
    version: str
    camera: str
    alive: bool = Field(description="The daemon runs.")
    tone: Literal["good", "wait", "bad", "off"]
    word: str
    sentence: str
    also: str = Field(description="What else is wrong, in English.")
    pattern: str = Field(description="The sentence, with `{ago}` for the time since `since`.")
    since: str | None
    picture: bool = Field(description="There is a live picture.")
    events: int = Field(ge=0, description="How many the store holds.")
    store: StoreState
    reasons: list[Reason]
    machine: str
    daemon: dict[str, Any] | None = Field(description="The daemon's status file as it stands.")


class StreamQuery(Model):
    after: str = Field(default="", max_length=LONGEST_ID, description="The newest event that is already known: those that came since are sent first.")
