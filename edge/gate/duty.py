"""How long the relay may be on: a motor or a strike that is held too long burns."""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0


class Duty:
    """Within any minute the relay is on for at most `max_duty` of it. Times are monotonic seconds and never go back."""

    def __init__(self, max_duty: float) -> None:
        self._most_s = WINDOW_S * max_duty
        self._pulses: deque[tuple[float, float]] = deque()
        """(begin, end) of those that reach into the last minute."""

    def allows(self, pulse_s: float, now: float) -> bool:
        """Whether a pulse that begins now keeps to it: none runs still, and the minute that ends with this one is not too full."""
        while self._pulses and self._pulses[0][1] <= now - WINDOW_S:  # of any minute to come, also of one that ends with a shorter pulse than this
            self._pulses.popleft()
        if self._pulses and self._pulses[-1][1] > now:
            return False
        # Of the oldest pulse what lies in that minute counts.
        on_s = sum(max(0.0, end - max(begin, now + pulse_s - WINDOW_S)) for begin, end in self._pulses)
        return on_s + pulse_s <= self._most_s + 1e-9

    def on_s(self, now: float) -> float:
        """For how many seconds of the last minute the relay was on."""
        return sum(max(0.0, min(end, now) - max(begin, now - WINDOW_S)) for begin, end in self._pulses)

    def go_on(self, before: Duty) -> None:
        """The pulses of another count as one's own."""
        self._pulses = before._pulses.copy()

    def take(self, pulse_s: float, now: float) -> None:
        """A pulse begins now."""
        self._pulses.append((now, now + pulse_s))
