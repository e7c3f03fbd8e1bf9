"""Every key as a form needs it, made of the models of the config themselves."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from edge.config import sections
from edge.live import why
from edge.secrecy import is_secret

Type = Literal["flag", "whole", "number", "text", "choice", "choices", "words", "table", "polygons", "numbers"]
Effect = Literal["live", "restart", "page"]
"""When it takes effect: with a reload, with a restart of the daemon, or with one of the page."""
UNITS = {
    "_s": "s", "_ms": "ms", "_us": "µs", "_px": "px", "_mb": "MB", "_mb_free": "MB", "_c": "°C", "_days": "days", "_hours": "h", "_dioptres": "1/m",
    "_fps": "1/s", "_lux": "lux", "_deg": "°",
}  # fmt: skip
NAMED = {
    "hours": "h", "width": "px", "height": "px", "fps_limit": "1/s", "latitude": "°", "longitude": "°", "below_lux": "lux", "above_lux": "lux",
}  # fmt: skip
MANY = "targets"
"""The section of which there may be several tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """`least` and `most` are limits that belong to it, or not where `open_least` or `open_most`. `default` None: unset, or needed where `needed`."""

    section: str
    key: str
    type: Type
    unit: str
    least: float | None
    most: float | None
    open_least: bool
    open_most: bool
    longest: int | None
    choices: tuple[str, ...]
    default: Any
    needed: bool
    optional: bool
    """It may be left unset, which means something of its own."""
    secret: bool
    effect: Effect
    waits_because: str
    description: str

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"name": self.name}


@cache
def keys() -> tuple[Key, ...]:
    """In the order of the config."""
    return tuple(_keys())


def find(section: str, key: str) -> Key | None:
    return next((one for one in keys() if (one.section, one.key) == (section, key)), None)


def headings() -> dict[str, str]:
    """Section -> what it is for."""
    return {name: " ".join((kind.__doc__ or "").split()) for name, kind in sections().items()}


def _keys() -> Iterator[Key]:
    for section, kind in sections().items():
        for name, field in kind.model_fields.items():
            yield _key(section, name, field)


def _key(section: str, name: str, field: FieldInfo) -> Key:
    plain, optional = _plain(field.annotation)
    kind, choices = _type(plain)
    limits = {what: _limit(field, what) for what in ("ge", "gt", "le", "lt", "max_length")}
    least, most = limits["ge"], limits["le"]
    default = None if field.default is PydanticUndefined else field.default
    waits = why(f"{section}.{name}")
    return Key(
        section=section,
        key=name,
        type=kind,
        unit=_unit(name),
        least=limits["gt"] if least is None else least,
        most=limits["lt"] if most is None else most,
        open_least=limits["gt"] is not None,
        open_most=limits["lt"] is not None,
        longest=None if limits["max_length"] is None else int(limits["max_length"]),
        choices=choices,
        default=list(default) if isinstance(default, tuple) else default,
        needed=field.is_required(),
        optional=optional,
        secret=is_secret(name),
        effect="page" if section == "web" else "restart" if waits else "live",
        waits_because=waits,
        description=field.description or "",
    )


def _plain(annotation: Any) -> tuple[Any, bool]:
    """The type without its `None`, and whether it had one."""
    if get_origin(annotation) in (Union, types.UnionType):
        left = [one for one in get_args(annotation) if one is not type(None)]
        return left[0], len(left) < len(get_args(annotation))
    return annotation, False


def _type(plain: Any) -> tuple[Type, tuple[str, ...]]:
    """Raises TypeError for a kind of key that no form knows yet."""
    simple: dict[Any, Type] = {bool: "flag", int: "whole", float: "number", str: "text"}
    if plain in simple:
        return simple[plain], ()
    origin, args = get_origin(plain), get_args(plain)
    if origin is Literal:
        return "choice", tuple(map(str, args))
    if origin is dict:
        return "table", ()
    if origin in (list, tuple):
        inner = args[0]
        if inner is str:
            return "words", ()
        if get_origin(inner) is Literal:
            return "choices", tuple(map(str, get_args(inner)))
        return ("numbers", ()) if inner in (int, float) else ("polygons", ())
    raise TypeError(f"no form knows keys of the type {plain}")


def _limit(field: FieldInfo, what: str) -> float | None:
    return next((getattr(one, what) for one in field.metadata if getattr(one, what, None) is not None), None)


def _unit(name: str) -> str:
    return NAMED.get(name) or next((unit for end, unit in sorted(UNITS.items(), key=lambda pair: -len(pair[0])) if name.endswith(end)), "")
