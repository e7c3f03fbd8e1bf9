"""Fakes for the gate that keep the real ones' rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from edge.errors import GateError
from edge.gate.settings import GateConfig
from edge.records import Direction, Match, Pass

FRIEND = Match("family", "allow", "AB12CDE", "Anna")


class FakePin:
    """gpiozero's rules: a pin is off when it is made, is held by one at a time, and is no use once it is closed. Remembers when it was on."""

    held: ClassVar[set[int]] = set()

    def __init__(self, gpio: int, clock: Callable[[], float] = lambda: 0.0) -> None:
        if gpio in self.held:
            raise GateError(f"GPIO {gpio} is in use already")
        self.held.add(gpio)
        self._gpio, self._clock, self.closed = gpio, clock, False
        self.is_on = False
        self.told: list[tuple[str, float]] = [("off", clock())]

    def on(self) -> None:
        self._say("on")

    def off(self) -> None:
        self._say("off")

    def close(self) -> None:
        if not self.closed:
            self.off()
            self.closed = True
            self.held.discard(self._gpio)

    def _say(self, word: str) -> None:
        if self.closed:
            raise GateError(f"GPIO {self._gpio} is closed")
        self.is_on = word == "on"
        self.told.append((word, self._clock()))


class FakeRelay:
    """Notes each pulse with its time; in trouble it raises, and it is off for good once closed."""

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.trouble = ""
        self.pulses: list[tuple[float, float]] = []
        self.failures: list[tuple[str, str]] = []
        self.closed = False
        self._clock = clock

    def undone(self) -> list[tuple[str, str]]:
        return [self.failures.pop(0) for _ in range(len(self.failures))]

    def pulse(self, seconds: float, event: str) -> None:
        if self.trouble or self.closed:
            raise GateError(self.trouble or "the relay is closed")
        self.pulses.append((self._clock(), seconds))

    def tend(self, now: float) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class FakeFactor:
    def __init__(self, yes: bool = True) -> None:
        self.yes, self.asked, self.closed = yes, 0, False

    def answer(self) -> tuple[bool, str]:
        self.asked += 1
        return self.yes, "yes" if self.yes else "nobody is at home"

    def close(self) -> None:
        self.closed = True


def a_pass(
    id: str = "1",
    text: str = "AB12CDE",
    match: Match | None = FRIEND,
    *,
    agreeing: int = 5,
    confidence: float = 0.9,
    direction: Direction = "approaching",
    in_view_s: float = 2.0,
) -> Pass:
    """One that is let in."""
    return Pass(id, text, confidence, agreeing, direction, in_view_s, match)


def a_gate_config(**changes: object) -> GateConfig:
    return GateConfig.model_validate({"enabled": True, "dry_run": False, "gpio": 17} | changes)
