"""The config's section on the gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from edge.section import Section

if TYPE_CHECKING:
    from edge.publish.settings import TargetConfig

MQTT = "mqtt:"


def broker_of(reference: str) -> tuple[str, str]:
    """`mqtt:TARGET/topic` -> (target, topic)."""
    target, _, topic = reference.removeprefix(MQTT).partition("/")
    return target, topic


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
    send_to: str = Field(
        default="",
        description="Instead of a relay here: who is told to open, `mqtt:TARGET/topic` (the broker of that target) or an `http://` or `https://` address.",
    )
    send_secret: str = Field(default="", description="Key of the HMAC-SHA256 signature of an order over HTTP: `env:NAME` or `file:PATH`; empty: not signed.")
    send_valid_s: float = Field(default=5.0, gt=0, le=60, description="An order that was sent counts for so many seconds.")
    pulse_s: float = Field(default=0.8, gt=0, le=10, description="The relay is on for so many seconds.")
    max_duty: float = Field(default=0.2, gt=0, le=1, description="Within any minute the relay is on for no more than this share of it.")
    second_factor: str = Field(
        default="",
        description="What must say yes as well: a file that holds `1`, `on`, `yes` or `true`, an `http://` address that answers so, or `mqtt:TARGET/topic`.",
    )
    second_factor_max_age_s: float = Field(
        default=0.0, ge=0, description="A file's or a topic's word counts for so many seconds; 0: a file's for ever (a topic needs a number)."
    )
    second_factor_retained: bool = Field(
        default=False, description="`true`: a word that the broker kept from before counts as if it were said when it is heard. Nobody knows how old it is."
    )
    audit: str = Field(default="var/gate.sqlite", min_length=1, description="Where every decision is written down.")
    audit_days: float = Field(default=90.0, gt=0, le=3650, description="Decisions older than so many days are deleted.")

    @model_validator(mode="after")
    def _can_act(self) -> Self:
        ways = [name for name, there in (("gpio", self.gpio is not None), ("command", bool(self.command)), ("send_to", bool(self.send_to))) if there]
        if len(ways) > 1:
            raise ValueError(f"gate.{ways[0]} and gate.{ways[1]} are both set; leave one of them out")
        if self.enabled and not self.dry_run and not ways:
            raise ValueError("gate.dry_run is false, but nothing can open the gate; set gate.gpio or gate.command, or gate.send_to")
        if "://" in self.second_factor and not self.second_factor.startswith(("http://", "https://")):
            raise ValueError(f"gate.second_factor {self.second_factor!r} is neither a file nor an http:// or https:// address")
        if self.send_to and not self.send_to.startswith(("http://", "https://", MQTT)):
            raise ValueError("gate.send_to is neither mqtt:TARGET/topic nor an http:// or https:// address")
        for key in ("send_to", "second_factor"):
            if (value := getattr(self, key)).startswith(MQTT) and (not all(broker_of(value)) or any(char in value for char in "+#\0")):
                raise ValueError(f"gate.{key} {value!r} is no topic; it looks like 'mqtt:TARGET/some/topic', TARGET being the name of one of the targets")
        if self.second_factor.startswith(MQTT) and self.second_factor_max_age_s == 0:
            raise ValueError("gate.second_factor is a topic, and nobody would know how old its word is; set gate.second_factor_max_age_s")
        if self.send_secret and not self.send_secret.startswith(("env:", "file:")):
            raise ValueError("gate.send_secret does not stand in the config file; write 'env:NAME' or 'file:PATH'")
        if self.pulse_s > 60 * self.max_duty:
            raise ValueError(f"gate.pulse_s {self.pulse_s:g} is more than gate.max_duty {self.max_duty:g} allows in a minute; make one of them fit the other")
        return self

    def stranger(self, targets: Sequence[TargetConfig]) -> str:
        """What is wrong with the brokers that it names, in a sentence; '' where nothing is."""
        brokers = [one.name for one in targets if one.kind == "mqtt"]
        for key in ("send_to", "second_factor"):
            if (value := getattr(self, key)).startswith(MQTT) and (name := broker_of(value)[0]) not in brokers:
                return f"gate.{key}: there is no mqtt target {name!r}; those of the config are: {', '.join(brokers) or 'none'}"
        return ""

    def absolute(self, base: Path) -> Self:
        changes: dict[str, Any] = {"audit": str(base / self.audit)}
        if self.second_factor and "://" not in self.second_factor and not self.second_factor.startswith(MQTT):
            changes["second_factor"] = str(base / self.second_factor)
        if self.send_secret.startswith("file:"):
            changes["send_secret"] = f"file:{base / self.send_secret.removeprefix('file:')}"
        return self.model_copy(update=changes)
