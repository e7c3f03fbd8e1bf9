"""One TOML file says how a device watches. Every key stands here once: checked, documented, with its unit in its name."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class ModelsConfig(Section):
    """The two networks."""

    detector: str = Field(
        default="detector",
        min_length=1,
        description="Bundle that finds plates: the name of one that ships with Platewatch, or a folder (a path with a `/`).",
    )
    reader: str = Field(default="reader", min_length=1, description="Bundle that reads plates: as above.")
    threads: int = Field(default=1, ge=0, le=16, description="Threads for each network; 0 chooses for this device.")
    detection_threshold: float | None = Field(
        default=None, ge=0, le=1, description="Findings that the detector believes in less than this are not looked at; unset takes the bundle's own."
    )
    closer_looks: int = Field(
        default=2,
        ge=0,
        le=8,
        description="How often a frame may be looked at again, closer, where something small or faint was found; each costs as much as the frame.",
    )


class TrackingConfig(Section):
    """When many looks become one event."""

    min_reads: int = Field(default=2, ge=1, le=20, description="So many looks must agree on the whole text before a pass is reported.")
    min_characters: int = Field(default=3, ge=1, le=14, description="A shorter text is no plate.")
    min_confidence: float = Field(default=0.3, ge=0, le=1, description="The voted text must reach this confidence.")
    min_detection_score: float = Field(default=0.4, ge=0, le=1, description="Looks with a detection score below this do not vote.")
    min_plate_px: float = Field(default=32.0, ge=0, description="Plates narrower than this many pixels are not read.")
    min_sharpness: float = Field(
        default=0.02,
        ge=0,
        description="Looks less sharp than this do not vote (variance of the Laplacian over the variance of the luma).",
    )
    settle_s: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="A plate still in view is reported once its voted text has stood for so many seconds; one that leaves, at once when it is lost.",
    )
    lost_after_s: float = Field(default=1.0, gt=0, le=60, description="A plate unseen for so many seconds has left.")
    repeat_after_s: float = Field(
        default=30.0,
        ge=0,
        description="The same plate is the same pass until it was unseen for so many seconds; so a parked car is silent. Another plate is never held back.",
    )


class StoreConfig(Section):
    """What is kept, and for how long."""

    path: str = Field(default="var/events.sqlite", min_length=1, description="The event store's file.")
    retention_days: float = Field(default=7.0, gt=0, le=3650, description="Events older than so many days are deleted.")
    keep_at_least_mb_free: int = Field(
        default=200,
        ge=0,
        description="When the disk has less free than this many megabytes, the oldest events go first.",
    )
    crops: bool = Field(default=True, description="Keep the picture of the plate with each event.")


class WebConfig(Section):
    """The status page."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address the page listens on; anything but this machine itself needs a `password_hash`.",
    )
    port: int = Field(default=8080, ge=1, le=65535, description="Port the page listens on.")
    password_hash: str = Field(default="", description="Hash of the page's password; empty: no password, loopback only.")

    @model_validator(mode="after")
    def _open_pages_have_a_password(self) -> Self:
        if self.host not in LOOPBACK and not self.password_hash:
            raise ValueError(f"web.host is {self.host!r}, which others can reach, but web.password_hash is empty; set one, or use 127.0.0.1")
        return self


class CountryConfig(Section):
    """Which country's plates are expected."""

    code: str = Field(default="", pattern=r"^([a-z]{2})?$", description="Two small letters such as `gb`; empty expects none.")


class RuntimeConfig(Section):
    """Files that live only while the daemon does."""

    directory: str = Field(
        default="var/run",
        min_length=1,
        description="Folder of the status file and the live picture; best in memory (`/run/platewatch`).",
    )


class Config(Section):
    """The whole file. Relative paths start at the folder of the file."""

    camera: CameraConfig = CameraConfig()
    models: ModelsConfig = ModelsConfig()
    tracking: TrackingConfig = TrackingConfig()
    store: StoreConfig = StoreConfig()
    web: WebConfig = WebConfig()
    country: CountryConfig = CountryConfig()
    runtime: RuntimeConfig = RuntimeConfig()


def load(path: str | Path) -> Config:
    """The checked config with absolute paths; raises ConfigError, one sentence that names the file, the key and the mend."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name an existing file with --config") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        where = f"line {found[1]}" if found else "the last line"
        raise ConfigError(f"{path}, {where}: not valid TOML ({str(error).split(' (at')[0]})") from None
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError(_sentence(path, text, error)) from None
    return _absolute(config, path.resolve().parent)


def _sentence(path: Path, text: str, error: ValidationError) -> str:
    problems = error.errors()
    first = problems[0]
    keys = [str(part) for part in first["loc"]]
    line = _line_of(text, keys)
    where = f"{path}, line {line}" if line else str(path)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = list(Config.model_fields) if len(keys) == 1 else list(sections()[keys[0]].model_fields)
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
        mend = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"{where}: unknown key {'.'.join(keys)!r}; {mend}{more}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    if first["type"] == "value_error":
        return f"{where}: {message}{more}"
    return f"{where}: {'.'.join(keys)} {message}, but is {first['input']!r}{more}"


def _line_of(text: str, keys: list[str]) -> int | None:
    """Line of a key in its section (or of the section), counted from 1; None where it is not written out plainly."""
    section, found = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        if head := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            section = head[1]
            found = number if section == keys[0] else found
        elif len(keys) > 1 and section == keys[0] and re.match(rf"\s*{re.escape(keys[1])}\s*=", line):
            return number
    return found


def _absolute(config: Config, base: Path) -> Config:
    """A source, a bundle folder and the two paths of a config count from the file that holds them."""
    camera, models = config.camera, config.models
    changes: dict[str, Any] = {
        "store": config.store.model_copy(update={"path": str(base / config.store.path)}),
        "runtime": config.runtime.model_copy(update={"directory": str(base / config.runtime.directory)}),
        "models": models.model_copy(update={key: str(base / name) for key in ("detector", "reader") if "/" in (name := getattr(models, key))}),
    }
    if camera.kind == "files":
        changes["camera"] = camera.model_copy(update={"source": str(base / camera.source)})
    return config.model_copy(update=changes)


def sections() -> dict[str, type[Section]]:
    """Name and model of every section, in order."""
    return {name: kind for name, field in Config.model_fields.items() if isinstance(kind := field.annotation, type) and issubclass(kind, Section)}
