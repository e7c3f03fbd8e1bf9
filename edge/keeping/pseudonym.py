"""A plate's other name: always the same for the same plate, and no way back without trying every plate with the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from edge.errors import ConfigError

KEY_BYTES = 32
LENGTH = 12
"""`P` and eleven of base32: 55 bits, so that among a hundred thousand plates two share a name once in ten million devices."""


def pseudonym(key: bytes, text: str) -> str:
    """HMAC-SHA-256 of the text, short enough to be shown as a plate."""
    return "P" + base64.b32encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()[: LENGTH - 1]


def device_key(path: Path, *, make: bool = True) -> bytes:
    """The key in a file of the owner's alone (mode 0600), made at random on first use; ConfigError where it cannot be had or others may read it."""
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())  # a key lost to a power cut would part the plates of before from those of after
            try:
                os.link(fresh, path)  # unlike a rename it never replaces the key that another process has just made
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"privacy.key_file {path}: others may read it; run chmod 600 on it")
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise ConfigError(f"privacy.key_file {path}: cannot be used ({error.strerror}); check its folder and who owns it") from None
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        key = b""
    if len(key) < KEY_BYTES:
        raise ConfigError(f"privacy.key_file {path}: is no key; put the right one back, or delete it for a new one (then every plate gets another pseudonym)")
    return key
