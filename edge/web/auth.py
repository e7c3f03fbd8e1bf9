"""Who may look: password hashes, the pace of guesses, and sessions. No Flask in here, and every clock is handed in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections import OrderedDict

FREE_FAILURES = 4
LONGEST_WAIT_S = 900.0
ADDRESSES_KEPT = 1000
SESSIONS_KEPT = 100
SESSION_LIFE_S = 7 * 24 * 3600.0


def hash_password(password: str) -> str:
    """`scrypt$n$r$p$salt$key`. With n = 2^14 and r = 8 one guess costs 16 MB and about a tenth of a second on a Pi."""
    salt = secrets.token_bytes(16)
    n, r, p = 2**14, 8, 1
    key = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p)
    return f"scrypt${n}${r}${p}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def is_password(password: str, hashed: str) -> bool:
    """Whether `password` made `hashed`; ValueError when `hashed` is no such hash."""
    kind, n, r, p, salt, key = hashed.split("$")
    if kind != "scrypt":
        raise ValueError(f"unknown kind of hash {kind!r}")
    wanted = base64.b64decode(key, validate=True)
    found = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt, validate=True), n=int(n), r=int(r), p=int(p), dklen=len(wanted))
    return hmac.compare_digest(found, wanted)


def wait_s(failures: int) -> float:
    """How long an address waits after so many wrong passwords in a row: nothing at first, then doubling up to 15 minutes."""
    return 0.0 if failures < FREE_FAILURES else min(2.0 ** (failures - FREE_FAILURES + 1), LONGEST_WAIT_S)


def guesser(address: str | None) -> str:
    """The one who pays for a wrong password: an IPv4 address, or an IPv6 network, since a host there owns 2^64 addresses."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def is_loopback(host: str) -> bool:
    """Whether a name or address can only mean this very machine."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def host_name(header: str) -> str:
    """The name in a Host header, without its port: `[::1]:8080` is `::1`."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header


class LoginPace:
    """Wrong passwords by guesser, in memory. An attempt counts as wrong until it proves right, so that parallel guesses pay too."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, who: str, now: float) -> float:
        """Seconds still to wait; at 0 the attempt may be made, and counts."""
        with self._lock:
            failures, failed_at = self._failures.get(who, (0, now))
            remaining = failed_at + wait_s(failures) - now
            if remaining > 0:
                return remaining
            self._failures[who] = (failures + 1, now)
            self._failures.move_to_end(who)
            while len(self._failures) > ADDRESSES_KEPT:
                self._failures.popitem(last=False)
            return 0.0

    def succeed(self, who: str) -> None:
        with self._lock:
            self._failures.pop(who, None)


class Sessions:
    """Who is logged in. Kept here and not in the cookie alone, so that a log-out also ends a stolen cookie."""

    def __init__(self) -> None:
        self._ends_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, now: float) -> str:
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._ends_at[token] = now + SESSION_LIFE_S
            while len(self._ends_at) > SESSIONS_KEPT:
                self._ends_at.popitem(last=False)
        return token

    def is_open(self, token: object, now: float) -> bool:
        with self._lock:
            return isinstance(token, str) and now < self._ends_at.get(token, now)

    def close(self, token: object) -> None:
        with self._lock:
            if isinstance(token, str):
                self._ends_at.pop(token, None)
