"""One TOML file says how a device watches. Every key stands here once: checked, documented, with its unit in its name."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from edge import toml_text
from edge.attention.settings import GovernorConfig, MotionConfig, ViewConfig
from edge.camera.address import without_password
from edge.camera.settings import CameraConfig, NightConfig
from edge.errors import ConfigError, plain
from edge.gate.settings import GateConfig
from edge.keeping.settings import PrivacyConfig, StoreConfig
from edge.lists.settings import ListsConfig
from edge.plates.settings import CountryConfig
from edge.publish.settings import OutboxConfig, TargetConfig, told_apart
from edge.secrecy import is_secret
from edge.section import Section
from edge.tracking.settings import TrackingConfig, UnreadConfig
from edge.web.settings import WebConfig

MOST_BYTES, MOST_SAID = 1_000_000, 250
"""Of the file, and characters that a message says beside the file and the line."""


class ModelsConfig(Section):
    """The two networks."""

    detector: str = Field(
        default="detector",
        min_length=1,
        description="Bundle that finds plates: the name of one that ships with Platewatch, or a folder (a path with a `/`).",
    )
    reader: str = Field(default="reader", min_length=1, description="Bundle that reads plates: as above.")
    threads: int = Field(
        default=1, ge=0, le=16, description="Threads for each network; 0 chooses for this device, by `models.measured` where there is such a file."
    )
    measured: str = Field(default="var/bench.json", description="What `platewatch bench --json FILE` wrote on this device.")
    depot: str = Field(default="var/bundles", min_length=1, description="Folder of the bundles that are uploaded on the page.")
    detection_threshold: float | None = Field(
        default=None, ge=0, le=1, description="Findings that the detector believes in less than this are not looked at; unset takes the bundle's own."
    )
    closer_looks: int = Field(
        default=2,
        ge=0,
        le=8,
        description="How often a frame may be looked at again, closer, where something small or faint was found; each costs as much as the frame.",
    )


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
    night: NightConfig = NightConfig()
    view: ViewConfig = ViewConfig()
    motion: MotionConfig = MotionConfig()
    governor: GovernorConfig = GovernorConfig()
    tracking: TrackingConfig = TrackingConfig()
    store: StoreConfig = StoreConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    web: WebConfig = WebConfig()
    country: CountryConfig = CountryConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    unread: UnreadConfig = UnreadConfig()
    lists: ListsConfig = ListsConfig()
    gate: GateConfig = GateConfig()
    outbox: OutboxConfig = OutboxConfig()
    targets: Annotated[tuple[TargetConfig, ...], AfterValidator(told_apart), Field(max_length=16)] = ()


def load(path: str | Path) -> Config:
    """The checked config with absolute paths; raises ConfigError, one sentence that names the file, the key and the mend."""
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ConfigError(f"{path}: is larger than {MOST_BYTES // 1000} kB, which no config is")
        document = toml_text.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name an existing file with --config") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        line, words = toml_text.complaint(error)
        raise ConfigError(f"{path}, {f'line {line}' if line else 'the last line'}: not valid TOML ({words})") from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{plain(str(path))}: cannot be read ({error})") from None
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError(_sentence(path, text, error)) from None
    if trouble := config.gate.stranger(config.targets):
        raise ConfigError(f"{path}: {plain(trouble, MOST_SAID)}")
    return absolute(config, path.resolve().parent)


def _sentence(path: Path, text: str, error: ValidationError) -> str:
    problems = error.errors()
    first = problems[0]
    keys = [str(part) for part in first["loc"]]
    line = line_of(text, keys) if keys else None
    where = f"{path}, line {line}" if line else str(path)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {plain(_said(first, keys), MOST_SAID)}{more}"


def _said(first: ErrorDetails, keys: list[str]) -> str:
    if first["type"] == "extra_forbidden":
        known = list(Config.model_fields) if len(keys) == 1 else list(sections()[keys[0]].model_fields)
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
        mend = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"unknown key {'.'.join(keys)[:80]!r}; {mend}"
    if first["type"] == "missing":
        return f"{keys[0]} needs a {keys[-1]!r}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    message = "should be a table" if first["type"] == "model_type" else message
    if first["type"] == "value_error":
        return message
    return f"{'.'.join(keys)[:80]} {message}, but is {shown(keys, first['input'])}"


def shown(keys: Sequence[str], value: object) -> str:
    """A value as a message may repeat it: no secret, no inside of a table or list, which may hold one, and no more than a line's worth."""
    if any(map(is_secret, keys)):
        return "not"
    if isinstance(value, dict | list | tuple) or len(keys) < 2:
        return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else "a value"
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of too many digits"
    said = repr(without_password(value) if isinstance(value, str) else value)
    return said if len(said) <= 80 else f"{said[:80]}..."


def line_of(text: str, keys: list[str]) -> int | None:
    """Line of a key in its section (or of the section, or of the n-th of its tables), counted from 1; None where it is not written out plainly."""
    which, inside = (int(keys[1]), keys[2:]) if len(keys) > 1 and keys[1].isdecimal() and keys[1].isascii() else (0, keys[1:])
    section, seen, found = "", -1, None
    for number, line in enumerate(text.splitlines(), start=1):
        if head := re.match(r"\s*\[{1,2}\s*([\w.-]+)\s*\]", line):
            section = head[1]
            seen += section == keys[0]
            found = number if (section, seen) == (keys[0], which) else found
        elif inside and (section, seen) == (keys[0], which) and re.match(rf"\s*{re.escape(inside[0])}\s*=", line):
            return number
    return found


def absolute(config: Config, base: Path) -> Config:
    """Relative paths count from the file that holds them."""
    camera, models = config.camera, config.models
    changes: dict[str, Any] = {
        "store": config.store.model_copy(update={"path": str(base / config.store.path)}),
        "runtime": config.runtime.model_copy(update={"directory": str(base / config.runtime.directory)}),
        "models": models.model_copy(
            update={
                key: str(base / name)
                for key in ("detector", "reader", "measured", "depot")
                if "/" in (name := getattr(models, key)) or key in ("measured", "depot")
            }
        ),
    }
    if camera.kind == "files":
        changes["camera"] = camera.model_copy(update={"source": str(base / camera.source)})
    changes["targets"] = tuple(target.absolute(base) for target in config.targets)
    if not config.privacy.key_file:
        changes["privacy"] = config.privacy.model_copy(update={"key_file": str((base / config.store.path).with_name("pseudonym.key"))})
    others = {name: getattr(config, name).absolute(base) for name in sections() if name not in changes}
    return config.model_copy(update=others | changes)


def sections() -> dict[str, type[Section]]:
    """Name and model of every section, in order; of `[[targets]]` the model of one."""
    kinds = {name: (get_args(field.annotation) or (field.annotation,))[0] for name, field in Config.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Section)}
