"""What a key's name says of its value: whether it is one that is never repeated, shown or copied out."""

from __future__ import annotations

SECRETS = ("password", "secret", "password_hash", "headers")
ENDINGS = ("_password", "_secret", "_token")
"""Also of what a key of later may be called."""


def is_secret(key: str) -> bool:
    """By its name within its section, with the sections before it or without: `password`, `web.password_hash`, `targets.0.headers`."""
    name = key.rpartition(".")[2].strip(" \"'")
    return name in SECRETS or name.endswith(ENDINGS)
