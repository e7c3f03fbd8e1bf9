"""What every camera promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self, runtime_checkable

from edge.errors import CameraLost
from edge.records import Frame, Luma, Quad

if TYPE_CHECKING:
    from edge.camera.pool import Pool
    from edge.camera.settings import CameraConfig, NightConfig

Why = Literal["not opened", "gone", "stalled", "frozen", "garbage"]
"""Why a camera was lost: it could not be opened, it ended or disappeared, it fell silent, it repeated itself, its pictures were none."""


class Lost(CameraLost):
    """A loss whose kind is known."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


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

    def again(self) -> Self:
        """A fresh one with the same settings, not yet open, to use instead of this one, which hangs in its driver and cannot be closed."""
        ...


@runtime_checkable
class Heedful(Protocol):
    """A camera that sets its exposure by what was found in its pictures, or tells more of its state."""

    def heed(self, luma: Luma, quads: Sequence[Quad]) -> None:
        """The plates in a frame that it took; called from another thread than its own."""
        ...

    def state(self) -> dict[str, object]:
        """For the status."""
        ...


@runtime_checkable
class Pooled(Protocol):
    """A camera whose frames are decoded into memory of its own, used again."""

    pool: Pool


@runtime_checkable
class Tunable(Protocol):
    """A camera that can go on by other settings without being opened again."""

    def tune(self, config: CameraConfig, night: NightConfig) -> bool:
        """False where these need it opened again. Raises ConfigError where the camera does not have what they ask for; nothing has changed then."""
        ...


def back_off_s(attempts: int, *, longest_s: float = 15.0) -> float:
    """How long to wait after so many openings failed in a row (from 1): 0.5 s, doubled each time, at most `longest_s`."""
    return float(min(0.5 * 2.0 ** min(attempts - 1, 30), longest_s)) if attempts > 0 else 0.0
