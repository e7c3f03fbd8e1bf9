"""What the endpoints of the gate take and give."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.web.api.declare import Model


class Way(Model):
    kind: Literal["gpio", "command", "send_to", "none"]
    name: str


class Factor(Model):
    yes: bool
    said: str


class Duty(Model):
    on_s: float = Field(description="So long the relay was on within the last minute.")
    most_s: float


class GateAnswer(Model):
    state: Literal["off", "gone", "starting", "fault", "dry_run", "armed"] = Field(
        description="gone: the daemon does not run; starting: it has no gate yet; dry_run: everything is decided, nothing moves."
    )
    tone: Literal["good", "wait", "bad", "off"]
    trouble: str | None = Field(description="The daemon's sentence about what keeps it closed.")
    way: Way
    second_factor: str | None = Field(description="Where it is asked; null: there is none.")
    factor: Factor | None = Field(description="What it said when it was last asked.")
    opened: int = Field(description="Since the daemon started.")
    cooling: int = Field(description="So many plates opened it just now and do not again for a while.")
    duty: Duty
    cooldown_s: float
    pulse_s: float
    can_test: bool


class DecisionsQuery(Model):
    which: Literal["", "opened", "refused", "test"] = Field(default="", description="Empty: all.")
    limit: int = Field(default=25, ge=1, le=500)
    before: int = Field(default=0, ge=0, le=2**62, description="`seq` of the last one that is already known.")


class ExportQuery(Model):
    which: Literal["", "opened", "refused", "test"] = ""


class ConditionTold(Model):
    name: str
    met: Literal["yes", "no", "unasked"]
    found: str
    wanted: str


class DecisionTold(Model):
    seq: int
    at: str = Field(json_schema_extra={"format": "date-time"})
    camera: str
    event: str = Field(description="The event's id; empty for a test.")
    plate: str = Field(description="Empty for a stranger, whose plate stands with the event alone.")
    list: str
    label: str
    distance: float | None
    direction: str
    agreeing: int
    confidence: float
    opens: bool
    dry_run: bool
    reason: str
    why: str
    test: bool
    conditions: tuple[ConditionTold, ...] = Field(description="By the limits as they are now; the first no is the reason.")


class DecisionsAnswer(Model):
    decisions: list[DecisionTold]
    next: int | None = Field(description="Ask with `before` set to this for what follows; null where there is nothing.")


class GateTestAnswer(Model):
    ok: bool = Field(description="It was done; in a dry run it was written down.")
    sentence: str
