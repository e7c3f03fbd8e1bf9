"""Addresses of cameras, without their passwords."""

from __future__ import annotations

import re

SECRET_KEYS = "password|passwd|pass|pwd|token|key|auth|user|username|usr"


def without_password(source: str) -> str:
    """rtsp://user:secret@host/1 -> rtsp://***@host/1: what may stand in a log or on the page. So are `password=` and its like masked.

    A password may hold a / or an @ of its own, though it should not: where there is a colon, all up to the last @ goes. Rather too much than too little.
    """
    scheme, found, rest = source.partition("://")
    if not found:
        return source
    end = rest.rfind("@") if ":" in rest else rest.rfind("@", 0, len(re.split(r"[/?#]", rest, maxsplit=1)[0]))
    shown = f"***@{rest[end + 1 :]}" if end >= 0 else rest
    return f"{scheme}://" + re.sub(rf"(?i)\b({SECRET_KEYS})=[^&;?#\s]*", r"\1=***", shown)
