"""Watts, where the board tells them: Intel's and AMD's RAPL counters, the Raspberry Pi 5's power chip, or a sensor under hwmon."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.bench.machine import ask, text_of
from edge.bench.result import Power, Setting
from edge.bench.rounds import Action

EVERY_S = 0.1


class Meter(Protocol):
    """Counts energy from `start` on."""

    source: str

    def start(self) -> None: ...

    def joules(self) -> float:
        """Since the start."""


class Counters:
    """RAPL: energy counters of the processor's packages, uJ, which begin anew at their end."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._began: list[int] = []
        self.source = "RAPL, the processor's packages alone"

    def start(self) -> None:
        self._began = [int((folder / "energy_uj").read_text()) for folder in self._folders]

    def joules(self) -> float:
        total = 0
        for folder, began in zip(self._folders, self._began, strict=True):
            now = int((folder / "energy_uj").read_text())
            total += now - began if now >= began else now - began + int((folder / "max_energy_range_uj").read_text())
        return total / 1e6


class Sampled:
    """A sensor that tells watts: asked ten times a second, and the mean taken for the time between."""

    def __init__(self, source: str, watts: Callable[[], float]) -> None:
        self.source, self._watts = source, watts
        self._stop = threading.Event()
        self._samples: list[float] = []
        self._thread: threading.Thread | None = None
        self._began = 0.0

    def start(self) -> None:
        self._samples, self._began = [self._watts()], time.monotonic()
        self._stop.clear()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def joules(self) -> float:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        return sum(self._samples) / len(self._samples) * (time.monotonic() - self._began)

    def _sample(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._samples.append(self._watts())


def find_meter(root: Path = Path("/")) -> Meter | str:
    """What measures energy here, or why nothing does."""
    folders = sorted(path for path in (root / "sys/class/powercap").glob("*-rapl:*") if path.name.count(":") == 1)
    readable = [folder for folder in folders if (text_of(folder / "energy_uj") or "").isdigit()]
    if readable:
        return Counters(readable)
    if board_watts(ask("vcgencmd", "pmic_read_adc")) is not None:
        return Sampled(
            "the board's power chip (vcgencmd pmic_read_adc), without what its USB ports give", lambda: board_watts(ask("vcgencmd", "pmic_read_adc")) or 0.0
        )
    for name in ("power1_average", "power1_input"):
        for path in sorted((root / "sys/class/hwmon").glob(f"hwmon*/{name}")):
            if (text_of(path) or "").isdigit():
                return Sampled(f"hwmon sensor {text_of(path.parent / 'name') or path.parent.name}", lambda path=path: float(path.read_text()) / 1e6)  # type: ignore[misc]
    if folders:
        return "the processor's energy counters may be read by root alone: run it with sudo, or make /sys/class/powercap/*/energy_uj readable"
    return "no energy counter here: no /sys/class/powercap, no vcgencmd pmic_read_adc (a Raspberry Pi 5 has it), no power sensor under /sys/class/hwmon"


def board_watts(answer: str | None) -> float | None:
    """The sum over the rails of `vcgencmd pmic_read_adc`: lines like `3V3_SYS_A current(1)=0.08A` and `3V3_SYS_V volt(9)=3.31V`."""
    told = {name: float(value) for name, value in re.findall(r"(\w+_[AV]) (?:current|volt)\(\d+\)=([\d.]+)[AV]", answer or "")}
    rails = [name[:-2] for name in told if name.endswith("_A") and f"{name[:-2]}_V" in told]
    return sum(told[f"{rail}_A"] * told[f"{rail}_V"] for rail in rails) if rails else None


@dataclass(frozen=True, slots=True)
class Work:
    """Energy and frames of one stretch."""

    joules: float
    seconds: float
    frames: int

    @property
    def watts(self) -> float:
        return self.joules / self.seconds


def measure_power(actions: Mapping[Setting, Action], meter: Meter, seconds: float = 3.0) -> list[Power]:
    """Rest once, then each setting's whole frames one after another for so long."""
    rest = _stretch(meter, lambda: time.sleep(0.05), seconds)
    found = []
    for setting, action in actions.items():
        work = _stretch(meter, action, seconds)
        frame_mj = 1000 * max(0.0, work.watts - rest.watts) * work.seconds / work.frames
        found.append(Power(setting=setting, source=meter.source, rest_w=round(rest.watts, 3), work_w=round(work.watts, 3), frame_mj=round(frame_mj, 3)))
    return found


def _stretch(meter: Meter, action: Action, seconds: float) -> Work:
    action()
    meter.start()
    began, frames = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        action()
        frames += 1
    joules = meter.joules()
    return Work(joules, time.monotonic() - began, frames)
