"""All config keys, for people: the table of the README and an example file, made from the models themselves."""

from __future__ import annotations

from collections.abc import Iterator

from edge.config import sections


def _keys() -> Iterator[tuple[str, str, str, str]]:
    """(section, key, default as TOML or '', description) of every key."""
    for section, kind in sections().items():
        for key, field in kind.model_fields.items():
            yield section, key, _toml(field.default), field.description or ""


def _toml(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def table() -> str:
    """The markdown reference of every key."""
    rows = [f"| `{section}.{key}` | {f'`{default}`' if default else 'unset'} | {text} |" for section, key, default, text in _keys()]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) + "\n"


def example() -> str:
    """A whole config file with every key at its default and its description above it."""
    lines: list[str] = []
    for section, kind in sections().items():
        lines += [f"# {kind.__doc__}", f"[{section}]"]
        lines += [f"# {text}\n{'' if default else '# '}{key} = {default or '...'}" for name, key, default, text in _keys() if name == section]
        lines.append("")
    return "\n".join(lines)
