"""What the endpoints of the setup aid take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from edge.web.api.declare import Model

Share = Annotated[float, Field(ge=0, le=1)]
Corner = Annotated[list[Share], Field(min_length=2, max_length=2)]
Polygon = Annotated[list[Corner], Field(min_length=3, max_length=100)]
Polygons = Annotated[list[Polygon], Field(max_length=16, description="Corners [x, y] as shares of the width and the height.")]
Tone = Literal["good", "wait", "bad", "off"]
Etag = Annotated[str, Field(min_length=1, max_length=64, description="`etag` of GET /api/setup; where the file is another one by now, nothing is written.")]
Control = Annotated[str, Field(max_length=40)]


class SetupAnswer(Model):
    """How the camera is set up, as the config file has it."""

    etag: str
    include: list[list[list[float]]]
    exclude: list[list[list[float]]]
    min_plate_px: float
    profiles: dict[str, dict[str, float | None]] = Field(description="`day` and `night`: the controls of the camera; 0 or null is automatic.")
    profile: str = Field(description="Which of them holds now: day, night or infra-red.")


class ViewBody(Model):
    etag: Etag
    include: Polygons
    exclude: Polygons
    min_plate_px: float | None = Field(default=None, ge=0, le=2000)


class KeptAnswer(Model):
    etag: str
    changed: list[str] = Field(description="Keys of the config.")
    in_force: bool = Field(description="The daemon goes by it already.")
    sentence: str


class AidBody(Model):
    seconds: float = Field(default=10.0, gt=0, le=60)
    walk: float | None = Field(default=None, ge=0, le=600, description="Begins a walk test of so many seconds; 0 ends it.")


class Check(Model):
    name: str
    value: float
    tone: Tone
    percent: float = Field(description="Of a bar.")
    words: str
    says: str = Field(description="What to do; empty where it is good.")


class AidAnswer(Model):
    seconds_left: float = Field(description="So long the daemon goes on without being asked again.")
    plates: list[dict[str, Any]] = Field(
        description="Those with a text first, the nearest of them: the figures of the errand `aid`, with `checks` and the worst `tone` of them."
    )
    picture: dict[str, float] | None
    trying: dict[str, float]
    walk: dict[str, Any] | None
    tone: Tone = Field(description="Of the device itself.")
    word: str


class StillAnswer(Model):
    path: str = Field(description="Where the picture is: a JPEG at full resolution.")
    width: int
    height: int
    at: str


class TryBody(Model):
    values: dict[Control, float] = Field(default={}, max_length=8, description="Control -> value; none goes back to the config.")
    seconds: float = Field(default=30.0, gt=0, le=120)


class Knob(Model):
    name: str
    unit: str
    least: float
    most: float
    now: float | None
    key: str = Field(description="The key of [camera] that keeps it; empty where it can be tried only.")
    zero: str = Field(description="What 0 means, where it is special.")


class TryAnswer(Model):
    controls: list[Knob]
    trying: dict[str, float]
    sentence: str


class CameraBody(Model):
    etag: Etag
    profile: Literal["day", "night"] = "day"
    values: dict[Control, float] = Field(min_length=1, max_length=8)


class ShutterQuery(Model):
    view_deg: float = Field(default=66.0, ge=1, le=170, description="The lens' horizontal angle of view.")
    distance_m: float = Field(default=6.0, ge=0.5, le=200)
    speed_kmh: float = Field(default=20.0, ge=1, le=300)
    angle_deg: float = Field(default=20.0, ge=0, le=85, description="Between the line of sight and the direction of travel.")
    plate_cm: float = Field(default=52.0, ge=10, le=120)
    frame_px: int = Field(default=1920, ge=64, le=16384)


class ShutterAnswer(Model):
    plate_px: float
    tone: Tone
    good_us: float = Field(description="The shutter with which nothing is lost.")
    longest_us: float = Field(description="The longest that is bearable.")
    farthest_m: float = Field(description="So far away the plate is still wide enough.")
    words: list[str] = Field(description="The same as sentences.")
