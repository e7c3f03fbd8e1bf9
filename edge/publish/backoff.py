"""How long to wait. Pure, so that its test needs no sleep; seconds of the monotonic clock, which no NTP moves."""

from __future__ import annotations

LONGEST_S = 600.0


def back_off_s(attempts: int, jitter: float, longest_s: float = LONGEST_S) -> float:
    """After so many failures in a row (from 1): 2 s, doubled each time, at most `longest_s`; `jitter` 0..1 takes up to a half off.

    So that many devices do not all come back in the same second.
    """
    return min(2.0 ** min(max(attempts, 0), 32), longest_s) * (1.0 - 0.5 * min(max(jitter, 0.0), 1.0))
