"""The result of a benchmark as JSON, version 3: what was measured, on what, and how. Files of all commands follow it, and so can be compared.

Version 3 has what version 2 had, and `stream`; files of version 2 can still be read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from edge.bench.figures import Part, Ratio, Timing
from edge.bench.streamed import Streamed
from edge.errors import ConfigError, plain

STAGES = ("resize", "detect", "decode detections", "rectify", "read", "decode reads", "track and judge", "whole frame")
"""What can be timed. detect and read: one run of the network with its input's quantization; track and judge: all that comes after the reads of a
frame; whole frame: all that the daemon does with one."""
STREAM = ("stream frame", "stream preview", "stream row", "stream line")
"""Of the whole daemon on a recording (`edge.bench.streamed`): a frame as fast as it goes, a run being the mean of a round; and from the camera's frame to the
preview, to its row in the store, to its line in a file."""


class Machine(Part):
    """What is known about the computer; null where it does not tell."""

    model: str
    processor: str | None = None
    architecture: str
    flags: tuple[str, ...] = Field(description="instructions that int8 gains from, of those that there are")
    cores: int = Field(ge=1)
    memory_mb: float | None = None
    governor: str | None = None
    virtual: bool = Field(default=False, description="a virtual machine, whose neighbours nobody sees")


class State(Part):
    """What changes while measuring."""

    frequency_mhz: tuple[float, ...] | None = Field(default=None, description="of each core")
    temperature_c: float | None = None
    throttled: tuple[str, ...] | None = Field(default=None, description="what the firmware says, empty: all is well; null: nobody to ask")
    load: tuple[float, float, float] | None = None


class Busy(Part):
    """Processor time that others took while measuring, in cores; `stolen` by the host of a virtual machine."""

    others: float
    stolen: float


class Software(Part):
    """What ran."""

    platewatch: str
    python: str
    system: str
    packages: dict[str, str]
    git: str | None = None


class ModelFile(Part):
    """One file that was measured. `side` tells two bundles apart that are compared."""

    side: str = ""
    kind: Literal["detector", "reader"]
    variant: str
    name: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(gt=0, description="bytes")


class SceneFacts(Part):
    """One picture; `sha256` is of its luma plane, `plates` how many are drawn into it."""

    name: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    plates: int | None = None
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Setting(Part):
    """A way to run the models."""

    variant: str
    runtime: str
    threads: int = Field(ge=1)
    side: str = ""


class Cell(Part):
    """One thing measured in one setting, or why it could not be."""

    setting: Setting
    what: Literal[
        "resize", "detect", "decode detections", "rectify", "read", "decode reads", "track and judge", "whole frame", "stream frame", "stream preview",
        "stream row", "stream line",
    ]  # fmt: skip
    scene: str | None = Field(description="null: does not depend on the picture")
    ms: Timing | None = None
    why: str | None = Field(default=None, description="why there is no timing")
    detector_runs: int | None = Field(default=None, description="whole frame: looks at it, the closer ones too")
    reader_runs: int | None = None


class Loading(Part):
    """What it takes to load the two models of a setting in a process of its own; MiB are of memory that stays resident."""

    setting: Setting
    load_ms: float | None = Field(default=None, description="until both are loaded and have run once")
    run_ms: float | None = Field(default=None, description="the next run of both")
    growth_mb: float | None = None
    peak_mb: float | None = None
    why: str | None = None


class Power(Part):
    """Watts of the board or the processor while it rests and while it works frame after frame, and what a frame costs above resting."""

    setting: Setting
    source: str
    rest_w: float
    work_w: float
    frame_mj: float


class Speedup(Part):
    """How many times faster `setting` is than `than`: one thing each, measured in the same rounds."""

    setting: Setting
    than: Setting
    what: str
    scene: str | None
    ratio: Ratio
    processor: float | None = Field(default=None, description="the ratio of the processor times, which a busy machine disturbs less")
    same_work: bool = Field(default=True, description="false: one of the two looked or read more often")


class Result(Part):
    """One file."""

    schema_name: Literal["platewatch-bench"] = Field(default="platewatch-bench", alias="schema")
    v: Literal[2, 3] = 3
    made: str
    command: str
    seed: int
    seconds: float
    warnings: tuple[str, ...] = ()
    machine: Machine
    software: Software
    before: State
    after: State
    busy: Busy | None = None
    models: tuple[ModelFile, ...]
    scenes: tuple[SceneFacts, ...]
    cells: tuple[Cell, ...]
    speedups: tuple[Speedup, ...] = ()
    loading: tuple[Loading, ...] = ()
    reading_peak_mb: float | None = Field(default=None, description="most memory that a fresh `platewatch read` of 1920x1080 with four plates held")
    reading_private_mb: float | None = Field(default=None, description="of that, at its end, what is its own: not the libraries, whose pages are shared")
    power: tuple[Power, ...] = ()
    no_power: str | None = Field(default=None, description="why no power was measured")
    advice: str | None = Field(default=None, description="how many threads are best here")
    stream: Streamed | None = Field(default=None, description="the whole daemon on recordings")


def load_result(path: Path) -> Result:
    """Raises ConfigError in one sentence when the file is not such a result."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a JSON file of platewatch bench or python -m convert bench") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no text, let alone the result of a benchmark; name a JSON file of platewatch bench") from None
    try:
        return Result.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        older = place == "v" or '"threads": {' in text[:2000]
        mend = "it was written by another version: measure again" if older else "name a JSON file of platewatch bench or python -m convert bench"
        raise ConfigError(f"{path}: is no result of a benchmark ({plain(f'{place}: ' * bool(place) + first['msg'].lower(), 200)}); {mend}") from None


def save_result(result: Result, path: Path) -> None:
    """As indented JSON. Raises ConfigError when it cannot be written."""
    try:
        path.write_text(json.dumps(result.model_dump(mode="json", by_alias=True), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); name a file in a folder that is there") from None
