"""The door of the page: which Host may be asked, who is logged in, log-in and log-out."""

from __future__ import annotations

import hmac
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable
from typing import cast

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from edge.config import WebConfig
from edge.web import auth

log = logging.getLogger(__name__)
pages = Blueprint("door", __name__)
OPEN = {"static", "door.login", "door.enter", "health.healthz", "health.readyz", "health.metrics"}
"""Endpoints that need no log-in: they show nothing of what was seen, or, as those of `health`, ask who looks by themselves."""


class Door:
    """Keeps the page's log-ins in memory: a restart logs everyone out."""

    def __init__(self, config: WebConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.hashed, self.clock = config.password_hash, clock
        self.answers_any_host = bool(config.password_hash) or not auth.is_loopback(config.host)
        self.pace, self.sessions = auth.LoginPace(), auth.Sessions()
        self._one_guess = threading.Lock()

    @property
    def has_lock(self) -> bool:
        return bool(self.hashed)

    def is_open_to(self, token: object) -> bool:
        return not self.has_lock or self.sessions.is_open(token, self.clock())

    def admit(self, password: str) -> bool:
        """One guess at a time: each costs 16 MB and a core."""
        with self._one_guess:
            return auth.is_password(password, self.hashed)


def door() -> Door:
    return cast(Door, current_app.extensions["door"])


def install(app: Flask, config: WebConfig) -> None:
    app.extensions["door"] = Door(config)
    app.before_request(guard)
    app.register_blueprint(pages)
    app.context_processor(lambda: {"has_lock": door().has_lock, "csrf": csrf})


def guard() -> ResponseReturnValue | None:
    """Before every request."""
    # A hostile site can make its own name resolve to 127.0.0.1 and then read the page as its own; its name gives it away.
    if not door().answers_any_host and not auth.is_loopback(auth.host_name(request.host)):
        abort(421, "This page answers to localhost and 127.0.0.1 only; set a password to open it under another name.")
    if request.endpoint in OPEN or door().is_open_to(session.get("token")):
        return None
    if request.method in ("GET", "HEAD") and not request.path.startswith(("/api/", "/crops/", "/live.jpg")):
        return redirect(url_for("door.login", next=request.full_path.rstrip("?")))
    abort(401, "Log in first.")


def csrf() -> str:
    """The session's token, which every form carries."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def check_csrf() -> None:
    sent, kept = request.form.get("csrf", ""), session.get("csrf")
    if not isinstance(kept, str) or not hmac.compare_digest(sent.encode(), kept.encode()):
        abort(400, "This form is stale. Go back, reload the page, and send it again.")


def onward() -> str:
    """Where to go after the log-in: a path of this page and nothing else."""
    path = request.values.get("next", "/")
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


@pages.get("/login")
def login() -> ResponseReturnValue:
    if door().is_open_to(session.get("token")):
        return redirect(onward())
    return render_template("login.html", next=onward(), problem=None)


@pages.post("/login")
def enter() -> ResponseReturnValue:
    check_csrf()
    if not door().has_lock:
        return redirect("/")
    who, now = auth.guesser(request.remote_addr), door().clock()
    wait_s = math.ceil(door().pace.begin(who, now))
    if wait_s > 0:
        page = render_template("login.html", next=onward(), problem=f"Too many wrong passwords. Try again in {wait_s} s.")
        return page, 429, {"Retry-After": str(wait_s)}
    if not door().admit(request.form.get("password", "")[:1000]):
        log.warning("wrong password from %s", who)
        return render_template("login.html", next=onward(), problem="That is not the password."), 403
    door().pace.succeed(who)
    session.clear()  # a new session for the new rights: one planted before the log-in is worth nothing
    session["token"] = door().sessions.open(now)
    return redirect(onward(), 303)


@pages.post("/logout")
def leave() -> ResponseReturnValue:
    check_csrf()
    door().sessions.close(session.get("token"))
    session.clear()
    return redirect(url_for("door.login"), 303)
