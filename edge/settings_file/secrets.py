"""What of the config never leaves the device: passwords, keys and hashes, also where they stand inside an address. `env:` and `file:` are no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from edge.errors import ConfigError
from edge.secrecy import is_secret

MASK = "•••"
"""Stands where a secret is set; a value that comes back with it keeps the secret."""
_LOGIN = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://)(?P<login>[^\s\"']*)@", re.IGNORECASE)
"""Up to the last @: a password may hold one, though it should not. Rather too much is hidden than too little."""
_WORDS = re.compile(r"(?i)(?P<head>[?&;](?:password|passwd|pass|pwd|token|key|secret|auth|\w+_(?:password|secret|token))=)(?P<login>[^&;?#\s\"']+)")
_KEY = re.compile(r"(?:^|(?<=[\s,{#]))(?P<key>[\w.\"'-]+)\s*=\s*")
"""Wherever one stands in a line: also in an inline table, and in a comment."""
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")


def masked(key: str, value: Any) -> Any:
    """A value as it may be shown; `key` is its name within its section."""
    if isinstance(value, dict):
        return {name: masked(key, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked(key, one) for one in value]
    if not isinstance(value, str) or not value or value.startswith(("env:", "file:")):
        return value
    return MASK if is_secret(key) else _address(value)


def unmasked(key: str, value: Any, before: Any) -> Any:
    """The value with the secrets of before where it has the mask. Raises ConfigError where there is none to keep."""
    if isinstance(value, dict):
        known = before if isinstance(before, dict) else {}
        return {name: unmasked(key, one, known.get(name)) for name, one in value.items()}
    if not isinstance(value, str) or MASK not in value:
        return value
    if isinstance(before, str) and masked(key, before) == value:
        return before
    if isinstance(before, str) and not is_secret(key) and (restored := _with_login_of(value, before)) is not None:
        return restored
    raise ConfigError(f"{key}: write the whole value, or leave it alone; {MASK} stands for one that is not shown")


def masked_text(text: str) -> str:
    """A whole file as it may be shown and edited; its lines stay where they are."""
    return "\n".join(_masked_line(line, inside) for line, inside, _ in _lines(text))


def unmasked_text(text: str, before: str) -> str:
    """The inverse for an edited text: each mask gets the secret of the line of before that looks the same in the table of the same name.

    Raises ConfigError where there is none.
    """
    kept = {(where, shown.strip()): line.strip() for line, inside, where in _lines(before) if MASK in (shown := _masked_line(line, inside))}
    made = []
    for number, (line, _, where) in enumerate(_lines(text), start=1):
        if MASK in line:
            secret = kept.get((where, line.strip()))
            if secret is None:
                raise ConfigError(f"line {number}: write the whole value; {MASK} stands for one that is not shown, and this line is another one now")
            line = line[: len(line) - len(line.lstrip())] + secret + line[len(line.rstrip()) :]
        made.append(line)
    return "\n".join(made)


def _lines(text: str) -> Iterator[tuple[str, bool, str]]:
    """Each line, whether it stands in a table of secrets such as [targets.headers], and in which table, with its `name` where it has one."""
    lines = text.split("\n")
    owner, inside = "", False
    for place, line in enumerate(lines):
        if head := re.match(r"\s*\[{1,2}\s*([^\]]+?)\s*\]", line):
            inside = is_secret(head[1].split(".")[-1].strip(" \"'"))
            if not inside:
                owner = f"{head[1]} {_name(lines[place + 1 :])}" if line.lstrip().startswith("[[") else head[1]
        yield line, inside, owner


def _name(lines: list[str]) -> str:
    """The value of `name` before the next table."""
    for line in lines:
        if re.match(r"\s*\[", line):
            break
        if found := re.match(r"\s*name\s*=\s*(.*)", line):
            return found[1].strip()
    return ""


def _masked_line(line: str, inside: bool) -> str:
    begin = next((found.end() for found in _KEY.finditer(line) if inside or is_secret(found["key"])), None)
    if begin is None:
        return _address(line)
    head, rest = line[:begin], line[begin:]

    def hide(string: re.Match[str]) -> str:
        inner = string[0].strip("\"'")
        return string[0] if not inner or inner.startswith(("env:", "file:")) else f'"{MASK}"'

    hidden = _STRING.sub(hide, rest)
    # A string that is not closed, in a file that is broken: rather nothing is shown.
    broken = _STRING.sub("", rest).count('"') + _STRING.sub("", rest).count("'") > 0
    return _address(head) + (f'"{MASK}' if broken else hidden)


def _address(text: str) -> str:
    """Without the login and the tokens of any address in it."""
    return _WORDS.sub(rf"\g<head>{MASK}", _LOGIN.sub(rf"\g<head>{MASK}@", text))


def _with_login_of(value: str, before: str) -> str | None:
    """An address whose other parts were edited, with the login and the tokens of before; None where they do not fit."""
    logins = [found["login"] for pattern in (_LOGIN, _WORDS) for found in pattern.finditer(before)]
    shown = _address(before)
    head = re.match(rf"[a-z][a-z0-9+.-]*://(?:{MASK}@)?[^/?#@]*", shown, re.IGNORECASE)
    # A secret goes to no other host than the one that it is for, and by no other scheme: `https://` is not to become `http://`.
    same_host = head is not None and re.match(re.escape(head[0]) + r"(?![^/?#])", value) is not None
    if len(logins) != value.count(MASK) or not same_host:
        return None
    for login in logins:
        value = value.replace(MASK, login, 1)
    return value
