"""Whether the gate opens for a pass. Every question has to be answered with yes; the first no is the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from edge.gate.settings import GateConfig
from edge.records import Pass

Reason = Literal[
    "welcome", "ignored", "denied", "lists cannot be read", "unknown plate", "not at this time", "too few reads agree", "not sure enough",
    "in view too briefly", "does not approach", "opened just now", "no second factor", "the relay has rested too little", "the relay does not answer",
]  # fmt: skip
REASONS: tuple[str, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate does about a pass. `why` adds to the reason what is known."""

    opens: bool
    reason: Reason
    why: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything but the pass that a decision depends on.

    opened_at   plate -> when it last opened the gate, monotonic seconds
    factor      the second factor's yes or no, and its words; None where none is asked for
    """

    now: float
    lists_trouble: str = ""
    opened_at: Mapping[str, float] | None = None
    factor: tuple[bool, str] | None = None
    relay_rested: bool = True
    relay_trouble: str = ""


def decide(one: Pass, at: Situation, config: GateConfig) -> Decision:
    """Pure: the same pass in the same situation gets the same answer."""
    match = one.match
    if match is not None and match.kind == "ignore":
        return Decision(False, "ignored")
    if match is not None and match.kind == "deny":
        return Decision(False, "denied", match.list)
    if at.lists_trouble:
        return Decision(False, "lists cannot be read", at.lists_trouble)
    if match is None:
        return Decision(False, "unknown plate")
    if not match.due:
        return Decision(False, "not at this time", match.list)
    if one.agreeing < config.reads:
        return Decision(False, "too few reads agree", f"{one.agreeing} of {config.reads}")
    if one.confidence < config.confidence:
        return Decision(False, "not sure enough", f"{one.confidence:.2f} of {config.confidence:g}")
    if one.in_view_s < config.min_seconds:
        return Decision(False, "in view too briefly", f"{one.in_view_s:.1f} of {config.min_seconds:g} s")
    if config.approach and one.direction != "approaching":
        return Decision(False, "does not approach", one.direction)
    opened_at = (at.opened_at or {}).get(match.plate)
    if opened_at is not None and at.now - opened_at < config.cooldown_s:
        return Decision(False, "opened just now", f"{at.now - opened_at:.0f} s ago")
    if at.factor is not None and not at.factor[0]:
        return Decision(False, "no second factor", at.factor[1])
    if at.relay_trouble:
        return Decision(False, "the relay does not answer", at.relay_trouble)
    if not at.relay_rested:
        return Decision(False, "the relay has rested too little")
    return Decision(True, "welcome", match.list)
