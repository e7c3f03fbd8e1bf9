"""What a card that Raspberry Pi Imager wrote says of the device already, so that nobody is asked for it twice."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from pydantic import ValidationError

from deploy.card.boot import BootFolder
from deploy.card.detect import System
from deploy.card.plan import HOST
from deploy.device.model import DeviceTable, UserTable, good_key

NAMES = {"cloudinit": "user-data", "firstrun": "firstrun.sh", "preseed": "rpi-preseed.toml"}
USER = {
    "cloudinit": (rb"""^\s*(?:-\s+)?name:\s*["']?([a-z][a-z0-9_-]*)""", rb"""^\s*passwd:\s*["']?(\$[^"'\s]+)"""),
    "firstrun": (rb"""/userconf\s+["']?([a-z][a-z0-9_-]*)""", rb"""/userconf\s+\S+\s+["']?(\$[^"'\s]+)"""),
}
"""Where each file has the first user's name, and the hash of the password."""
KEY = re.compile(rb"""((?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+[^"'\r\n]*)""")


def told(boot: BootFolder, system: System) -> dict[str, Any]:
    """Tables of a device file: name and user, as far as the card has them; {} where it lacks one of the two, and everything is asked then."""
    content = boot.read(NAMES[system.way]) or b""
    host = re.search(HOST[system.way], content, re.MULTILINE)
    user = _preseed(content) if system.way == "preseed" else _user(content, system.way)
    if not host or not (user.get("password_hash") or user.get("ssh_keys")):
        return {}
    found = {"device": {"name": host[1].decode().lower()}, "user": user}
    try:
        DeviceTable(**found["device"])
        UserTable(**found["user"])
    except ValidationError:
        return {}
    return found


def _user(content: bytes, way: str) -> dict[str, Any]:
    """Lines that are comments do not count: the image's own file is full of examples."""
    lines = b"\n".join(line for line in content.splitlines() if not line.lstrip().startswith(b"#"))
    name, hashed = (re.search(pattern, lines, re.MULTILINE) for pattern in USER[way])
    user: dict[str, Any] = {"name": name[1].decode()} if name else {}
    return user | _secrets(hashed[1].decode() if hashed else "", [found.decode(errors="replace") for found in KEY.findall(lines)])


def _preseed(content: bytes) -> dict[str, Any]:
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
        user, keys = document["user"], document.get("ssh", {}).get("authorized_keys", [])
        return {"name": str(user["name"])} | _secrets(str(user.get("password", "")) if user.get("password_encrypted") else "", list(keys))
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _secrets(hashed: str, keys: list[str]) -> dict[str, Any]:
    good = [key.strip() for key in keys if good_key(key)]
    return ({"password_hash": hashed} if hashed else {}) | ({"ssh_keys": good} if good else {})
