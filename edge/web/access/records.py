"""Users and tokens, as the file of the access keeps them. All are values; the functions return a new book."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from edge.errors import PlatewatchError
from edge.web.auth import hash_parts
from edge.web.scopes import ROLES, SCOPES

NAME = r"^[a-z][a-z0-9._-]{0,31}$"
MOST = 100
ADMIN = "admin"
UNGRANTED = frozenset({"access:write"})
"""No token manages tokens: else one that leaked could make others that outlive it."""


class AccessError(PlatewatchError, ValueError):
    """What was asked of users or tokens cannot be, or their file cannot be used."""


def _moment(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a moment needs its zone")
    return text


def _hash(text: str) -> str:
    hash_parts(text)
    return text


def _scopes(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in SCOPES or name in UNGRANTED:
            raise ValueError(f"unknown scope {name[:40]!r}")
    return names


Moment = Annotated[str, AfterValidator(_moment)]
Name = Annotated[str, StringConstraints(pattern=NAME)]


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class User(Row):
    """`over` is the mark of the config's hash that this admin's password has replaced: a new hash in the config wins."""

    name: Name
    role: Literal["viewer", "operator", "admin"]
    hash: Annotated[str, AfterValidator(_hash)]
    created: Moment | None = None
    last_seen: Moment | None = None
    over: str = ""


class Token(Row):
    """`digest` is the SHA-256 of the token, which itself is kept nowhere."""

    name: Name
    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[str, ...], AfterValidator(_scopes)]
    created: Moment
    expires: Moment
    last_used: Moment | None = None

    def is_valid(self, now: datetime) -> bool:
        return now < datetime.fromisoformat(self.expires)


class Book(Row):
    """The whole file."""

    v: Literal[1] = 1
    users: tuple[User, ...] = Field(default=(), max_length=MOST)
    tokens: tuple[Token, ...] = Field(default=(), max_length=MOST)

    def user(self, name: str) -> User | None:
        return next((user for user in self.users if user.name == name), None)

    def token(self, name: str) -> Token | None:
        return next((token for token in self.tokens if token.name == name), None)

    def with_user(self, user: User) -> Book:
        """In the place of the one with that name, or at the end."""
        if self.user(user.name) is None and len(self.users) >= MOST:
            raise AccessError(f"there are {MOST} users already; remove one first")
        if self.user(user.name) is None:
            return self.model_copy(update={"users": (*self.users, user)})
        return self.model_copy(update={"users": tuple(user if one.name == user.name else one for one in self.users)})

    def without_user(self, name: str) -> Book:
        return self.model_copy(update={"users": tuple(user for user in self.users if user.name != name)})

    def with_token(self, token: Token) -> Book:
        if self.token(token.name) is None and len(self.tokens) >= MOST:
            raise AccessError(f"there are {MOST} tokens already; revoke one first")
        return self.model_copy(update={"tokens": (*(one for one in self.tokens if one.name != token.name), token)})

    def without_token(self, name: str) -> Book:
        return self.model_copy(update={"tokens": tuple(token for token in self.tokens if token.name != name)})


def good_name(text: str) -> str:
    """A name as it is kept; AccessError where it is none."""
    name = text.strip().lower()
    if not re.match(NAME + r"\Z", name):
        raise AccessError(f"{text[:40]!r} is no name; take up to 32 of a-z, 0-9, '.', '_' and '-', beginning with a letter")
    return name


def good_role(text: str) -> str:
    if text not in ROLES:
        raise AccessError(f"{text[:40]!r} is no role; there are {', '.join(ROLES)}")
    return text


def good_scopes(names: list[str]) -> tuple[str, ...]:
    """In the order of SCOPES, each once."""
    if not names:
        raise AccessError(f"a token needs at least one scope; there are {', '.join(name for name in SCOPES if name not in UNGRANTED)}")
    for name in names:
        if name in UNGRANTED:
            raise AccessError(f"{name} is for people alone: a token that could make tokens would outlive its own end")
        if name not in SCOPES:
            raise AccessError(f"{name[:40]!r} is no scope; there are {', '.join(known for known in SCOPES if known not in UNGRANTED)}")
    return tuple(name for name in SCOPES if name in names)
