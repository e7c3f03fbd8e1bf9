"""Changes of a config, tried on its text: comments and order stay, and what comes out is checked by the config's own model."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import tomlkit
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item

from edge import toml_text
from edge.config import Config
from edge.errors import ConfigError
from edge.settings_file.elsewhere import refuse_moved
from edge.settings_file.keys import MANY, find
from edge.settings_file.problems import Problem, problems_of
from edge.settings_file.secrets import unmasked

Action = Literal["set", "unset", "add", "remove", "move"]
_PLACE = re.compile(rf"{MANY}\[(\d{{1,3}})\](?:\.(\w+))?")


@dataclass(frozen=True, slots=True)
class Change:
    """`name` is `section.key`, `targets` (add), `targets[2]` (remove, move, set to a whole table) or `targets[2].key`."""

    name: str
    action: Action
    value: Any = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Change:
        """From {"name", "action", "value"}; raises ConfigError."""
        name, action = told.get("name"), told.get("action", "set")
        if not isinstance(name, str) or action not in ("set", "unset", "add", "remove", "move"):
            raise ConfigError('a change is {"name": "section.key", "action": "set", "unset", "add", "remove" or "move", "value"}')
        return cls(name, action, told.get("value"))


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is not written yet, what is wrong with it, and the config that it makes where nothing is."""

    text: str
    problems: tuple[Problem, ...]
    config: Config | None


def tried(text: str, changes: Sequence[Change]) -> Draft:
    """Raises ConfigError for a change that cannot even be made: an unknown key, a target that is not there, a file that is not TOML."""
    document, wanted = _parsed(text)
    before = wanted
    for change in changes:
        _make(document, change, wanted)
        wanted = _as_wanted(wanted, change)
    made = tomlkit.dumps(document)
    if _plain(made) != wanted:
        raise ConfigError("this file is written in a way that cannot be changed from here; edit it as text")
    refuse_moved(before, wanted, [change.value for change in changes])
    return checked(made)


def checked(text: str) -> Draft:
    """A whole text, as it is."""
    try:
        document = toml_text.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, words = toml_text.complaint(error, len(text.splitlines()))
        return Draft(text, (Problem("", f"line {line}: not valid TOML ({words})", line),), None)
    try:
        return Draft(text, (), Config.model_validate(document))
    except ValidationError as error:
        return Draft(text, tuple(problems_of(text, error)), None)


def _parsed(text: str) -> tuple[Any, dict[str, Any]]:
    try:
        document, plain = tomlkit.parse(text), toml_text.loads(text)
    except (TOMLKitError, ValueError, RecursionError):
        raise ConfigError("the file is not valid TOML; mend it as text first") from None
    if odd := [name for name, one in plain.items() if name in Config.model_fields and not isinstance(one, list if name == MANY else dict)]:
        raise ConfigError(f"{odd[0]} is no table in this file; mend it as text first")
    return document, plain


def _plain(text: str) -> dict[str, Any] | None:
    try:
        return toml_text.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _make(document: Any, change: Change, before: Mapping[str, Any]) -> None:
    """On the text with its comments."""
    place = _PLACE.fullmatch(change.name)
    if change.name == MANY or place:
        _make_target(document, change, place, before)
        return
    section, key = _known(change)
    if change.action == "unset":
        if key in document.get(section, {}):
            del document[section][key]
        return
    if section not in document:
        document[section] = tomlkit.table()
    value = unmasked(key, change.value, before.get(section, {}).get(key))
    _put(document[section], key, _item(section, key, value))


def _put(table: Any, key: str, item: Item) -> None:
    """A new key stands below the others, and not below the comments and blank lines that belong to what follows."""
    body, rest = table.value.body, []
    while key not in table and body and body[-1][0] is None:
        rest.append(body.pop())
    table[key] = item
    body.extend(reversed(rest))


def _known(change: Change) -> tuple[str, str]:
    section, _, key = change.name.partition(".")
    known = find(section, key)
    if known is None or section == MANY:
        raise ConfigError(f"there is no key {change.name[:60]!r}; `platewatch config --table` lists them")
    if known.name == "web.password_hash":
        raise ConfigError("web.password_hash is set by `platewatch web --set-password`, or on the page under Access")
    if change.action not in ("set", "unset"):
        raise ConfigError(f"{change.name} can be set and unset, and nothing else")
    if change.action == "set" and change.value is None:
        raise ConfigError(f"{change.name} needs a value; to go back to the default, unset it")
    return section, key


