"""Password hashes, who pays for a wrong one, and the pace of guesses. No Flask in here, and every clock is handed in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

from edge.errors import ConfigError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1000
FREE_FAILURES, FREE_FAILURES_OF_ALL = 4, 20
LONGEST_WAIT_S, LONGEST_WAIT_OF_ALL_S = 900.0, 60.0
KEPT = 1000
LARGEST_HASH_BYTES = 64 * 2**20


def check_password(password: str) -> str:
    """The password, when it may be one."""
    if len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"a password has at least {SHORTEST_PASSWORD} characters; nothing was changed")
    if len(password) > LONGEST_PASSWORD:
        raise ConfigError(f"a password has at most {LONGEST_PASSWORD} characters; nothing was changed")
    return password


def hash_password(password: str) -> str:
    """`scrypt$n$r$p$salt$key`. With n = 2^14 and r = 8 one guess costs 16 MB and about a tenth of a second on a Pi."""
    salt = secrets.token_bytes(16)
    n, r, p = 2**14, 8, 1
    key = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p)
    return f"scrypt${n}${r}${p}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def hash_parts(hashed: str) -> tuple[int, int, int, bytes, bytes]:
    """n, r, p, salt and key; ValueError when `hashed` is no such hash, or one that would cost more memory than a small device has."""
    kind, *numbers, salt, key = hashed.split("$")
    n, r, p = (int(number) for number in numbers)
    if kind != "scrypt":
        raise ValueError(f"unknown kind of hash {kind!r}")
    if min(n, r, p) < 1 or p > 16 or 128 * n * r > LARGEST_HASH_BYTES:
        raise ValueError("out of bounds")
    return n, r, p, base64.b64decode(salt, validate=True), base64.b64decode(key, validate=True)


def is_password(password: str, hashed: str) -> bool:
    """Whether `password` made `hashed`; ValueError when `hashed` is no such hash."""
    n, r, p, salt, key = hash_parts(hashed)
    found = hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p, maxmem=2 * LARGEST_HASH_BYTES, dklen=len(key))
    return hmac.compare_digest(found, key)


def wait_s(failures: int) -> float:
    """How long an address waits after so many wrong passwords in a row: nothing at first, then doubling up to 15 minutes."""
    return 0.0 if failures < FREE_FAILURES else min(2.0 ** (failures - FREE_FAILURES + 1), LONGEST_WAIT_S)


def wait_of_all_s(failures: int) -> float:
    """How long a user's door stays shut to addresses that never had the right password, after so many wrong ones from all of them."""
    return 0.0 if failures < FREE_FAILURES_OF_ALL else min(2.0 ** (failures - FREE_FAILURES_OF_ALL + 1), LONGEST_WAIT_OF_ALL_S)


def guesser(address: str | None) -> str:
    """The one who pays for a wrong password: an IPv4 address, or an IPv6 network, since a host there owns 2^64 addresses."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
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

    def __init__(self, wait_s: Callable[[int], float] = wait_s) -> None:
        self._wait_s = wait_s
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, who: str, now: float) -> float:
        """Seconds still to wait; at 0 the attempt may be made, and counts."""
        with self._lock:
            failures, failed_at = self._failures.get(who, (0, now))
            remaining = failed_at + self._wait_s(failures) - now
            if remaining > 0:
                return remaining
            self._failures[who] = (failures + 1, now)
            self._failures.move_to_end(who)
            while len(self._failures) > KEPT:
                self._failures.popitem(last=False)
            return 0.0

    def take_back(self, who: str) -> None:
        """The attempt was not made after all."""
        with self._lock:
            failures, failed_at = self._failures.get(who, (1, 0.0))
            if failures > 1:
                self._failures[who] = (failures - 1, failed_at)
            else:
                self._failures.pop(who, None)

    def succeed(self, who: str) -> None:
        with self._lock:
            self._failures.pop(who, None)


class TwoPaces:
    """The pace of one address, and that of a user from all addresses. Who had the right password once is not held up by what others guess."""

    def __init__(self) -> None:
        self._of_one, self._of_all = LoginPace(), LoginPace(wait_of_all_s)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, who: str, user: str, now: float) -> float:
        """Seconds still to wait, or 0; `user` is '' for a name that nobody has."""
        if (wait := self._of_one.begin(who, now)) > 0:
            return wait
        if (who, user) in self._known:
            return 0.0
        if (wait := self._of_all.begin(user, now)) > 0:
            self._of_one.take_back(who)  # it was no wrong password
        return wait

    def take_back(self, who: str, user: str) -> None:
        """The attempt was not made after all."""
        self._of_one.take_back(who)
        self._of_all.take_back(user)

    def succeed(self, who: str, user: str) -> None:
        self._of_one.succeed(who)
        self._of_all.succeed(user)
        with self._lock:
            self._known[who, user] = None
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
