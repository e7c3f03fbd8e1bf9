"""Looks at one answer when it is given, so that a slip is mended at once and not at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.device.errors import DeviceError
from deploy.device.secret import wifi_key


def complaint(key: str, answer: str, told: dict[str, Any]) -> str:
    """What is wrong with it, in a sentence; '' where nothing is. `told` holds it already."""
    try:
        if key in CHECKS:
            CHECKS[key](answer, told)
        return _of_model(key, told)
    except DeviceError as error:
        return str(error)


def _of_model(key: str, told: dict[str, Any]) -> str:
    """The model's own word on that key; what else is missing will be asked for."""
    from pydantic import ValidationError

    from deploy.device.file import said
    from deploy.device.model import Device

    try:
        Device.model_validate(told)
    except ValidationError as error:
        mine = [problem for problem in error.errors() if ".".join(map(str, problem["loc"][:2])) == key and problem["type"] != "missing"]
        return said(mine[0]) if mine else ""
    return ""


def _page(answer: str, told: dict[str, Any]) -> None:
    from deploy.device.config import checked_page_password

    checked_page_password(answer)


def _login(answer: str, told: dict[str, Any]) -> None:
    from deploy.device.settings import checked_login_password

    checked_login_password(answer)


def _wifi(answer: str, told: dict[str, Any]) -> None:
    if told["wifi"].get("security", "wpa2") == "wpa2":
        wifi_key(answer, str(told["wifi"].get("ssid", "")))


def _keys(answer: str, told: dict[str, Any]) -> None:
    from deploy.device.model import UserTable
    from deploy.device.settings import ssh_keys

    ssh_keys(UserTable(name="owner", ssh_keys=(answer,)), Path.cwd())


def _country(answer: str, told: dict[str, Any]) -> None:
    from deploy.device.config import check

    check(f'[country]\ncode = "{answer.translate({34: None, 92: None})}"\n')


CHECKS = {"page.password": _page, "user.password": _login, "wifi.password": _wifi, "user.ssh_keys": _keys, "plates.country": _country}
