"""Users, tokens and sessions as they are shown: what the API answers and the screen lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from edge.web.access.records import ADMIN, Token, User
from edge.web.door import Door
from edge.web.scopes import Caller

BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari", "curl": "curl"}
SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "CrOS": "ChromeOS", "Mac OS X": "macOS", "Linux": "Linux"}
"""What stands in a user agent -> its name; the first that is found counts, since most browsers also call themselves by others' names."""


def browser(agent: str) -> str:
    """Browser and system in a word each; '' for what is not known."""
    found = (next((name for mark, name in table.items() if mark in agent), "") for table in (BROWSERS, SYSTEMS))
    return ", ".join(filter(None, found))


def user(keeper: Door, one: User) -> dict[str, Any]:
    opened = sum(session.user == one.name for session in keeper.sessions.open_ones(keeper.clock()))
    configured = one.name == ADMIN and bool(keeper.access.config_hash)
    return {"name": one.name, "role": one.role, "created": one.created, "last_seen": one.last_seen, "configured": configured, "sessions": opened}


def token(one: Token) -> dict[str, Any]:
    told = one.model_dump(mode="json", exclude={"digest"})
    return told | {"valid": one.is_valid(datetime.now(UTC))}


def sessions(keeper: Door, who: Caller) -> list[dict[str, Any]]:
    """The newest first; everyone sees their own, who manages the access sees all."""
    now = keeper.clock()
    return [
        {
            "id": one.id,
            "user": one.user,
            "address": one.address,
            "agent": one.agent,
            "browser": browser(one.agent),
            "began": one.began_at_utc,
            "idle_s": round(max(0.0, now - one.used_at), 1),
            "this": one.id == who.session,
        }
        for one in keeper.sessions.open_ones(now)
        if one.user == who.name or "access:write" in who.scopes
    ]
