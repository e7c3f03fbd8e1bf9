"""What a dialect can say: a JSON document, the row of a CSV file, or MQTT messages on topics of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.publish.told import Told


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message; with MQTT 5 the broker forgets it after `expires_s`, 0: never."""

    topic: str
    payload: bytes
    retain: bool = False
    expires_s: int = 0


@dataclass(frozen=True, slots=True)
class Dialect:
    """Pure functions of an event.

    document       the event as a JSON object
    row            the event as a row of a CSV file: {column: text}
    messages       the event as MQTT messages under a base topic, for dialects that need several
    leaf, base     where a document goes over MQTT: `<base>/<leaf>`; without a base below the device's own topic
    takes_back     a preview that should not have been can be said to be none
    picture_part   over a webhook the picture goes beside the document, as the part of this name
    """

    document: Callable[[Told], dict[str, Any]] | None = None
    row: Callable[[Told], dict[str, str]] | None = None
    messages: Callable[[Told, str], tuple[Message, ...]] | None = None
    leaf: str = ""
    base: str = ""
    picture_part: str = ""
    needs_picture_file: bool = False
    takes_back: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of target that can carry it."""
        if self.document is not None:
            return ("mqtt", "webhook", "jsonl", "exec")
        return ("csv",) if self.row is not None else ("mqtt",)
