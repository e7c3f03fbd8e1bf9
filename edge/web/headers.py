"""The headers that every answer carries."""

from __future__ import annotations

import re
from urllib.parse import quote

from flask import Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
EVERYWHERE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def attachment(name: str) -> str:
    """Content-Disposition of a download. Its name may hold anything: what is no plain letter goes into the encoded form, and no line is ever broken."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)[:100].lstrip(". ") or "file"
    told = "".join(char for char in name[:100] if char.isprintable() and char not in '/\\"').lstrip(". ") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(told, safe='')}"


def protect(response: Response) -> Response:
    """What a view said itself stands; anything else is never kept, since it shows who came by."""
    for name, value in EVERYWHERE.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
