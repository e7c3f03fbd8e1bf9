"""Addresses of cameras, without their passwords."""

from __future__ import annotations

import re

SECRET_WORDS = "password|passwd|pass|pas|pwd|secret|token|key|auth|username|user|usr|loginuse"


def without_password(source: str) -> str:
    """rtsp://user:secret@host/1 -> rtsp://***@host/1: what may stand in a log or on the page. So are `password=` and its like masked.

    A password may hold a / or an @ of its own, though it should not: where there is a colon, all up to the last @ goes. Rather too much than too little:
    an address that was mistyped (`rtsp:/user:secret@host`, `user:secret@host`) is masked too. A path of a device is none.
    """
    scheme, found, rest = source.partition("://")
    if not found:
        before, at, behind = source.rpartition("@")
        return f"***@{behind}" if at and ":" in before and not source.startswith("/") else _without_secrets(source)
    end = rest.rfind("@") if ":" in rest else rest.rfind("@", 0, len(re.split(r"[/?#]", rest, maxsplit=1)[0]))
    return f"{scheme}://" + _without_secrets(f"***@{rest[end + 1 :]}" if end >= 0 else rest)


def _without_secrets(shown: str) -> str:
    """Without the values of what is called like a password: `password=`, `access_token=`, `loginpas=`."""
    return re.sub(rf"(?i)([\w-]*(?:{SECRET_WORDS})[\w-]*)=[^&;?#\s]*", r"\1=***", shown)
