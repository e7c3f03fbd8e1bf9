"""Values as a form shows them and as people type them: one text for each key, and back."""

from __future__ import annotations

import json
from typing import Any

from edge.errors import ConfigError
from edge.secrecy import is_secret
from edge.settings_file.draft import Change
from edge.settings_file.keys import MANY, Key, find

ON, OFF = "on", "off"
ROWS = ("words", "table", "choices")
"""Types that take a line for each value."""


def shown(key: Key, value: Any) -> str:
    """The text of a value; '' where it is unset."""
    if value is None:
        return ""
    match key.type:
        case "flag":
            return ON if value else OFF
        case "words" | "choices":
            return "\n".join(map(str, value))
        case "table":
            return "\n".join(f"{name}: {one}" for name, one in value.items())
        case "polygons" | "numbers":
            return json.dumps(value) if value else ""
        case "number":
            return f"{value:.15g}"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def read(key: Key, text: str) -> Any:
    """The value of a text; None where that leaves the key unset. Raises ConfigError in a sentence that begins with the key."""
    text = text.replace("\r\n", "\n")
    if key.type not in ("text", "choice"):
        text = text.strip()
    if not text and key.optional:
        return None
    match key.type:
        case "flag":
            if text not in (ON, OFF):
                raise ConfigError(f"{key.name} is {ON} or {OFF}")
            return text == ON
        case "whole" | "number":
            return _number(key, text)
        case "words" | "choices":
            return [line.strip() for line in text.split("\n") if line.strip()]
        case "table":
            return dict(_pair(key, line) for line in text.split("\n") if line.strip())
        case "polygons" | "numbers":
            try:
                return json.loads(text or "[]")
            except ValueError:
                raise ConfigError(f"{key.name} is written as [[x, y], ...] in brackets; a bracket, a comma or a number is not as it should be") from None
    return text


def change(name: str, value: Any, action: str = "set") -> Change:
    """A change whose value may be the text of a form."""
    key = key_of(name)
    if key is None or action != "set":
        if action in ("add", "set") and isinstance(value, dict):
            value = {one: _of_text(find(MANY, str(one)), each) for one, each in value.items()}
        return Change.of({"name": name, "action": action, "value": value})
    found = _of_text(key, value)
    return Change(name, "unset") if found is None and key.optional else Change(name, "set", found)


def key_of(name: str) -> Key | None:
    """Of `section.key` or `targets[1].key`."""
    section, _, key = name.partition(".")
    return find(section.partition("[")[0], key)


def _of_text(key: Key | None, value: Any) -> Any:
    return read(key, value) if key is not None and isinstance(value, str) else value


def _number(key: Key, text: str) -> int | float:
    """`3,5` is how most of Europe writes it."""
    try:
        number = float(text.replace(",", ".").replace("\N{MINUS SIGN}", "-"))
        if key.type == "number":
            return number
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise ConfigError(f"{key.name} is a {'whole ' if key.type == 'whole' else ''}number, but {text[:40]!r} is none" if text else f"{key.name} needs a number")


def _pair(key: Key, line: str) -> tuple[str, str]:
    name, found, value = line.partition(":")
    if not found or not name.strip():
        raise ConfigError(f"{key.name}: write each line as Name: value")
    return name.strip(), value.strip()


def is_hidden(key: Key) -> bool:
    """Set elsewhere, and never typed into a form of the settings."""
    return key.name == "web.password_hash" and is_secret(key.key)
