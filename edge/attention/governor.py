"""Slows the search for plates while the board is hot, before the firmware slows everything."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.attention.settings import GovernorConfig
from edge.firmware import ask, throttling
from edge.health import temperature_c

SLOWNESS = (1.0, 2.0, 4.0, 8.0)
"""By step: how much longer the times between two looks are."""
UP_TICKS, DOWN_TICKS = 3, 12
"""So many ticks must agree: getting hot takes seconds, cooling down a minute."""
TICK_S = 5.0
FIRMWARE = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")


@dataclass(frozen=True, slots=True)
class Heat:
    """What the board says: degrees Celsius, and its troubles of just now, in words; None and () where it says nothing."""

    temperature_c: float | None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Where the governor stands: an index into SLOWNESS, and for how many ticks it has been too hot (positive) or cool enough (negative)."""

    level: int = 0
    ticks: int = 0


def after(step: Step, heat: Heat, config: GovernorConfig) -> Step:
    """One tick later. Between the two limits nothing changes."""
    temperature = heat.temperature_c
    if heat.troubles or (temperature is not None and temperature >= config.hot_c):
        ticks = max(0, step.ticks) + 1
        return Step(min(step.level + 1, len(SLOWNESS) - 1)) if ticks >= UP_TICKS else Step(step.level, ticks)
    if temperature is None or temperature <= config.cool_c:
        ticks = min(0, step.ticks) - 1
        return Step(max(step.level - 1, 0)) if -ticks >= DOWN_TICKS else Step(step.level, ticks)
    return Step(step.level)


def heat() -> Heat:
    """As the board tells it: the firmware's word from `vcgencmd`, else from its file, where they are."""
    word = ask("vcgencmd", "get_throttled")
    if word is None:
        with contextlib.suppress(OSError):
            word = f"throttled=0x{FIRMWARE.read_text().strip()}"
    troubles = tuple(words.removesuffix(" now") for words in throttling(word) or () if words.endswith(" now"))
    return Heat(temperature_c(), troubles)


class Governor:
    """Asks the board every few seconds, in a thread of its own: `vcgencmd` may take its time."""

    def __init__(self, config: GovernorConfig, *, read: Callable[[], Heat] = heat) -> None:
        self._config, self._read = config, read
        self._stop = threading.Event()
        self.step, self.heat = Step(), Heat(None)

    @property
    def slowness(self) -> float:
        """1 or more."""
        return SLOWNESS[self.step.level]

    def start(self) -> None:
        if self._config.enabled:
            threading.Thread(target=self._run, args=(self._stop,), name="governor", daemon=True).start()

    def adopt(self, config: GovernorConfig) -> None:
        """Go on by these limits, from the step where it stands; from none where it is switched off."""
        self._stop.set()
        self._config, self._stop = config, threading.Event()
        if not config.enabled:
            self.step, self.heat = Step(), Heat(None)
        self.start()

    def stop(self) -> None:
        self._stop.set()

    def tick(self) -> None:
        self.heat = self._read()
        self.step = after(self.step, self.heat, self._config)

    def words(self) -> str:
        """What is slowed down and why; '' when nothing is."""
        if not self.step.level:
            return "the board reports under-voltage; give it a proper power supply" if "under-voltage" in self.heat.troubles else ""
        warm = f"the processor is at {self.heat.temperature_c:.0f} °C" if self.heat.temperature_c is not None else "the board is too hot"
        why = f"{warm}{' and ' + ', '.join(self.heat.troubles) if self.heat.troubles else ''}"
        return f"{why}: new plates are looked for {self.slowness:.0f} times less often"

    def as_json(self) -> dict[str, object]:
        """For the status."""
        return {"temperature_c": self.heat.temperature_c, "troubles": list(self.heat.troubles), "step": self.step.level, "words": self.words()}

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            found = self._read()
            if not stop.is_set():  # asking may take its time
                self.heat, self.step = found, after(self.step, found, self._config)
            stop.wait(TICK_S)
