"""What the setup aid writes into the config file, and puts in force at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from edge.camera.knobs import PI
from edge.config import Config
from edge.errors import ConfigError
from edge.settings_file.draft import Change
from edge.settings_file.effect import put_in_force
from edge.settings_file.settings import SettingsFile

Profile = Literal["day", "night"]
Polygons = Sequence[Sequence[Sequence[float]]]
KEPT: Mapping[str, str] = {name: key for name, (_, _, key, _) in PI.items() if key} | {"fps": "fps_limit"}
"""Name of a control -> key of [camera]; of [night] too, but for the frame rate."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`in_force`: the daemon goes by it already. `sentence` is its own word, in English."""

    etag: str
    changed: list[str]
    in_force: bool
    sentence: str


def told(config: Config) -> dict[str, Any]:
    """What the aid shows of a config."""
    camera, night = config.camera, config.night
    return {
        "include": config.view.include,
        "exclude": config.view.exclude,
        "min_plate_px": config.tracking.min_plate_px,
        "profiles": {
            "day": {"exposure_us": camera.shutter_us, "gain": camera.gain, "focus_dioptres": camera.focus_dioptres, "fps": camera.fps_limit},
            "night": {"exposure_us": night.shutter_us, "gain": night.gain, "focus_dioptres": night.focus_dioptres},
        },
    }


def keep_view(settings: SettingsFile, etag: str, include: Polygons, exclude: Polygons, min_plate_px: float | None, directory: Path, who: str) -> Kept:
    """Raises ConfigError, and Changed where the file is another one by now."""
    changes = [Change(f"view.{name}", "set" if shapes else "unset", _plain(shapes)) for name, shapes in (("include", include), ("exclude", exclude))]
    now = settings.open().config
    if min_plate_px is not None and (now is None or now.tracking.min_plate_px != min_plate_px):
        changes.append(Change("tracking.min_plate_px", "set", float(min_plate_px)))
    return _keep(settings, etag, changes, directory, who)


def keep_camera(settings: SettingsFile, etag: str, profile: Profile, values: Mapping[str, float], directory: Path, who: str) -> Kept:
    """Raises as `keep_view`, and for a control that no key keeps."""
    changes = []
    for name, value in values.items():
        key = KEPT.get(name, "")
        if not key or (profile == "night" and key == "fps_limit"):
            raise ConfigError(f"{name[:40]!r} cannot be kept {'for the night' if key else 'in the config'}; it can be tried only")
        changes.append(Change(f"{'camera' if profile == 'day' else 'night'}.{key}", "set", round(value) if key == "shutter_us" else float(value)))
    return _keep(settings, etag, changes, directory, who)


def _keep(settings: SettingsFile, etag: str, changes: list[Change], directory: Path, who: str) -> Kept:
    saved = settings.save(changes, etag)
    answer = put_in_force(directory, who)
    return Kept(saved.etag, list(saved.changed), answer.ok, answer.sentence)


def _plain(shapes: Polygons) -> list[list[list[float]]] | None:
    return [[[round(float(x), 4), round(float(y), 4)] for x, y in shape] for shape in shapes] or None


def as_json(kept: Kept) -> dict[str, Any]:
    return asdict(kept)
