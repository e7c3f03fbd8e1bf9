"""How fast a queue may empty itself over a receiver that has just come back. Pure; seconds of the monotonic clock."""

from __future__ import annotations


class Pace:
    """At most `per_second` in the long run, and a burst of as many at once; 0: no bound."""

    def __init__(self, per_second: float) -> None:
        self._rate, self._most = per_second, max(1.0, per_second)
        self._left, self._at = self._most, float("-inf")

    def wait_s(self, now: float) -> float:
        """Until the next may go; 0 when it may now."""
        if self._rate <= 0:
            return 0.0
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._left >= 1.0 - 1e-6 else (1.0 - self._left) / self._rate

    def take(self, now: float) -> None:
        """One goes."""
        self.wait_s(now)
        self._left -= 1.0