def _make_target(document: Any, change: Change, place: re.Match[str] | None, before: Mapping[str, Any]) -> None:
    tables = document.setdefault(MANY, tomlkit.aot())
    if place is None:
        if change.action != "add" or not isinstance(change.value, Mapping):
            raise ConfigError(f'{MANY} takes "add" with a table of its keys')
        fresh = tomlkit.table() if isinstance(tables, AoT) else tomlkit.inline_table()
        for name, value in change.value.items():
            fresh[name] = _item(MANY, name, _unmasked_target(name, value, {}))
        if isinstance(tables, AoT):
            fresh.add(tomlkit.nl())
        tables.append(fresh)
        return
    number, key = int(place[1]), place[2]
    if number >= len(tables):
        raise ConfigError(f"there is no target number {number}; there are {len(tables)}")
    old = before[MANY][number]
    match change.action, key:
        case "remove", None:
            del tables[number]
        case "move", None:
            to = change.value
            if isinstance(to, bool) or not isinstance(to, int) or not 0 <= to < len(tables):
                raise ConfigError(f"a target moves to a place from 0 to {len(tables) - 1}")
            moved = copy.deepcopy(tables[number])
            del tables[number]
            tables.insert(to, moved)
        case "set", None if isinstance(change.value, Mapping):
            for name in [name for name in tables[number] if name not in change.value]:
                del tables[number][name]
            for name, value in change.value.items():
                if tables[number].get(name) != (kept := _unmasked_target(name, value, old)):
                    _put(tables[number], name, _item(MANY, name, kept))
        case "set", str():
            _put(tables[number], _target_key(key), _item(MANY, key, unmasked(key, change.value, old.get(key))))
        case "unset", str():
            tables[number].pop(_target_key(key), None)
        case _:
            raise ConfigError(f"{change.name} cannot be changed so; a target is added, removed and moved, its keys are set and unset")


def _target_key(key: str) -> str:
    if find(MANY, key) is None:
        raise ConfigError(f"a target has no key {key[:60]!r}; `platewatch config --table` lists them")
    return key


def _unmasked_target(key: str, value: Any, before: Mapping[str, Any]) -> Any:
    return unmasked(_target_key(key), value, before.get(key))


def _item(section: str, key: str, value: Any) -> Item:
    """As it is written by hand: a polygon a line, a table of headers in one."""
    known = find(section, key)
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    if known is not None and known.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if known is not None and known.type == "polygons" and isinstance(value, list):
        lines = [f"    {tomlkit.item(_rounded(polygon)).as_string()}," for polygon in value]
        return tomlkit.value("[\n" + "\n".join(lines) + "\n]") if lines else tomlkit.array()
    item: Item = tomlkit.item(value)
    return item


def _rounded(polygon: Any) -> Any:
    return [_rounded(one) for one in polygon] if isinstance(polygon, list) else round(polygon, 4) if isinstance(polygon, float) else polygon


def _as_wanted(before: dict[str, Any], change: Change) -> dict[str, Any]:
    """The same on plain values: what the text must say in the end."""
    wanted = copy.deepcopy(before)
    document = {MANY: [], **wanted} if change.name.startswith(MANY) else wanted
    place = _PLACE.fullmatch(change.name)
    section, _, key = change.name.partition(".")
    old = before.get(MANY, [{}])
    if change.name == MANY:
        document[MANY].append(dict(change.value))
    elif place is None and change.action == "set":
        value = unmasked(key, change.value, before.get(section, {}).get(key))
        known = find(section, key)
        document.setdefault(section, {})[key] = _rounded(value) if known is not None and known.type == "polygons" else value
    elif place is None:
        document.get(section, {}).pop(key, None)
    else:
        number, name = int(place[1]), place[2]
        tables = document[MANY]
        if change.action == "remove":
            del tables[number]
        elif change.action == "move":
            tables.insert(change.value, tables.pop(number))
        elif name is None:
            tables[number] = {one: _unmasked_target(one, value, old[number]) for one, value in change.value.items()}
        elif change.action == "set":
            tables[number][name] = unmasked(name, change.value, old[number].get(name))
        else:
            tables[number].pop(name, None)
    return document


def with_password_hash(text: str, hashed: str) -> Draft:
    """The text with another password for the page; '' for none."""
    document, _ = _parsed(text)
    web = document.setdefault("web", tomlkit.table())
    if hashed:
        web["password_hash"] = hashed
    else:
        web.pop("password_hash", None)
    return checked(tomlkit.dumps(document))
