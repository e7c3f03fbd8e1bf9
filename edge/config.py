"""One TOML file says how a device watches. Every key stands here once: checked, documented, with its unit in its name."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, Field, ValidationError

from edge.attention.settings import GovernorConfig, MotionConfig, ViewConfig
from edge.camera.settings import CameraConfig, NightConfig
from edge.errors import ConfigError
from edge.gate.settings import GateConfig
from edge.keeping.settings import PrivacyConfig, StoreConfig
from edge.lists.settings import ListsConfig
from edge.plates.settings import CountryConfig
from edge.publish.settings import OutboxConfig, TargetConfig, told_apart
from edge.section import Section
from edge.tracking.settings import TrackingConfig, UnreadConfig
from edge.web.settings import WebConfig

SECRETS = ("password", "secret", "password_hash", "headers")
"""Values of these keys are not repeated in a message."""


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
    if trouble := config.gate.stranger(config.targets):
        raise ConfigError(f"{path}: {trouble}")
    return absolute(config, path.resolve().parent)


def _sentence(path: Path, text: str, error: ValidationError) -> str:
    problems = error.errors()
    first = problems[0]
    keys = [str(part) for part in first["loc"]]
    line = line_of(text, keys)
    where = f"{path}, line {line}" if line else str(path)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = list(Config.model_fields) if len(keys) == 1 else list(sections()[keys[0]].model_fields)
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
        mend = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"{where}: unknown key {'.'.join(keys)!r}; {mend}{more}"
    if first["type"] == "missing":
        return f"{where}: {keys[0]} needs a {keys[-1]!r}{more}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    if first["type"] == "value_error":
        return f"{where}: {message}{more}"
    return f"{where}: {'.'.join(keys)} {message}, but is {'not' if keys[-1] in SECRETS else repr(first['input'])}{more}"


def line_of(text: str, keys: list[str]) -> int | None:
    """Line of a key in its section (or of the section, or of the n-th of its tables), counted from 1; None where it is not written out plainly."""
    which, inside = (int(keys[1]), keys[2:]) if len(keys) > 1 and keys[1].isdigit() else (0, keys[1:])
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
