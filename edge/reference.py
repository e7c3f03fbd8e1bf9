"""All config keys, for people: the table of the README and an example file, made from the models themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic_core import PydanticUndefined

from edge.config import Config, sections
from edge.live import needs_restart


def _keys() -> Iterator[tuple[str, str, str, str]]:
    """(section, key, default as TOML or '', description) of every key."""
    for section, kind in sections().items():
        for key, field in kind.model_fields.items():
            yield section, key, _toml(field.default), field.description or ""


def _toml(value: object) -> str:
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def table() -> str:
    """The markdown reference of every key."""
    rows = [
        f"| `{section}.{key}` | {f'`{default}`' if default else 'unset'} | {'yes' if needs_restart(section, key) else ''} | {text} |"
        for section, key, default, text in _keys()
    ]
    return "\n".join(["| key | default | restart | meaning |", "|---|---|---|---|", *rows]) + "\n"


def schema() -> str:
    """The JSON Schema of the config file, for editors that check while one types."""
    made = Config.model_json_schema()
    told = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Platewatch config"}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def example() -> str:
    """A whole config file with every key at its default and its description above it."""
    lines: list[str] = []
    for section, kind in sections().items():
        many = Config.model_fields[section].default == ()  # a table for each, and none to begin with
        lines += [f"# {kind.__doc__}", f"# [[{section}]]" if many else f"[{section}]"]
        lines += [f"# {text}\n{'# ' if many or not default else ''}{key} = {default or '...'}" for name, key, default, text in _keys() if name == section]
        lines.append("")
    return "\n".join(lines)
