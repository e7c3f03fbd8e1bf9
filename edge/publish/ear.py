"""What others say to the device over MQTT. A short known word counts; anything else is counted by its reason and forgotten: no text of it is kept or logged."""

from __future__ import annotations

from typing import Literal, get_args

Why = Literal["retained", "too long", "no text", "not a word of ours", "out of date", "too often"]


class Ear:
    """Listens on one thread, and may be asked from any."""

    def __init__(self, longest: int = 64) -> None:
        self._longest = longest
        self._ignored: dict[str, int] = dict.fromkeys(get_args(Why), 0)  # of a size that never changes under a reader

    def word(self, payload: bytes) -> str | None:
        """The text of a payload, or None where it is none that anybody need look at."""
        if len(payload) > self._longest:
            self.ignore("too long")
            return None
        try:
            return payload.decode("utf-8").strip()
        except UnicodeDecodeError:
            self.ignore("no text")
            return None

    def ignore(self, why: Why) -> None:
        self._ignored[why] += 1

    @property
    def ignored(self) -> dict[str, int]:
        """{why: how many}, without the zeros; for the status."""
        return {why: many for why, many in self._ignored.items() if many}
