"""Who may enter: oneself, users, tokens, sessions."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import abort, jsonify

from edge.web import forgery
from edge.web.access import actions, told
from edge.web.api.access_models import (
    MeAnswer,
    NewToken,
    NewTokenAnswer,
    NewUser,
    PasswordBody,
    SessionsAnswer,
    TokensAnswer,
    UserAnswer,
    UserChange,
    UsersAnswer,
)
from edge.web.api.declare import Link, endpoint
from edge.web.door import door
from edge.web.scopes import ANYONE, SCOPES, caller

manage = partial(endpoint, scope="access:write", tag="access")
NAME_PART = {"name": "The name."}
ANSWERED = {"name": "$response.body#/name"}
OF_A_USER = Link("change_user", ANSWERED), Link("remove_user", ANSWERED)


@endpoint("GET", "/api/me", scope=ANYONE, tag="access", summary="Who asks, and what they may", answer=MeAnswer)
def get_me() -> dict[str, Any]:
    who = caller()
    told_csrf = None if who.by == "token" else forgery.csrf()
    return {
        "name": who.name,
        "role": who.role,
        "by": who.by,
        "scopes": [scope for scope in SCOPES if scope in who.scopes],
        "session": who.session or None,
        "csrf": told_csrf,
    }


@endpoint(
    "POST",
    "/api/me/password",
    scope=ANYONE,
    tag="access",
    summary="Change one's own password, or set the first",
    body=PasswordBody,
    answer=MeAnswer,
    errors=(409, 429),
)
def change_my_password(body: PasswordBody) -> Any:
    """Ends all one's sessions and begins this one anew: `csrf` of the answer holds from now on."""
    who = caller()
    try:
        actions.change_own_password(door(), who, body.old, body.new)
    except actions.TooFast as error:
        answer = jsonify(error={"status": 429, "message": f"{error}."})
        answer.status_code, answer.headers["Retry-After"] = 429, str(error.wait_s)
        return answer
    except actions.WrongPassword as error:
        abort(403, f"{error}.")
    return get_me() | {"by": "session", "session": None}


@manage("GET", "/api/users", summary="All users", answer=UsersAnswer, links=(Link("change_user", {"name": "$response.body#/users/1/name"}),))
def get_users() -> dict[str, Any]:
    keeper = door()
    return {"users": [told.user(keeper, one) for one in keeper.access.users()], "problem": keeper.access.trouble or None}


@manage("POST", "/api/users", summary="Add a user", body=NewUser, answer=UserAnswer, code=201, errors=(409,), links=OF_A_USER)
def add_user(body: NewUser) -> dict[str, Any]:
    return told.user(door(), door().access.add_user(body.name, body.role, body.password))


@manage(
    "PATCH",
    "/api/users/{name}",
    summary="Change a user's role or password",
    parts=NAME_PART,
    body=UserChange,
    answer=UserAnswer,
    errors=(404, 409),
    links=OF_A_USER,
)
def change_user(name: str, body: UserChange) -> dict[str, Any]:
    if door().access.user(name) is None:
        abort(404, "There is no such user.")
    found = actions.change_user(door(), name, body.role, body.password)
    assert found is not None
    return told.user(door(), found)


@manage("DELETE", "/api/users/{name}", summary="Remove a user", parts=NAME_PART, code=204, errors=(404, 409))
def remove_user(name: str) -> None:
    """The user's sessions end at once."""
    if door().access.user(name) is None:
        abort(404, "There is no such user.")
    actions.remove_user(door(), name)


@manage("GET", "/api/tokens", summary="All tokens, without what opens", answer=TokensAnswer)
def get_tokens() -> dict[str, Any]:
    return {"tokens": [told.token(one) for one in door().access.tokens()]}


@manage(
    "POST",
    "/api/tokens",
    summary="Make a token",
    body=NewToken,
    answer=NewTokenAnswer,
    code=201,
    errors=(409,),
    links=(Link("revoke_token", ANSWERED),),
)
def add_token(body: NewToken) -> dict[str, Any]:
    made, secret = door().access.new_token(body.name, body.scopes, body.days)
    return told.token(made) | {"token": secret}


@manage("DELETE", "/api/tokens/{name}", summary="Revoke a token", parts=NAME_PART, code=204, errors=(404, 409))
def revoke_token(name: str) -> None:
    if not any(one.name == name for one in door().access.tokens()):
        abort(404, "There is no such token.")
    door().access.revoke_token(name)


@endpoint(
    "GET",
    "/api/sessions",
    scope=ANYONE,
    tag="access",
    summary="Open sessions: one's own, or all for who manages the access",
    answer=SessionsAnswer,
    links=(Link("end_session", {"id": "$response.body#/sessions/0/id"}),),
)
def get_sessions() -> dict[str, Any]:
    return {"sessions": told.sessions(door(), caller())}


@endpoint(
    "DELETE",
    "/api/sessions/{id}",
    scope=ANYONE,
    tag="access",
    summary="End a session",
    parts={"id": "The session's id."},
    code=204,
    errors=(404,),
)
def end_session(id: str) -> None:
    if not actions.end_session(door(), caller(), id):
        abort(404, "There is no such session.")
