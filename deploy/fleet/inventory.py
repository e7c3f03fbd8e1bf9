"""Which devices there are: a TOML file, or the addresses of the command line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.fleet.errors import FleetError

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
ADDRESS = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9_:\[][A-Za-z0-9_.:%\]-]*")
"""`host`, `user@host`, an IPv6 address or an alias of the user's ssh config; never a word that ssh would take for an option."""
KEYS = {"address": str, "user": str, "port": int, "identity": str, "sudo_password": str, "groups": list, "vars": dict}
TABLES = ("defaults", "vars", "groups", "devices")


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `address` is what ssh is given; `sudo_password` is `env:NAME` or `file:PATH`, or empty where sudo asks for none."""

    name: str
    address: str
    port: int | None = None
    identity: str = ""
    sudo_password: str = ""
    groups: tuple[str, ...] = ()
    vars: Mapping[str, str] = field(default_factory=dict)


def from_words(words: Sequence[str], port: int | None = None, identity: str = "") -> list[Device]:
    """HOST... of the command line; raises FleetError for what cannot be an address and for one that stands there twice."""
    for word in words:
        _address(word, "HOST")
        if words.count(word) > 1:
            raise FleetError(f"{word}: stands there twice")
    return [Device(word.partition("@")[2] or word, word, port, identity) for word in words]


def load(path: Path) -> list[Device]:
    """The devices in the file's order; raises FleetError, one sentence that names the file, the key and the mend."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FleetError(f"{path}: cannot be read ({error.strerror}); name an inventory with --inventory") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FleetError(f"{path}: not valid TOML ({error})") from None
    try:
        return _devices(document)
    except FleetError as error:
        raise FleetError(f"{path}: {error}") from None


def chosen(devices: Sequence[Device], only: Sequence[str]) -> list[Device]:
    """Those whose name or group is among `only`, all where that is empty; raises FleetError for a word that names none."""
    known = {device.name for device in devices} | {group for device in devices for group in device.groups}
    for word in only:
        if word not in known:
            raise FleetError(f"--only {word}: no device or group of that name{_nearest(word, known)}")
    return [device for device in devices if not only or device.name in only or set(device.groups) & set(only)]


def _devices(document: dict[str, Any]) -> list[Device]:
    _known(document, TABLES, "")
    for table in TABLES:
        if not isinstance(document.get(table, {}), dict):
            raise FleetError(f"`{table}` must be a table, [{table}]")
    defaults, groups = document.get("defaults", {}), document.get("groups", {})
    _checked(defaults, "defaults")
    for name, group in groups.items():
        if not isinstance(group, dict):
            raise FleetError(f"group {name!r} must be a table, [groups.{name}]")
        _known(group, ("vars",), f"group {name!r}: ")
    made = []
    for name, keys in document.get("devices", {}).items():
        if not NAME.fullmatch(name):
            raise FleetError(f"device {name!r}: a name has small letters, digits, `-`, `_` and `.`, at most 63")
        if not isinstance(keys, dict):
            raise FleetError(f"device {name!r} must be a table, [devices.{name}]")
        _checked(keys, f"device {name!r}")
        made.append(_device(name, defaults | keys, document.get("vars", {}), groups, keys.get("vars", {})))
    if not made:
        raise FleetError('has no device; write for each one [devices.NAME] with address = "..."')
    addresses = [(device.address, device.port) for device in made]
    for device, address in zip(made, addresses, strict=True):
        if addresses.count(address) > 1:
            raise FleetError(f"device {device.name!r}: another one has the address {device.address} too")
    return made


def _device(name: str, keys: dict[str, Any], shared: dict[str, Any], groups: dict[str, Any], own: dict[str, Any]) -> Device:
    address = keys.get("address", name)
    if keys.get("user") and "@" not in address:
        address = f"{keys['user']}@{address}"
    _address(address, f"device {name!r}: address")
    values = dict(shared)
    for group in keys.get("groups", []):
        if group not in groups and groups:
            raise FleetError(f"device {name!r}: there is no [groups.{group}]{_nearest(group, groups)}")
        values |= groups.get(group, {}).get("vars", {})
    values |= own
    for key, value in values.items():
        if isinstance(value, dict | list) or not re.fullmatch(r"[a-z_][a-z0-9_]*", key):
            raise FleetError(f"device {name!r}: variable {key!r} must be a word with one text, number or true/false")
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
    return Device(name, address, keys.get("port"), keys.get("identity", ""), keys.get("sudo_password", ""), tuple(keys.get("groups", ())), texts)


def _checked(keys: dict[str, Any], where: str) -> None:
    _known(keys, KEYS, f"{where}: ")
    for key, value in keys.items():
        if not isinstance(value, KEYS[key]) or isinstance(value, bool):
            raise FleetError(f"{where}: `{key}` must be {'a text' if KEYS[key] is str else 'a number' if KEYS[key] is int else f'a {KEYS[key].__name__}'}")
    if not 1 <= keys.get("port", 22) <= 65535:
        raise FleetError(f"{where}: `port` must be 1 to 65535")
    if not all(isinstance(group, str) for group in keys.get("groups", [])):
        raise FleetError(f"{where}: `groups` must be a list of names")
    if (password := keys.get("sudo_password")) and not password.startswith(("env:", "file:")):
        raise FleetError(f"{where}: `sudo_password` must be env:NAME or file:PATH, never the password itself")


def _address(word: str, where: str) -> None:
    if not ADDRESS.fullmatch(word):
        raise FleetError(f"{where} {word!r}: no address that ssh takes; write host or user@host")


def _known(keys: Iterable[str], known: Iterable[str], where: str) -> None:
    for key in keys:
        if key not in (known := tuple(known)):
            raise FleetError(f"{where}there is no `{key}`{_nearest(key, known)}")


def _nearest(wrong: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names)}" if names else ""
