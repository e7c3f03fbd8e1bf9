"""What the first start asks the device itself: which cameras there are, how far it came, and where a secret is laid down. No Flask in here."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from edge import whole_file
from edge.errors import ConfigError

STEPS = ("language", "password", "device", "camera", "area", "keeping", "targets", "gate", "test")
NAME = "first-start.json"
"""Beside the event store: how far somebody came."""
SECRETS = "secrets"
"""Folder beside the config file."""


@dataclass(frozen=True, slots=True)
class Found:
    """A camera that is plugged in; `name` as its driver says."""

    kind: str
    source: str
    name: str


def cameras(devices: Path = Path("/dev"), about: Path = Path("/sys/class/video4linux")) -> list[Found]:
    """A Pi's own where picamera2 is installed, and what the kernel calls a video device, each camera once."""
    found = [Found("pi", "0", "Raspberry Pi")] if importlib.util.find_spec("picamera2") else []
    seen = set[str]()
    for path in sorted(devices.glob("video[0-9]*"), key=lambda path: int(path.name[5:]) if path.name[5:].isdigit() else 0):
        try:
            name = (about / path.name / "name").read_text(encoding="utf-8", errors="replace").strip()[:60]
        except OSError:
            name = ""
        if name and (name in seen or name.startswith(("bcm2835-", "pispbe", "rpi-", "unicam", "rp1-cfe"))):
            continue  # a camera's second device, and the Pi's own converters, give no picture
        seen.add(name)
        found.append(Found("opencv", str(path), name))
    return found


def stream(address: str, user: str, password: str) -> str:
    """An RTSP address with its login. Raises ConfigError."""
    address = address.strip()
    if "://" not in address:
        address = f"rtsp://{address}"
    parts = urlsplit(address)
    if parts.scheme not in ("rtsp", "rtsps", "http", "https") or not parts.hostname:
        raise ConfigError("the camera's address begins with rtsp:// and the name or number of the camera in the network")
    if not user:
        return address
    return address.replace("://", f"://{quote(user, safe='')}:{quote(password, safe='')}@", 1)


def keep_secret(config_file: Path, name: str, secret: str) -> str:
    """Writes it beside the config, for its owner alone; gives `file:PATH` for the config. Raises Unwritable."""
    if not re.fullmatch(r"[a-z0-9_-]{1,40}", name):
        raise ConfigError("a secret's name is of a-z, 0-9, - and _")
    folder = config_file.resolve().parent / SECRETS
    path = folder / name
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        fresh = folder / f".{name}.new"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as file:
            file.write(secret + "\n")
        os.replace(fresh, path)
    except OSError as error:
        raise whole_file.Unwritable(f"{folder}: the password cannot be laid down there ({error.strerror})") from None
    return f"file:{path}"


class Progress:
    """Which steps are done; a file that cannot be read or written costs no more than beginning anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def done(self) -> set[str]:
        try:
            told = json.loads(self._path.read_bytes()[:10_000])
            return {step for step in told["done"] if step in STEPS}
        except (OSError, ValueError, KeyError, TypeError):
            return set()

    def tick(self, step: str) -> None:
        found = sorted(self.done() | {step}, key=STEPS.index)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_name(f".{NAME}.new")
            fresh.write_text(json.dumps({"v": 1, "done": found}), encoding="utf-8")
            os.replace(fresh, self._path)
        except OSError:
            return

    def next(self) -> str:
        """The first that is not done; the last where all are."""
        done = self.done()
        return next((step for step in STEPS if step not in done), STEPS[-1])
