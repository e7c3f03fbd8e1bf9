"""What the endpoints of users, tokens and sessions take and give. A hash, and the digest of a token, never leave the device."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.web.access.access import MOST_DAYS
from edge.web.access.records import NAME, UNGRANTED
from edge.web.api.declare import Model
from edge.web.auth import LONGEST_PASSWORD, SHORTEST_PASSWORD
from edge.web.scopes import SCOPES

Name = Annotated[str, Field(pattern=NAME, max_length=32, description="a-z, 0-9, '.', '_' and '-', beginning with a letter.")]
Role = Literal["viewer", "operator", "admin"]
Password = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD, json_schema_extra={"format": "password"})]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="UTC, ISO 8601.")]
Scope = Annotated[str, Field(json_schema_extra={"enum": list(SCOPES)})]
Granted = Annotated[str, Field(json_schema_extra={"enum": [name for name in SCOPES if name not in UNGRANTED]})]


class MeAnswer(Model):
    """Who asks."""

    name: str
    role: str = Field(description="Empty for a token.")
    by: Literal["open", "session", "token"] = Field(description="How that is known; `open`: the page has no password and is on this machine alone.")
    scopes: list[Scope]
    session: str | None = Field(description="The id of this session.")
    csrf: str | None = Field(description="What a session's writing requests carry as X-CSRF-Token; null for a token, which needs none.")


class PasswordBody(Model):
    old: str = Field(default="", max_length=LONGEST_PASSWORD, json_schema_extra={"format": "password"}, description="Not asked for while there is none.")
    new: Password


class UserAnswer(Model):
    name: str
    role: Role
    created: Moment | None
    last_seen: Moment | None = Field(description="To the hour.")
    configured: bool = Field(description="The admin of the configuration file, who cannot be removed.")
    sessions: int = Field(ge=0, description="Open ones.")


class UsersAnswer(Model):
    users: list[UserAnswer]
    problem: str | None = Field(description="Why the file of the access cannot be used; only the configuration's admin gets in then.")


class NewUser(Model):
    name: Name
    role: Role
    password: Password


class UserChange(Model):
    """What is left out stays. A new password ends the user's sessions."""

    role: Role | None = None
    password: Password | None = None


class TokenAnswer(Model):
    name: str
    scopes: list[Scope]
    created: Moment
    expires: Moment
    last_used: Moment | None = Field(description="To the hour.")
    valid: bool


class TokensAnswer(Model):
    tokens: list[TokenAnswer]


class NewToken(Model):
    name: Name
    scopes: list[Granted] = Field(min_length=1, max_length=len(SCOPES))
    days: int = Field(default=90, ge=1, le=MOST_DAYS)


class NewTokenAnswer(TokenAnswer):
    token: str = Field(description="Shown here and never again: the device keeps no more than its SHA-256.")


class SessionAnswer(Model):
    id: str
    user: str
    address: str
    agent: str
    browser: str = Field(description="The same in a word or two; empty for what is not known.")
    began: Moment
    idle_s: float = Field(ge=0, description="For how long nobody has used it.")
    this: bool = Field(description="The session of this very request.")


class SessionsAnswer(Model):
    sessions: list[SessionAnswer]
