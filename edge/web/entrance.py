"""Log-in, log-out, and the form for the first password."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from edge.errors import PlatewatchError
from edge.web import auth, scopes
from edge.web.access.records import ADMIN
from edge.web.door import door
from edge.web.speech import t

pages = Blueprint("door", __name__)
LONGEST_CODE = 20


def onward() -> str:
    """Where to go after the log-in: a path of this page and nothing else."""
    path = request.values.get("next", "/")
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def form(problem: str | None, code: int = 200, wait_s: int = 0) -> ResponseReturnValue:
    """The name is asked for as soon as there is anyone but the admin."""
    several = [user.name for user in door().access.users()] != [ADMIN]
    page = render_template("login.html", next=onward(), problem=problem, several=several, name=request.form.get("name", ADMIN)[:40])
    return (page, code, {"Retry-After": str(wait_s)}) if wait_s else (page, code)


@pages.get("/login")
def login() -> ResponseReturnValue:
    if scopes.caller() is not scopes.NOBODY:
        return redirect(onward())
    return redirect(url_for("door.setup")) if door().awaits_setup else form(None)


@pages.post("/login")
def enter() -> ResponseReturnValue:
    if not door().has_lock:
        return redirect("/", 303)
    name = request.form.get("name", "").strip().lower()[:40] or ADMIN
    found = door().try_password(name, request.form.get("password", ""), request.remote_addr)
    if isinstance(found, int):
        return form(t("login.wait", seconds=found), 429, found)
    if found is None:
        return form(t("login.wrong"), 403)
    door().let_in(found)
    return redirect(onward(), 303)


@pages.post("/logout")
@scopes.needs(scopes.ANYONE)
def leave() -> ResponseReturnValue:
    door().sessions.close(scopes.caller().session)
    session.clear()
    return redirect(url_for("door.login"), 303)


@pages.get("/setup")
def setup() -> ResponseReturnValue:
    return set_up(None) if door().awaits_setup else redirect("/")


@pages.post("/setup")
def set_first_password() -> ResponseReturnValue:
    """One who can read the device's log or card sets the first password; after that this leads to the log-in."""
    keeper = door()
    code, password = keeper.setup_code, request.form.get("password", "")
    if not keeper.awaits_setup or code is None:
        return redirect("/", 303)
    who = auth.guesser(request.remote_addr)
    if (wait_s := keeper.pace.begin(who, "setup", keeper.clock())) > 0:
        return set_up(t("login.wait", seconds=int(wait_s) + 1), 429)
    if not code.fits(request.form.get("code", "")):
        return set_up(t("setup_code.wrong"), 403)
    keeper.pace.succeed(who, "setup")
    if password != request.form.get("again", ""):
        return set_up(t("setup_code.differ"), 400)
    try:
        user = keeper.access.set_first_password(password)
    except PlatewatchError as error:
        return set_up(str(error), 400)
    code.use_up()
    keeper.let_in(user)
    return redirect("/start" if current_app.extensions.get("config_file") else "/", 303)


def set_up(problem: str | None, code: int = 200) -> ResponseReturnValue:
    """The link that an installation ends with brings the code along; who typed one wrong has it before the eyes."""
    typed = request.values.get("code", "")[:LONGEST_CODE]
    linked = bool(request.args.get("code")) and problem is None
    return render_template("setup_code.html", problem=problem, possible=door().setup_code is not None, typed=typed, linked=linked, longest=LONGEST_CODE), code
