"""The config's sections on the camera."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from edge.section import Section


class CameraConfig(Section):
    """Where the pictures come from."""

    name: str = Field(default="camera", min_length=1, max_length=40, description="The camera's name in events and on the page.")
    kind: Literal["files", "opencv", "pi"] = Field(
        default="opencv",
        description="`files` (a picture, a folder of pictures, or a video), `opencv` (USB camera or RTSP stream), `pi` (Raspberry Pi camera).",
    )
    source: str = Field(
        default="0",
        description="`files`: a path. `opencv`: a USB camera's number, a device such as `/dev/video0`, or an `rtsp://` address. `pi`: the camera's number.",
    )
    fps_limit: float = Field(
        default=0.0,
        ge=0,
        le=240,
        description="At most this many frames a second are taken; 0 takes what the source gives (a folder of pictures: 2).",
    )
    loop: bool = Field(default=False, description="`files`: start again at the end.")
    real_time: bool = Field(
        default=True,
        description="`files`: play at the recording's own pace and drop what comes too fast, as a camera does; `false` reads every frame, as fast "
        "as the device can.",
    )
    width: int = Field(default=1920, ge=64, le=9152, description="Frame width in pixels asked of the camera; `files` and RTSP give what they have.")
    height: int = Field(default=1080, ge=64, le=6944, description="Frame height in pixels asked of the camera.")
    shutter_us: int = Field(
        default=2000,
        ge=0,
        le=1_000_000,
        description="`pi`: fixed shutter in microseconds; 2000 (1/500 s) freezes plates up to about 45 km/h; 0 leaves it to the camera.",
    )
    gain: float = Field(default=0.0, ge=0, le=64, description="`pi`: fixed analogue gain; 0 leaves it to the camera.")
    focus_dioptres: float | None = Field(
        default=None,
        ge=0,
        le=32,
        description="`pi`: fixed lens position (1 / metres) on cameras with a motor; unset leaves it alone.",
    )
    metering: Literal["matrix", "centre", "spot", "plate"] = Field(
        default="matrix",
        description="`pi`: what the automatic exposure goes by; `plate` goes by the plates in view, as far as shutter and gain are not both fixed.",
    )
    stall_s: float = Field(default=8.0, ge=0, le=300, description="A camera that sends nothing for so many seconds is opened again; 0: never.")
    freeze_s: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        description="A camera that sends the very same picture for so many seconds is opened again; 0 for a source without any noise.",
    )

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        """It stands in logs, topics and file names."""
        if not name.isprintable():
            raise ValueError(f"camera.name {name!r} holds a sign that cannot be printed; take it out")
        return name


class NightConfig(Section):
    """A second set of settings for the dark, for the Raspberry Pi camera; USB and IP cameras have their own."""

    switch: Literal["off", "light", "sun"] = Field(
        default="off", description="When the night's settings hold: never, by the light that the camera measures, or from sunset to sunrise."
    )
    infra_red: bool = Field(
        default=False, description="The scene is lit by an infra-red lamp at night: colours mean nothing then, and the white balance rests."
    )
    shutter_us: int = Field(default=4000, ge=0, le=1_000_000, description="Shutter at night, as `camera.shutter_us`.")
    gain: float = Field(default=0.0, ge=0, le=64, description="Gain at night, as `camera.gain`.")
    focus_dioptres: float | None = Field(
        default=None, ge=0, le=32, description="Lens position at night (infra-red light focuses elsewhere); unset keeps the day's."
    )
    below_lux: float = Field(default=10.0, gt=0, description="`light`: night begins when it is darker than this.")
    above_lux: float = Field(default=40.0, gt=0, description="`light`: day begins when it is brighter than this.")
    hold_s: float = Field(default=30.0, ge=1, le=3600, description="`light`: it must be so for so many seconds, so that headlights make no day.")
    latitude: float | None = Field(default=None, ge=-90, le=90, description="`sun`: degrees, north positive.")
    longitude: float | None = Field(default=None, ge=-180, le=180, description="`sun`: degrees, east positive.")

    @model_validator(mode="after")
    def _can_tell_night_from_day(self) -> Self:
        if self.above_lux <= self.below_lux:
            raise ValueError(f"night.above_lux {self.above_lux:g} is not above night.below_lux {self.below_lux:g}; day would turn to night at once")
        if self.switch == "sun" and (self.latitude is None or self.longitude is None):
            raise ValueError("night.switch is 'sun', but where the camera stands is not said; set night.latitude and night.longitude")
        return self

    def absolute(self, base: Path) -> Self:
        return self
