"""Reads and writes device files; what is wrong is one sentence with the file and the key."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.device.errors import DeviceError
from deploy.device.owner import give_back
from edge.errors import plain

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from deploy.device.model import Device

MOST_BYTES = 200_000
SECRET_KEYS = ("password", "password_hash", "psk")
UNKNOWN = "extra_forbidden"
"""pydantic's word for a key that the model does not have."""


def read(path: Path) -> dict[str, Any]:
    """The file's tables, not checked yet. Raises DeviceError."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise DeviceError(f"{path}: is larger than {MOST_BYTES // 1000} kB, which no device file is")
        return tomllib.loads(text)
    except OSError as error:
        raise DeviceError(f"{path}: cannot be read ({error.strerror}); start from deploy/devices/gate.toml") from None
    except UnicodeDecodeError:
        raise DeviceError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise DeviceError(f"{path}: not valid TOML ({str(error)[:160]})") from None
    except RecursionError:
        raise DeviceError(f"{path}: not valid TOML (nested too deeply)") from None


def checked(document: dict[str, Any], path: Path | None) -> Device:
    """The device; `path` is only for the sentence. Raises DeviceError."""
    found = _validated(document)
    if isinstance(found, list):
        raise _wrong(found, path)
    return found


def spelt(document: dict[str, Any], path: Path | None) -> None:
    """Raises DeviceError for an unknown key, before anybody is asked for what is missing: a misspelt one is missing, too."""
    found = _validated(document)
    if isinstance(found, list) and (strange := [problem for problem in found if problem["type"] == UNKNOWN]):
        raise _wrong(strange, path)


def _validated(document: dict[str, Any]) -> Device | list[ErrorDetails]:
    """The device, or what is wrong with it, unknown keys first."""
    from pydantic import ValidationError

    from deploy.device.model import Device

    try:
        return Device.model_validate(document)
    except ValidationError as error:
        return sorted(error.errors(), key=lambda problem: problem["type"] != UNKNOWN)


def _wrong(problems: list[ErrorDetails], path: Path | None) -> DeviceError:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return DeviceError(f"{path or 'the answers'}: {plain(said(problems[0]), 300)}{more}")


def said(problem: ErrorDetails) -> str:
    """One of pydantic's errors, in words; never repeats a secret."""
    import difflib

    from deploy.device.model import Device

    keys = [str(part) for part in problem["loc"]]
    where = ".".join(keys)[:80]
    if problem["type"] == "missing":
        return f"{where} is missing"
    if problem["type"] == UNKNOWN:
        known = list(Device.model_fields)
        if len(keys) > 1:
            table = Device.model_fields[keys[0]].annotation
            kinds = [kind for kind in (table, *getattr(table, "__args__", ())) if hasattr(kind, "model_fields")]
            known = list(kinds[0].model_fields) if kinds else []
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
        return f"unknown key {where!r}; {f'did you mean {near[0]!r}?' if near else 'known are ' + ', '.join(known)}"
    if problem["type"] == "value_error":
        return problem["msg"].removeprefix("Value error, ")
    message = problem["msg"].removeprefix("Input ").removeprefix("String ")
    shown = "" if keys[-1] in SECRET_KEYS or isinstance(problem["input"], dict | list) else f", but is {problem['input']!r}"[:90]
    return f"{where} {message}{shown}"


def public(path: Path) -> bool:
    """Whether others on this computer may read the file."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)


def holds_secret(document: dict[str, Any]) -> bool:
    """Whether a secret stands in it as it is, neither hashed nor elsewhere."""
    tables = [table for table in document.values() if isinstance(table, dict)]
    words = [table[key] for table in tables for key in ("password", "psk") if isinstance(table.get(key), str)]
    return any(word and not word.startswith(("env:", "file:")) for word in words)


def save(document: dict[str, Any], path: Path) -> None:
    """For its owner alone; never over a file that is there. Raises DeviceError."""
    import tomlkit

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(tomlkit.dumps(document))
        give_back(path)
    except FileExistsError:
        raise DeviceError(f"{path}: is there already; nothing was written") from None
    except OSError as error:
        raise DeviceError(f"{path}: cannot be written ({error.strerror})") from None
