"""Day, night and infra-red: which settings the Pi camera has when, and what they are in libcamera's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from edge.camera.settings import CameraConfig, NightConfig
from edge.camera.sun import is_up
from edge.errors import ConfigError

Profile = Literal["day", "night", "infra-red"]
Ranges = Mapping[str, tuple[Any, Any, Any]]
"""libcamera's name of a control -> least, most and usual value, as `Picamera2.camera_controls` gives it."""
METERING = {"centre": 0, "spot": 1, "matrix": 2, "plate": 2}
"""libcamera's AeMeteringModeEnum. It knows no region of one's own: `plate` corrects the matrix from outside (`metering.py`)."""
MANUAL_FOCUS = 0


class DayOrNight:
    """Tells the profile that holds, frame by frame."""

    def __init__(self, night: NightConfig, *, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._night, self._wall = night, wall
        self._dark = False
        self._since: float | None = None

    @property
    def profile(self) -> Profile:
        if not self._dark:
            return "day"
        return "infra-red" if self._night.infra_red else "night"

    def after(self, metadata: Mapping[str, Any], now: float) -> Profile:
        """Once more, with a frame's metadata at `now` (monotonic s)."""
        night = self._night
        if night.switch == "sun" and night.latitude is not None and night.longitude is not None:
            self._dark = not is_up(self._wall(), night.latitude, night.longitude)
        elif night.switch == "light":
            self._by_light(lux_of(metadata), now)
        return self.profile

    def _by_light(self, lux: float | None, now: float) -> None:
        """Between the two limits, and until one was passed for long enough, all stays as it is."""
        if lux is None or not (lux > self._night.above_lux if self._dark else lux < self._night.below_lux):
            self._since = None
            return
        self._since = now if self._since is None else self._since
        if now - self._since >= self._night.hold_s:
            self._dark, self._since = not self._dark, None


def lux_of(metadata: Mapping[str, Any]) -> float | None:
    """How bright the scene is: libcamera's own estimate, else one from exposure and gain (the longer and the stronger, the darker).

    50 lux is what an automatic exposure of 1/30 s at gain 8 stands for: a rule of thumb, for cameras without a tuned estimate.
    """
    if (lux := metadata.get("Lux")) is not None:
        return float(lux)
    exposure_us, gain = metadata.get("ExposureTime"), metadata.get("AnalogueGain")
    if not exposure_us or not gain:
        return None
    return 50.0 * (33_333 * 8) / (float(exposure_us) * float(gain))


def controls(camera: CameraConfig, night: NightConfig, profile: Profile, ranges: Ranges) -> dict[str, Any]:
    """libcamera's controls for a profile, each within the camera's range; what the camera does not have is left out.

    Raises ConfigError where the config fixes the focus of a camera without a motor.
    """
    dark = profile != "day"
    shutter_us, gain = (night.shutter_us, night.gain) if dark else (camera.shutter_us, camera.gain)
    focus = night.focus_dioptres if dark and night.focus_dioptres is not None else camera.focus_dioptres
    if focus is not None and "LensPosition" not in ranges:
        raise ConfigError("camera.focus_dioptres is set, but this camera has no motor for its focus; leave the key out and turn the lens by hand")
    # 0 gives a control back to the automatic. AeEnable goes off only when both are fixed: with one of them libcamera goes on choosing the other.
    wanted: dict[str, Any] = {"AeEnable": not (shutter_us and gain), "ExposureTime": shutter_us, "AnalogueGain": gain}
    wanted |= {"AeMeteringMode": METERING[camera.metering], "AwbEnable": profile != "infra-red", "Saturation": 0.0 if profile == "infra-red" else 1.0}
    if focus is not None:
        wanted |= {"AfMode": MANUAL_FOCUS, "LensPosition": focus}
    if camera.fps_limit:
        frame_us = round(1e6 / camera.fps_limit)
        wanted["FrameDurationLimits"] = (frame_us, frame_us)
    return {name: _within(value, ranges[name]) for name, value in wanted.items() if name in ranges}


def _within(value: Any, limits: tuple[Any, Any, Any]) -> Any:
    """0 and booleans are words of their own and left alone; the rest is brought into the range."""
    if isinstance(value, tuple):
        return tuple(_within(one, limits) for one in value)
    least, most, _ = limits
    return value if isinstance(value, bool) or value == 0 or least is None or most is None else type(value)(min(max(value, least), most))
