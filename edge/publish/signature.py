"""Webhooks are signed: the receiver sees that the message is this device's, whole, and of now. Pure."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Platewatch-Signature"


def sign(body: bytes, secret: str, unix_s: int) -> str:
    """`t=<unix seconds>,v1=<HMAC-SHA256 of "<t>." and the body, in hex>`"""
    digest = hmac.new(secret.encode(), f"{unix_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={unix_s},v1={digest}"


def is_signed(body: bytes, header: str, secret: str, now_s: float, tolerance_s: float = 300.0) -> bool:
    """What a receiver checks: the signature fits, and it is not older than `tolerance_s` (nor so far ahead)."""
    stamp = dict(part.split("=", 1) for part in header.split(",") if "=" in part).get("t", "")
    if not stamp.isdecimal() or abs(now_s - int(stamp)) > tolerance_s:
        return False
    return hmac.compare_digest(header, sign(body, secret, int(stamp)))
