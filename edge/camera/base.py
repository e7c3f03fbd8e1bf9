"""What every camera promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self

from edge.records import Frame


class Camera(Protocol):
    """Entering opens the device and leaving lets it go; a camera can be entered again after it was lost.

    Both `__enter__` and `frames` raise CameraLost where opening again may help, and ConfigError where only the owner can help.
    """

    name: str
    kind: str
    skipped: int
    """Pictures passed over because they could not be decoded."""
    waits: bool
    """True when frames should wait for their reader and none be dropped: a recording that is worked through."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def frames(self) -> Iterator[Frame]:
        """Frames in the order they were taken; it ends when the source has no more, which a live camera never does."""
        ...


def back_off_s(attempts: int, *, longest_s: float = 30.0) -> float:
    """How long to wait after so many openings failed in a row (from 1): 0.5 s, doubled each time, at most `longest_s`."""
    return float(min(0.5 * 2.0 ** min(attempts - 1, 30), longest_s)) if attempts > 0 else 0.0
