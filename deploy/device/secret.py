"""Secrets come from the file, the environment or another file, and go onto the card as hashes wherever the other side can do with one."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from deploy.device.errors import DeviceError
from deploy.device.owner import expanded, sudo_user

MOST_BYTES = 10_000


def resolve(told: str, key: str, base: Path) -> str:
    """The secret itself; `env:NAME` and `file:PATH` (from `base`) are looked up. Raises DeviceError, which never repeats it."""
    if told.startswith("env:"):
        found = os.environ.get(told[4:], "")
        if not found:
            mend = f"let it through with sudo --preserve-env={told[4:]}" if sudo_user() else "set it"
            raise DeviceError(f"{key}: the environment has no {told[4:]}; {mend}, or write file:PATH")
    elif told.startswith("file:"):
        path = base / expanded(told[5:])
        try:
            with path.open(encoding="utf-8") as file:
                found = file.read(MOST_BYTES).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise DeviceError(f"{key}: {path} cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8 text'})") from None
        if not found:
            raise DeviceError(f"{key}: {path} is empty")
    else:
        found = told
    if not found.isprintable():
        raise DeviceError(f"{key}: holds a line break or another sign that cannot be typed; take it out")
    return found


def login_hash(password: str) -> str:
    """SHA-512-crypt with a fresh salt, made by the `openssl` program; the password never stands on a command line."""
    try:
        done = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password + "\n", capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise DeviceError("user.password: hashing it needs the program openssl, which is not here; install it, or use user.ssh_keys alone") from None
    hashed = done.stdout.strip()
    if done.returncode or not hashed.startswith("$6$"):
        raise DeviceError("user.password: this openssl cannot hash it (passwd -6); put a hash made elsewhere into user.password_hash")
    return hashed


def wifi_key(password: str, ssid: str) -> str:
    """What WPA2 makes of a password of 8 to 63 characters: 64 hexadecimal digits. Raises DeviceError."""
    if not 8 <= len(password.encode()) <= 63:
        raise DeviceError("wifi.password: has 8 to 63 characters in every WPA2 network; look at it again")
    return hashlib.pbkdf2_hmac("sha1", password.encode(), ssid.encode(), 4096, 32).hex()
