"""`/healthz`, `/readyz` and `/metrics`: for programs that look after the device.

Anybody may learn whether it lives and is ready, which the answer's code says. Why it is not, and the figures, tell of a household: they are for
this machine itself, for who is logged in or sends a token, and for who sends name and password (HTTP Basic), as Prometheus can.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from edge import health, status
from edge.metrics.exposition import CONTENT_TYPE, render
from edge.metrics.figures import UNKNOWN, Surroundings, families
from edge.metrics.process import footprint
from edge.web import auth, forgery, scopes
from edge.web.access.records import ADMIN
from edge.web.daemon_files import DaemonFiles
from edge.web.door import door
from edge.web.readiness import parts

pages = Blueprint("health", __name__)
_key = secrets.token_bytes(32)


def files() -> DaemonFiles:
    return cast(DaemonFiles, current_app.extensions["daemon_files"])


@pages.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The page's own process answers."""
    return jsonify({"ok": True} | ({"version": status.version()} if is_insider() else {}))


@pages.get("/readyz")
def readyz() -> ResponseReturnValue:
    """The device watches: daemon alive, camera delivering, models loaded, store readable, disk not full. 503 where it does not."""
    found = list(parts(files()))
    ready = all(part.ok for part in found)
    told: dict[str, object] = {"ready": ready}
    if is_insider():
        told |= {"reasons": [part.words for part in found if not part.ok], "parts": {part.name: part.ok for part in found}}
    return jsonify(told), 200 if ready else 503


@pages.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Prometheus' text format. Made here, of the status file: the daemon does nothing for it."""
    if not is_insider("metrics:read"):
        if (wait_s := _knock()) > 0:
            return Response("Too many wrong passwords.\n", 429, {"Retry-After": str(wait_s)}, mimetype="text/plain")
        if wait_s < 0:
            answer = "The metrics need a token with metrics:read, or name and password (HTTP Basic).\n"
            return Response(answer, 401, {"WWW-Authenticate": 'Basic realm="Platewatch"'}, mimetype="text/plain")
    told = files().status()
    return Response(render(families(told, _surroundings(files(), told))), content_type=CONTENT_TYPE)


def is_insider(scope: str = "status:read") -> bool:
    """Logged in or with a token, or a program on this machine that asks by its own name: what a proxy hands on comes from this machine too."""
    if scopes.may(scope):
        return True
    return auth.is_loopback(request.remote_addr or "") and auth.is_loopback(auth.host_name(request.host)) and not forgery.is_forwarded()


def _knock() -> int:
    """0 where name and password that came with the request are right, -1 where they are none or wrong, else the seconds to wait after too many wrong ones.

    A name that nobody has counts as the admin's: before there were users, any name did.
    """
    sent = request.authorization
    if sent is None or sent.type != "basic" or not sent.password:
        return -1
    access = door().access
    user = access.user((sent.username or "").lower()) or access.user(ADMIN)
    if user is None:
        return -1
    known = current_app.extensions.setdefault("scrapers", set())
    # A scrape comes every few seconds, and testing a password costs 16 MB and a tenth of a second: one that was right is known again.
    mark = hmac.new(_key, f"{user.hash}\0{sent.password[: auth.LONGEST_PASSWORD]}".encode(), hashlib.sha256).digest()
    if mark not in known:
        found = door().try_password(user.name, sent.password, request.remote_addr)
        if isinstance(found, int):
            return found
        if found is None:
            return -1
        known.add(mark)
    return 0 if "metrics:read" in scopes.ROLES[user.role] else -1


def _surroundings(found: DaemonFiles, told: dict[str, Any] | None) -> Surroundings:
    alive, summary = found.is_alive(told), found.summary()
    pid = (told or {}).get("pid")
    return Surroundings(
        version=status.version(),
        alive=alive,
        temperature_c=health.temperature_c(),
        stored_events=summary["events"] if summary["readable"] else None,
        store_bytes=sum(size for _, size, _ in found.stamp()),
        free_bytes=found.free_bytes(),
        daemon=footprint(pid) if alive and isinstance(pid, int) else UNKNOWN,
    )
