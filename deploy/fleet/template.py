"""Each device's own configuration, made of one template and the inventory's variables, and checked before any device hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

from deploy.fleet.errors import FleetError
from deploy.fleet.inventory import Device
from deploy.fleet.payload import Parcel, parcel
from edge.errors import ConfigError


def configs(template: Path, devices: Sequence[Device], folder: Path) -> dict[str, Parcel]:
    """Device name -> its platewatch.toml, written below `folder`. Raises FleetError, which names the device and what is wrong."""
    from edge.config import load

    try:
        text = template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FleetError(f"--config {template}: cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
    made = {}
    for device in devices:
        path = folder / f"{device.name.replace('/', '_')}.toml"
        path.write_text(filled(text, device, template), encoding="utf-8")
        try:
            load(path)
        except ConfigError as error:
            raise FleetError(f"--config {template}, for {device.name}: {str(error).removeprefix(str(path)).lstrip(',: ')}") from None
        made[device.name] = parcel(path, "platewatch.toml")
    return made


def filled(text: str, device: Device, template: Path) -> str:
    """Every `$word` filled in (`$$` is a `$`); values stand in TOML as they are, so put quotes around texts in the template."""
    values = {"name": device.name, "address": device.address.rpartition("@")[2]} | dict(device.vars)
    for name, value in values.items():
        if any(char in value for char in '"\\\n\r'):
            raise FleetError(f"{device.name}: the variable {name} holds a quote, a backslash or a new line, which cannot be put into a configuration")
    try:
        return Template(text).substitute(values)
    except KeyError as error:
        raise FleetError(f"--config {template}: uses ${error.args[0]}, and {device.name} has no such variable in the inventory") from None
    except ValueError:
        raise FleetError(f"--config {template}: holds a `$` that begins no variable; write `$$` for a `$`") from None
