"""What every target promises, and how it fails."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edge.errors import ConfigError, PlatewatchError
from edge.publish.told import Told


class PublishError(PlatewatchError, OSError):
    """A target did not take an event. The sentence holds no secret and no plate."""


class Unreachable(PublishError):
    """Not now: the same event is tried again until it is taken. `retry_after_s` is what the other side asked for."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ThrownOut(Unreachable):
    """The other side has ended the connection a moment ago, perhaps because of the event before; nothing can be sent over it."""


class Refused(PublishError):
    """Not this event: after some tries it is set aside, and the next goes on."""


class Stumbled(PublishError):
    """Not this event, or nothing at all, and nobody knows which: after some tries another event tells. If that passes, this one is set aside."""


class Target(Protocol):
    @property
    def connected(self) -> bool | None:
        """None where there is nothing to stay connected to."""

    def send(self, told: Told) -> None:
        """Deliver, or raise Unreachable, Stumbled or Refused. Returning means: the other side has it. May be called twice for one event."""

    def tend(self, now: float) -> float:
        """Chores between events, such as staying connected; seconds until it wants to be called again. Raises as `send` does."""

    def close(self) -> None:
        """Let go. May be called from another thread while `send` waits, which then ends soon with an error."""


class Occasional:
    """Base of targets that have nothing to do between events and nothing to let go."""

    @property
    def connected(self) -> bool | None:
        return None

    def tend(self, now: float) -> float:
        return math.inf

    def close(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event on its way to one target, as the outbox keeps it."""

    seq: int
    target: str
    row: dict[str, object] = field(repr=False)
    picture: bytes = field(default=b"", repr=False)


def secret(reference: str, what: str, environment: dict[str, str]) -> str:
    """What `env:NAME` or `file:PATH` stands for ('' for ''); any other text is itself. ConfigError names what is missing, never the secret."""
    kind, _, place = reference.partition(":")
    if kind == "env":
        if not (found := environment.get(place, "")):
            raise ConfigError(f"{what}: the environment has no {place!r}; set it for the daemon, or use 'file:PATH'")
        return found
    if kind == "file":
        try:
            found = Path(place).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{what}: {place} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8 text'})") from None
        if not found:
            raise ConfigError(f"{what}: {place} is empty; write the secret into it")
        return found
    return reference


def in_words(error: OSError) -> str:
    """The reason alone, without addresses or paths that may hold a secret."""
    words = error.strerror or str(error) or type(error).__name__
    return re.sub(r"^\[[^\]]*\]\s*|\s*\(_ssl\.c:\d+\)", "", words)
