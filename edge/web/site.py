"""Puts the page together: templates, headers, errors, and the addresses of its static files."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import ChainableUndefined
from werkzeug.exceptions import HTTPException, NotFound

from edge import status
from edge.config import Config
from edge.keeping.accesses import Looks
from edge.records import Box, Event, Quad
from edge.web import api, door, headers, health, speech, words
from edge.web.daemon_files import DaemonFiles
from edge.web.limits import LARGEST_FORM
from edge.web.rooms import ROOMS, navigation
from edge.web.stream import Places

YEAR_S = 365 * 24 * 3600


def build(config: Config, streams: int, config_file: Path | None = None) -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME=f"{'__Host-' if config.web.encrypted else ''}platewatch",
        SESSION_COOKIE_SECURE=config.web.encrypted,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=LARGEST_FORM,
    )
    app.jinja_options = {"undefined": ChainableUndefined, "trim_blocks": True, "lstrip_blocks": True}  # a daemon that only starts has no camera yet
    app.extensions |= {"daemon_files": DaemonFiles(config), "places": Places(streams), "stop": threading.Event(), "config_file": config_file}
    door.install(app, config.web)
    api.install(app)
    app.register_blueprint(health.pages)
    navigation.install(app, ROOMS)
    speech.install(app)
    app.register_error_handler(HTTPException, problem)
    app.after_request(headers.protect)
    app.after_request(keep_static)
    if config.privacy.access_log_rows:
        app.extensions["looks"] = Looks(Path(config.runtime.directory), time.monotonic)
        app.after_request(note_look)
    _teach(app)
    return app


LOOKS = {
    "live.page": "looked at the live page",
    "api.get_stream": "looked at the live page",
    "events.page": "looked at the list of events",
    "api.get_events": "looked at the list of events",
    "events.one": "looked at an event",
    "api.get_event": "looked at an event",
    "api.get_story": "looked at an event",
    "events.crop": "looked at a picture",
    "events.frame": "looked at a picture",
    "unread.page": "looked at unread plates",
    "api.get_unread": "looked at unread plates",
    "unread.crop": "looked at a picture",
    "corrections.page": "looked at the corrections",
    "api.get_labels": "looked at the corrections",
    "corrections.crop": "looked at a picture",
}
"""Endpoint -> what the access log calls it."""


def note_look(response: Response) -> Response:
    """For the access log: by address, never what was searched for."""
    if (did := LOOKS.get(request.endpoint or "")) and response.status_code == 200:
        now = current_app.extensions["daemon_files"].utc_now()
        current_app.extensions["looks"].note(status.utc_iso(now), f"{request.remote_addr} (page)", did)
    return response


def problem(error: HTTPException) -> ResponseReturnValue:
    """JSON for programs, a page for people. Redirects are no problem."""
    if error.code is not None and error.code < 400:
        return error.get_response()
    if type(error) is NotFound and error.description == NotFound.description:
        error.description = speech.t("error.nothing_here")
    if request.path.startswith("/api/") or not request.accept_mimetypes.accept_html:
        return api.problem(error)
    return render_template("error.html", error=error), error.code or 500


def keep_static(response: Response) -> Response:
    """A static file named with its fingerprint may be kept for ever; without it the browser asks whether it changed."""
    if request.endpoint == "static" and response.status_code in (200, 304):
        kept = f"public, max-age={YEAR_S}, immutable" if request.args.get("v") else "no-cache"
        response.headers["Cache-Control"] = kept
    return response


def _teach(app: Flask) -> None:
    """What templates may ask."""
    folder = Path(str(app.static_folder))
    prints = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:10] for file in folder.iterdir() if file.is_file()}

    def asset(name: str) -> str:
        return url_for("static", filename=name, v=prints[name])

    def context() -> dict[str, Any]:
        found = app.extensions["daemon_files"]
        now = found.utc_now()
        return {"utc_now": status.utc_iso(now), "camera_name": found.camera_name, "keeps_crops": found.keeps_crops, "version": status.version()}

    app.add_template_global(asset)
    app.add_template_global(blank)
    app.add_template_global(share)
    app.add_template_global(words.certainty)
    app.add_template_filter(since)
    app.context_processor(context)


def blank() -> Event:
    """The mould of a card, for the script to fill."""
    nowhere = Quad.from_box(Box(0, 0, 0, 0))
    return Event("-", "", "", 0.0, (), "", "", 0.0, 0, 0, 1, None, 0.0, nowhere)


def share(part: object, whole: object) -> float:
    """A bar's length in percent; 0 for what was not measured."""
    if not isinstance(part, int | float) or not isinstance(whole, int | float) or whole <= 0:
        return 0.0
    return round(100 * min(max(part / whole, 0.0), 1.0), 1)


def since(iso: str) -> str:
    return speech.spoken().ago(words.seconds_since(iso, current_app.extensions["daemon_files"].utc_now()))
