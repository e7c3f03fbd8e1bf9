"""Platewatch's own config file, made of the device file and checked by the very code that will read it on the device."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from deploy.device.errors import DeviceError
from deploy.device.secret import resolve

if TYPE_CHECKING:
    from deploy.device.model import CameraTable, Device, MqttTable

STATE, RUNTIME, SECRETS = "/var/lib/platewatch", "/run/platewatch", "/etc/platewatch/secrets"
"""Where the units let the daemon and the page write, and where secrets lie on the device."""
HEADER = "# Made from the file of the device {name}. The page changes this file too; every key stands in docs/configuration.md.\n"


@dataclass(frozen=True, slots=True)
class Made:
    """`text` of platewatch.toml; `secrets`: name of a file in SECRETS -> what stands in it."""

    text: str
    secrets: dict[str, str]
    hidden: tuple[str, ...]
    """Strings of `text` that no terminal may show."""


def config_of(device: Device, base: Path) -> Made:
    """Raises DeviceError, with edge.config's own words where it does not like a value."""
    import tomlkit

    secrets: dict[str, str] = {}
    camera, hidden = camera_of(device.camera, base)
    hashed = device.page.password_hash or page_hash(device.page.password, base)
    document: dict[str, Any] = {
        "camera": camera,
        "country": {"code": device.plates.country},
        "web": {"host": "0.0.0.0", "port": device.page.port, "password_hash": hashed, "access": f"{STATE}/access.json"},
        "store": {"path": f"{STATE}/events.sqlite"},
        "models": {"measured": f"{STATE}/bench.json", "depot": f"{STATE}/bundles"},
        "gate": {"audit": f"{STATE}/gate.sqlite"},
        "runtime": {"directory": RUNTIME},
    }
    if device.page.https:
        document["web"]["tls"] = "own"
    if device.mqtt:
        document["targets"] = [target_of(device.mqtt, base, secrets)]
    _lay_over(document, device.config, "config")
    text = HEADER.format(name=device.device.name) + tomlkit.dumps(document)
    check(text)
    return Made(text, secrets, (hashed, *hidden))


def page_hash(told: str, base: Path) -> str:
    """By the page's own scheme."""
    from edge.web.auth import hash_password

    if not told:
        raise DeviceError("page.password: is missing, and others in the network could open the page; write env:NAME or file:PATH")
    return hash_password(checked_page_password(resolve(told, "page.password", base)))


def checked_page_password(password: str) -> str:
    """By the page's own rule; raises DeviceError."""
    from edge.errors import ConfigError
    from edge.web.auth import check_password

    try:
        return check_password(password)
    except ConfigError as error:
        raise DeviceError(f"page.password: {str(error).partition(';')[0]}") from None


def camera_of(camera: CameraTable, base: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The config's table, and what of it is secret."""
    table: dict[str, Any] = {"name": camera.name, "kind": "pi" if camera.kind == "pi" else "opencv"}
    if camera.kind == "pi":
        return table | {"source": camera.address or "0"}, ()
    if camera.kind == "usb" or not camera.user:
        return table | {"source": camera.address or "0"}, ()
    password = quote(resolve(camera.password, "camera.password", base), safe="")
    address = camera.address.replace("://", f"://{quote(camera.user, safe='')}:{password}@", 1)
    return table | {"source": address}, (password,) if password else ()


def target_of(mqtt: MqttTable, base: Path, secrets: dict[str, str]) -> dict[str, Any]:
    """The broker's table; its password goes into `secrets`."""
    table: dict[str, Any] = {"name": "mqtt", "kind": "mqtt", "dialect": mqtt.dialect, "host": mqtt.host}
    table |= {key: value for key in ("port", "user", "topic") if (value := getattr(mqtt, key))}
    if mqtt.tls:
        table["tls"] = True
    if mqtt.password:
        secrets["mqtt"] = resolve(mqtt.password, "mqtt.password", base)
        table["password"] = f"file:{SECRETS}/mqtt"
    return table


def _lay_over(document: dict[str, Any], more: dict[str, Any], where: str) -> None:
    """The owner's word wins over what was made of the rest."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            _lay_over(document[key], value, f"{where}.{key}")
        elif key == "targets" and isinstance(value, list):
            document[key] = [*document.get(key, []), *value]
        else:
            document[key] = value


def check(text: str) -> None:
    """Reads it as the device will; raises DeviceError."""
    from edge.config import load
    from edge.errors import ConfigError

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "platewatch.toml"
        path.write_text(text, encoding="utf-8")
        try:
            load(path)
        except ConfigError as error:
            raise DeviceError(f"the config made of the device file: {str(error).removeprefix(str(path)).lstrip(':,')}".replace(":  ", ": ")) from None
