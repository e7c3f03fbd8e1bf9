"""Requests that another site made a browser send: foreign names of this page, foreign origins, forms without this session's token."""

from __future__ import annotations

import hmac
import re
import secrets

from flask import Request, abort, request, session

SAFE = ("GET", "HEAD", "OPTIONS")
HEADER = "X-CSRF-Token"
HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
FORWARDED = ("forwarded", "via", "x-forwarded", "x-real-ip")
"""What the headers of a proxy begin with."""


def is_forwarded() -> bool:
    """Another machine may stand behind this request, whatever its address says. Such headers are never believed, only noticed."""
    return any(name.lower().startswith(FORWARDED) for name, _ in request.headers)


def check_host() -> None:
    if not HOST.fullmatch(request.headers.get("Host", "localhost")):
        abort(400, "The Host header names no host.")


def csrf() -> str:
    """The session's token, which every form and every writing script carries."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def check_origin() -> None:
    """What changes anything comes from this page's own origin. A browser says so in one header or the other; a program says nothing."""
    if not is_same_origin(request):
        abort(403, "This request comes from another site.")


def is_same_origin(asked: Request) -> bool:
    """`Sec-Fetch-Site` is sent over HTTPS and by localhost alone, and a proxy may have changed the host that `Origin` is compared with."""
    if site := asked.headers.get("Sec-Fetch-Site"):
        return site in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    return origin is None or origin.partition("://")[2].lower() == asked.headers.get("Host", "").lower()


def check_csrf() -> None:
    kept = session.get("csrf")
    sent = request.headers.get(HEADER)
    if sent is None:
        sent = request.form.get("csrf", "")
    if not isinstance(kept, str) or not hmac.compare_digest(sent.encode("utf-8", "replace"), kept.encode()):
        abort(400, "This form is stale. Go back, reload the page, and send it again.")
