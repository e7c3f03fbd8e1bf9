"""Who is logged in. Kept in memory and not in the cookie alone, so that a log-out also ends a stolen cookie; a restart logs everyone out."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

KEPT = 100
LIFE_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in. `id` may be shown; the token that opens it stands in the cookie alone. `bound` is the mark of the password hash it was opened with.

    Moments are seconds of the clock that was handed in, `began_at_utc` is for people.
    """

    id: str
    user: str
    bound: str
    address: str
    agent: str
    began_at: float
    used_at: float
    began_at_utc: str = ""


class Sessions:
    """By the SHA-256 of their tokens, the oldest first."""

    def __init__(self, idle_s: float = 3600.0) -> None:
        self._idle_s = idle_s
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, user: str, bound: str, now: float, *, address: str = "", agent: str = "", utc: str = "") -> tuple[str, Session]:
        """A new token, never one that the browser brought along, and its session."""
        token = secrets.token_urlsafe(24)
        made = Session(secrets.token_hex(8), user, bound, address, agent, now, now, utc)
        with self._lock:
            self._sessions[_key(token)] = made
            while len(self._sessions) > KEPT:
                self._sessions.popitem(last=False)
        return token, made

    def use(self, token: object, now: float, agent: str) -> Session | None:
        """The open session of a token, now used; None, and ended, where its time is over or another kind of browser brings it."""
        if not isinstance(token, str):
            return None
        with self._lock:
            found = self._sessions.get(_key(token))
            if found is None:
                return None
            if self._is_over(found, now) or kind_of(agent) != kind_of(found.agent):
                del self._sessions[_key(token)]
                return None
            found = self._sessions[_key(token)] = replace(found, used_at=now)
            return found

    def touch(self, id: str, now: float) -> Session | None:
        """The same for a stream that stays open: the session of an id, still open and now used."""
        with self._lock:
            for key, found in self._sessions.items():
                if found.id == id and not self._is_over(found, now):
                    self._sessions[key] = replace(found, used_at=now)
                    return found
        return None

    def open_ones(self, now: float) -> list[Session]:
        """The newest first."""
        with self._lock:
            return [found for found in reversed(self._sessions.values()) if not self._is_over(found, now)]

    def close(self, id: str) -> bool:
        """Whether there was such a one."""
        with self._lock:
            keys = [key for key, found in self._sessions.items() if found.id == id]
            for key in keys:
                del self._sessions[key]
            return bool(keys)

    def close_all_of(self, user: str) -> None:
        with self._lock:
            for key in [key for key, found in self._sessions.items() if found.user == user]:
                del self._sessions[key]

    def _is_over(self, session: Session, now: float) -> bool:
        return now >= session.began_at + LIFE_S or now >= session.used_at + self._idle_s


def kind_of(agent: str) -> str:
    """A browser's name without its numbers, which an update changes over night."""
    return re.sub(r"[\d.]+", "", agent)[:300]


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
