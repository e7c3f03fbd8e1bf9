"""Who may do what: each endpoint of the page is marked with one scope, and a person's role or a token's list says which scopes are theirs.

An endpoint that carries no scope and does not stand in OPEN is refused to everyone, so that a forgotten mark locks a door instead of opening one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import g

SCOPES: dict[str, str] = {
    "status:read": "see what the device does, and the live picture",
    "detect:write": "switch the search for plates on and off",
    "events:read": "see and search events and their pictures",
    "events:write": "correct and delete events",
    "events:export": "take events away as a file",
    "lists:read": "see the lists of known plates",
    "lists:write": "change the lists of known plates",
    "gate:read": "see the gate and what it did",
    "gate:test": "open the gate to test it",
    "setup:read": "see how the camera is set up",
    "setup:write": "set the camera up",
    "settings:read": "see the settings",
    "settings:write": "change the settings",
    "model:read": "see the models",
    "model:write": "change the models",
    "health:read": "see how the device feels",
    "health:write": "examine the device and make a support bundle",
    "image:read": "have plates read in a picture that is sent",
    "access:write": "manage users, tokens and sessions",
    "metrics:read": "read the figures for Prometheus",
}
"""Scope -> what it allows."""
VIEWER = frozenset({"status:read", "events:read", "lists:read", "gate:read", "health:read"})
OPERATOR = VIEWER | {"detect:write", "events:write", "events:export", "lists:write", "gate:test", "image:read", "setup:read", "model:read", "metrics:read"}
ROLES: dict[str, frozenset[str]] = {"viewer": VIEWER, "operator": OPERATOR, "admin": frozenset(SCOPES)}
"""A viewer looks, an operator works with plates and the gate, an admin also changes how the device works and who may enter."""
OPEN = {"static", "door.login", "door.enter", "door.setup", "door.set_first_password", "health.healthz", "health.readyz", "health.metrics"}
"""Endpoints that need no log-in: they show nothing of what was seen, or, as those of `health`, ask who looks by themselves."""
ANYONE = "anyone"
"""The mark of what everybody who is let in may do, as logging out."""
MARK = "needs_scope"
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `by` is how that is known: the page has no lock, a session's cookie, or a token; `session` is that session's public id."""

    name: str
    scopes: frozenset[str]
    by: Literal["open", "session", "token"] = "open"
    role: str = "admin"
    session: str = ""


EVERYONE = Caller("admin", frozenset(SCOPES))
"""Without a password the page listens to this machine alone, and whoever sits there is admin."""
NOBODY = Caller("", frozenset(), role="")


def needs(scope: str) -> Callable[[View], View]:
    """Marks an endpoint. Stands directly above the function, below the route."""
    if scope not in SCOPES and scope != ANYONE:
        raise KeyError(f"unknown scope {scope!r}; edge/web/scopes.py has them all")

    def mark(view: View) -> View:
        setattr(view, MARK, scope)
        return view

    return mark


def scope_of(view: Callable[..., Any] | None) -> str | None:
    """The scope that a view was marked with."""
    return getattr(view, MARK, None)


def caller() -> Caller:
    """Who makes this request."""
    found = g.get("caller", NOBODY)
    assert isinstance(found, Caller)
    return found


def may(scope: str) -> bool:
    """Whether who makes this request has a scope. Templates ask it too."""
    return scope in caller().scopes or (scope == ANYONE and caller() != NOBODY)
