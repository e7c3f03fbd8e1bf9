"""What `platewatch bench --stream` adds to a result: the daemon as a process of its own, on recordings played as a camera."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.bench.figures import Part, Timing


class Recording(Part):
    """What was played. `sha256` is of the luma of all its frames as they were decoded."""

    name: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    frames: int = Field(gt=0)
    fps: float = Field(gt=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class StreamRun(Part):
    """One recording through one daemon. Memory is that of the daemon's process at the end, MiB; `private_mb` without the files that it shares with others.

    as fast as it goes: the recording waits for the daemon, and every frame is looked at; nothing moves: a still picture with noise, five frames a second;
    overload: frames come faster than they can be worked, and the newest is taken
    """

    how: Literal["as fast as it goes", "nothing moves", "overload"]
    recording: str
    threads: int = Field(ge=1)
    seconds: float = Field(description="of measuring; the start is not counted")
    frames: int = Field(description="from the camera while measuring")
    looked: int = Field(description="of those: detector, and reader where there was a plate")
    passed_over: int = Field(description="of those: nothing moved")
    dropped: int = Field(description="of those: a newer one came before anybody had time")
    plates: int = Field(description="found in those that were looked at, each anew in each frame")
    fps: float = Field(description="frames looked at each second")
    core_share: float = Field(description="processor seconds each second: 1 is one core")
    cpu_ms: float | None = Field(description="processor time by frame looked at, or where none was by frame from the camera; decoding included")
    resident_mb: float | None
    private_mb: float | None
    stages_ms: dict[str, dict[str, float]] = Field(default={}, description="median and 95th percentile of the last 200 frames by stage")


class Glass(Part):
    """How late events are: from the camera's handing out the frame in which so many (`reads`) looks agreed for the first time.

    `frames` are those that were worked from that one to the preview, for each preview: 0 is the same frame.
    """

    recording: str
    reads: int
    frames: tuple[int, ...]
    preview: Timing | None
    row: Timing | None = Field(description="until it stood in the store")
    line: Timing | None = Field(description="until it stood in the file of a JSONL target")
    first_sight: Timing | None = Field(description="from the first look at the plate to the preview")


class Goal(Part):
    """A demand on this version, and whether it was met here."""

    what: str
    demanded: float
    most: bool = Field(description="true: at most so much; false: at least")
    unit: str
    measured: float | None

    @property
    def met(self) -> bool | None:
        """None where it could not be measured."""
        if self.measured is None:
            return None
        return self.measured <= self.demanded if self.most else self.measured >= self.demanded


class Streamed(Part):
    """All of it."""

    recordings: tuple[Recording, ...]
    runs: tuple[StreamRun, ...]
    glass: tuple[Glass, ...]
    goals: tuple[Goal, ...]
