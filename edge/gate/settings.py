"""The config's section on the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from edge.section import Section


class GateConfig(Section):
    """A gate or door that opens for the plates of the `allow` lists. Read docs/gate.md first: a plate is no key."""

    enabled: bool = Field(default=False, description="Decide about every pass, and write the decision down.")
    dry_run: bool = Field(default=True, description="Decide and write down, but leave the relay alone.")
    reads: int = Field(default=3, ge=2, le=20, description="So many looks must agree on the whole text.")
    confidence: float = Field(default=0.8, ge=0, le=1, description="The voted text must reach this confidence.")
    approach: bool = Field(default=True, description="Open only for a plate that has come nearer; one that was held up on the spot has not.")
    min_seconds: float = Field(default=0.5, ge=0, le=60, description="Open only for a plate that was in view for so many seconds.")
    cooldown_s: float = Field(default=20.0, ge=0, le=3600, description="The same plate opens again only after so many seconds. Another plate is not held back.")
    gpio: int | None = Field(default=None, ge=0, le=27, description="The relay's GPIO number (BCM), for gpiozero.")
    active_high: bool = Field(default=True, description="`false`: the relay closes when its pin is low.")
    command: list[str] = Field(default=[], description="Instead of a GPIO: a program with its words, which is run with `on` or `off` added.")
    pulse_s: float = Field(default=0.8, gt=0, le=10, description="The relay is on for so many seconds.")
    max_duty: float = Field(default=0.2, gt=0, le=1, description="Within any minute the relay is on for no more than this share of it.")
    second_factor: str = Field(
        default="",
        description="What must say yes as well: a file that holds `1`, `on`, `yes` or `true`, or an `http://` address that answers so; empty: nothing.",
    )
    second_factor_max_age_s: float = Field(default=0.0, ge=0, description="The file's word counts for so many seconds after it was written; 0: for ever.")
    audit: str = Field(default="var/gate.sqlite", min_length=1, description="Where every decision is written down.")
    audit_days: float = Field(default=90.0, gt=0, le=3650, description="Decisions older than so many days are deleted.")

    @model_validator(mode="after")
    def _can_act(self) -> Self:
        if self.gpio is not None and self.command:
            raise ValueError("gate.gpio and gate.command are both set; leave one of them out")
        if self.enabled and not self.dry_run and self.gpio is None and not self.command:
            raise ValueError("gate.dry_run is false, but nothing can open the gate; set gate.gpio or gate.command")
        if "://" in self.second_factor and not self.second_factor.startswith(("http://", "https://")):
            raise ValueError(f"gate.second_factor {self.second_factor!r} is neither a file nor an http:// or https:// address")
        if self.pulse_s > 60 * self.max_duty:
            raise ValueError(f"gate.pulse_s {self.pulse_s:g} is more than gate.max_duty {self.max_duty:g} allows in a minute; make one of them fit the other")
        return self

    def absolute(self, base: Path) -> Self:
        changes: dict[str, Any] = {"audit": str(base / self.audit)}
        if self.second_factor and "://" not in self.second_factor:
            changes["second_factor"] = str(base / self.second_factor)
        return self.model_copy(update=changes)
