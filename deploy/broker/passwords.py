"""Lines of mosquitto's password file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets

ROUNDS = 1_000
"""Of PBKDF2; mosquitto reads them from the line. The passwords are 192 bits of chance, which need no more, and when a hundred devices come back at once the
broker works them for each."""


def hashed(password: str, salt: bytes | None = None, rounds: int = ROUNDS) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512."""
    salt = salt or secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def fits(password: str, line: str) -> bool:
    """Whether a line of `passwd`, behind the name, is this password's."""
    match line.split("$"):
        case ["", "7", rounds, salt, _] if rounds.isascii() and rounds.isdigit() and 0 < int(rounds) <= 10_000_000:
            try:
                return secrets.compare_digest(hashed(password, base64.b64decode(salt, validate=True), int(rounds)), line)
            except (binascii.Error, TypeError):
                return False
    return False
