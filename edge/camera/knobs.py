"""What can be turned on a camera for a try, and within which limits. The config stays what it was; a try ends by itself (`edge.desk.trial`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from edge.errors import ConfigError

Ranges = Mapping[str, tuple[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Knob:
    """One control: `key` is the key of [camera] that keeps it for good, '' where there is none; `zero` says what 0 means, '' where it is nothing special."""

    name: str
    unit: str
    least: float
    most: float
    now: float | None = None
    key: str = ""
    zero: str = ""


@runtime_checkable
class Adjustable(Protocol):
    """A camera whose picture can be changed while it runs. Called from another thread than the camera's own."""

    def knobs(self) -> list[Knob]:
        """What it has; raises ConfigError, in words, where it cannot say or has nothing to turn."""
        ...

    def try_out(self, values: Mapping[str, float]) -> None:
        """Go by these and, for all else, by the config; by the config alone where there are none. Raises ConfigError."""
        ...


def checked(values: Mapping[str, Any], knobs: list[Knob]) -> dict[str, float]:
    """Raises ConfigError for an unknown name and a value outside its limits."""
    known = {knob.name: knob for knob in knobs}
    found = dict[str, float]()
    for name, value in values.items():
        knob = known.get(name)
        if knob is None:
            raise ConfigError(f"this camera has no {str(name)[:40]!r}; it has {', '.join(known) or 'nothing to turn'}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not (knob.least <= value <= knob.most or (value == 0 and knob.zero)):
            raise ConfigError(f"{name} is {str(value)[:40]!r}; this camera takes {knob.least:g} to {knob.most:g}{f' {knob.unit}' if knob.unit else ''}")
        found[name] = float(value)
    return found


PI = {
    "exposure_us": ("ExposureTime", "µs", "shutter_us", "automatic"),
    "gain": ("AnalogueGain", "", "gain", "automatic"),
    "focus_dioptres": ("LensPosition", "1/m", "focus_dioptres", ""),
    "ev": ("ExposureValue", "EV", "", ""),
}
"""Name -> libcamera's name, unit, key of [camera], what 0 means."""
USUAL_FRAME_US = 33_333
"""What picamera2 asks of a video camera where nobody asks for anything else."""
FASTEST_FPS = 240.0


def pi_knobs(ranges: Ranges, metadata: Mapping[str, Any]) -> list[Knob]:
    """From `Picamera2.camera_controls` and a frame's metadata."""
    found = [
        Knob(name, unit, float(ranges[theirs][0]), float(ranges[theirs][1]), _number(metadata.get(theirs)), key, zero)
        for name, (theirs, unit, key, zero) in PI.items()
        if theirs in ranges
    ]
    if "FrameDurationLimits" in ranges:
        shortest, longest, _ = ranges["FrameDurationLimits"]
        frame_us = _number(metadata.get("FrameDuration"))
        slowest, fastest = max(1.0, 1e6 / float(longest)), min(FASTEST_FPS, 1e6 / max(1.0, float(shortest)))
        found.append(Knob("fps", "1/s", round(slowest, 1), round(fastest, 1), round(1e6 / frame_us, 1) if frame_us else None, "fps_limit"))
    return found


def pi_controls(base: Mapping[str, Any], values: Mapping[str, float], ranges: Ranges, usual: Mapping[str, Any]) -> dict[str, Any]:
    """libcamera's controls: those of the config with these over them. `usual` is what the names of an ended try go back to."""
    told = {name: value for name, value in usual.items() if name in ranges} | dict(base)
    for name, value in values.items():
        if name == "fps":
            frame_us = round(1e6 / value)
            told["FrameDurationLimits"] = (frame_us, frame_us)
        else:
            told[PI[name][0]] = round(value) if name == "exposure_us" else value
    if "focus_dioptres" in values and "AfMode" in ranges:
        told["AfMode"] = 0  # by hand
    if "AeEnable" in ranges:
        told["AeEnable"] = not (told.get("ExposureTime") and told.get("AnalogueGain"))
    return {name: value for name, value in told.items() if name in ranges}


def _number(value: Any) -> float | None:
    return round(float(value), 3) if isinstance(value, int | float) else None
