"""The door of the page: who asks, and whether that is theirs to ask. Every request passes `guard` before its view is called."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import cast

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import WWWAuthenticate

from edge.status import utc_iso
from edge.web import auth, forgery, scopes
from edge.web.access.access import Access, mark
from edge.web.access.records import User
from edge.web.access.setup import SetupCode
from edge.web.forgery import check_csrf, csrf
from edge.web.limits import largest_body
from edge.web.scopes import NOBODY, Caller
from edge.web.sessions import Sessions
from edge.web.settings import WebConfig

log = logging.getLogger(__name__)
GUESSES_AT_ONCE = 2
__all__ = ["Door", "check_csrf", "csrf", "door", "install"]


class Door:
    """Keeps the log-ins in memory. Users and tokens stand in a file, so that what the command line changes holds at once."""

    def __init__(self, config: WebConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.access, self.clock = Access(Path(config.access), config.password_hash), clock
        self.is_local = auth.is_loopback(config.host)
        self.pace, self.sessions = auth.TwoPaces(), Sessions(config.idle_minutes * 60.0)
        self._code_file = config.setup_code_file
        self._one_guess, self._guesses = threading.Lock(), threading.Semaphore(GUESSES_AT_ONCE)

    @property
    def has_lock(self) -> bool:
        return self.access.has_users

    @property
    def is_open(self) -> bool:
        """No password, and nobody but this machine can ask: whoever sits there is admin."""
        return self.is_local and not self.has_lock

    @property
    def awaits_setup(self) -> bool:
        """No password, and others can ask: nothing is shown but the form for the first one."""
        return not self.is_local and not self.has_lock

    @cached_property
    def setup_code(self) -> SetupCode | None:
        return SetupCode(Path(self._code_file)) if self._code_file else None

    @cached_property
    def _hash_of_nobody(self) -> str:
        """A wrong name takes as long as a wrong password."""
        return auth.hash_password(secrets.token_urlsafe(16))

    def try_password(self, name: str, password: str, address: str | None) -> User | int | None:
        """The user whose password it is, None where it is nobody's, or the seconds to wait before the next try."""
        user = self.access.user(name)
        who, known, now = auth.guesser(address), user.name if user else "", self.clock()
        if (wait_s := self.pace.begin(who, known, now)) > 0:
            return math.ceil(wait_s)
        if not self._guesses.acquire(blocking=False):  # each guess costs 16 MB and a core, one after the other, and a thread while it waits
            self.pace.take_back(who, known)
            return 1
        try:
            with self._one_guess:
                fits = auth.is_password(password[: auth.LONGEST_PASSWORD], user.hash if user else self._hash_of_nobody)
        finally:
            self._guesses.release()
        if user is None or not fits:
            log.warning("wrong name or password from %s", who)
            return None
        self.pace.succeed(who, known)
        return user

    def let_in(self, user: User) -> None:
        """A new session for the new rights: one planted before the log-in is worth nothing."""
        session.clear()
        agent, address = request.headers.get("User-Agent", ""), request.remote_addr or ""
        session["token"], _ = self.sessions.open(user.name, mark(user.hash), self.clock(), address=address, agent=agent[:300], utc=utc_iso(datetime.now(UTC)))
        self.access.note("user", user.name)

    def identify(self) -> Caller:
        """Who makes this request; NOBODY where that is unknown."""
        sent = request.authorization
        if sent is not None and sent.type == "bearer":
            token = self.access.token(sent.token or "")
            if token is None or self.awaits_setup:
                return NOBODY
            self.access.note("token", token.name)
            return Caller(token.name, frozenset(token.scopes), "token", "")
        if self.is_open:
            return NOBODY if forgery.is_forwarded() else scopes.EVERYONE
        found = self.sessions.use(session.get("token"), self.clock(), request.headers.get("User-Agent", "")[:300])
        user = self.access.user(found.user) if found else None
        if found is None or user is None:
            return NOBODY
        if mark(user.hash) != found.bound:  # the password has changed, or another user got the name
            self.sessions.close(found.id)
            return NOBODY
        self.access.note("user", user.name)
        return Caller(user.name, scopes.ROLES[user.role], "session", user.role, found.id)

    def still_admits(self, who: Caller, scope: str) -> bool:
        """Asked again and again while a stream is open."""
        if who.by == "open":
            return self.is_open
        if who.by == "token":
            return any(token.name == who.name and token.is_valid(datetime.now(UTC)) and scope in token.scopes for token in self.access.tokens())
        found, user = self.sessions.touch(who.session, self.clock()), self.access.user(who.name)
        return found is not None and user is not None and mark(user.hash) == found.bound and scope in scopes.ROLES[user.role]


def door() -> Door:
    return cast(Door, current_app.extensions["door"])


def install(app: Flask, config: WebConfig) -> None:
    from edge.web import entrance

    app.extensions["door"] = keeper = Door(config)
    if keeper.awaits_setup:
        _ = keeper.setup_code  # made and logged now, and not when the first stranger asks
    app.before_request(guard)
    app.register_blueprint(entrance.pages)
    app.context_processor(lambda: {"has_lock": scopes.caller().by == "session", "csrf": csrf, "may": scopes.may, "caller": scopes.caller})


def guard() -> ResponseReturnValue | None:
    """Before every request."""
    keeper = door()
    forgery.check_host()
    # A hostile site can make its own name resolve to 127.0.0.1 and then read the page as its own; its name gives it away.
    if keeper.is_open and not auth.is_loopback(auth.host_name(request.host)):
        abort(421, "This page answers to localhost and 127.0.0.1 only; set a password to open it under another name.")
    g.caller = caller = keeper.identify()
    if request.endpoint is None:
        return None  # which becomes 404 or 405
    view = current_app.view_functions[request.endpoint]
    request.max_content_length = largest = largest_body(view)
    if (request.content_length or 0) > largest:
        abort(413, f"This takes at most {largest} bytes.")
    changes = request.method not in forgery.SAFE
    if changes:
        forgery.check_origin()
    if request.endpoint not in scopes.OPEN:
        if keeper.awaits_setup:
            return _to("door.setup", 503, "The page has no password yet; set the first one at /setup.")
        if caller is NOBODY:
            return _to("door.login", 401, "Log in first, or send a valid token.")
        scope = scopes.scope_of(view)
        if scope is None or not scopes.may(scope):
            abort(403, f"This needs the right {scope!r}, which {caller.name} does not have.")
    if changes and caller.by != "token":
        check_csrf()
    return None


def _to(endpoint: str, code: int, sentence: str) -> ResponseReturnValue:
    """A person is led there; a program, and what is loaded into a page, is told."""
    if request.method in ("GET", "HEAD") and not request.path.startswith(("/api/", "/crops/", "/live.jpg")) and request.authorization is None:
        return redirect(url_for(endpoint, next=request.full_path.rstrip("?")) if endpoint == "door.login" else url_for(endpoint))
    if code == 401:
        abort(401, sentence, www_authenticate=WWWAuthenticate("bearer"))
    abort(code, sentence)
