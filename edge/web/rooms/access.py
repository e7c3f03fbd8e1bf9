"""Who may enter: one's own password and sessions; for an admin also users, tokens and everybody's sessions. All of it works without script."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import PlatewatchError
from edge.web.access import actions, told
from edge.web.access.records import UNGRANTED
from edge.web.door import door
from edge.web.rooms.room import Room
from edge.web.scopes import ANYONE, ROLES, SCOPES, caller, may, needs
from edge.web.speech import t

pages = Blueprint("access", __name__)
ROOM = Room(
    "access",
    pages,
    path="/access",
    scope=ANYONE,
    group="device",
    icon="M15 5a4.500 4.500 0 1 1-3.800 6.900L4 19v2h3v-2h2v-2h2v-2.500l1.300-1.300M15.500 8.500h.01",
)
GRANTED = [scope for scope in SCOPES if scope not in UNGRANTED]
DAYS = (7, 30, 90, 365, 3650)


def show(problem: str = "", secret: str = "", code: int = 200) -> ResponseReturnValue:
    """`problem` is a sentence in English; `secret` a token that is shown this once."""
    keeper, who = door(), caller()
    manages = may("access:write")
    page = render_template(
        "access.html",
        who=who,
        problem=problem,
        secret=secret,
        trouble=keeper.access.trouble,
        users=[told.user(keeper, one) for one in keeper.access.users()] if manages else [],
        tokens=[told.token(one) for one in keeper.access.tokens()] if manages else [],
        sessions=told.sessions(keeper, who),
        manages=manages,
        roles=list(ROLES),
        scopes=GRANTED,
        days=DAYS,
        fingerprint=current_app.extensions.get("fingerprint", ""),
        encrypted=request.is_secure,
    )
    return page, code


def done(change: Callable[[], object]) -> ResponseReturnValue:
    """Back to the room; or the room with what went wrong."""
    try:
        change()
    except PlatewatchError as error:
        said = str(error)
        return show(f"{said[:1].upper()}{said[1:].rstrip('.')}.", code=409)
    return redirect("/access", 303)


@pages.get("/access")
@needs(ANYONE)
def page() -> ResponseReturnValue:
    return show()


@pages.post("/access/password")
@needs(ANYONE)
def change_password() -> ResponseReturnValue:
    form = request.form
    if form.get("new", "") != form.get("again", ""):
        return show(t("access.differ"), code=400)
    return done(lambda: actions.change_own_password(door(), caller(), form.get("old", ""), form.get("new", "")))


@pages.post("/access/users")
@needs("access:write")
def add_user() -> ResponseReturnValue:
    form = request.form
    return done(lambda: door().access.add_user(form.get("name", ""), form.get("role", ""), form.get("password", "")))


@pages.post("/access/users/<name>")
@needs("access:write")
def change_user(name: str) -> ResponseReturnValue:
    """Another role, and another password where one was typed."""
    if door().access.user(name) is None:
        abort(404, t("access.gone"))
    role, password = request.form.get("role") or None, request.form.get("password") or None
    return done(lambda: actions.change_user(door(), name, role, password))


@pages.post("/access/users/<name>/remove")
@needs("access:write")
def remove_user(name: str) -> ResponseReturnValue:
    return done(lambda: actions.remove_user(door(), name))


@pages.post("/access/tokens")
@needs("access:write")
def add_token() -> ResponseReturnValue:
    form = request.form
    days = form.get("days", "")
    try:
        _, secret = door().access.new_token(form.get("name", ""), form.getlist("scopes"), int(days) if days.isdecimal() and len(days) < 6 else 0)
    except PlatewatchError as error:
        said = str(error)
        return show(f"{said[:1].upper()}{said[1:]}.", code=409)
    return show(secret=secret)


@pages.post("/access/tokens/<name>/revoke")
@needs("access:write")
def revoke_token(name: str) -> ResponseReturnValue:
    return done(lambda: door().access.revoke_token(name))


@pages.post("/access/sessions/<id>/end")
@needs(ANYONE)
def end_session(id: str) -> ResponseReturnValue:
    if not actions.end_session(door(), caller(), id):
        abort(404, t("access.gone"))
    return redirect("/access", 303)
