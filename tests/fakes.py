"""Stand-ins that keep the contracts of the real ones, at the lowest seams: the camera, the two networks, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from edge.errors import CameraLost
from edge.records import Detection, Frame, Luma, PlateRead, Quad


class FakeClock:
    """Monotonic seconds and a wall that goes with them; it moves only when told, or by `sleep`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.wall_start = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
        self._start = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    sleep = advance

    def wall(self) -> datetime:
        return self.wall_start + timedelta(seconds=self.now - self._start)


class FakeDetector:
    """Finds in its n-th frame what `script` says, and nothing when the script is over. Like the real one it wants a (H, W) frame."""

    def __init__(self, script: Iterable[Sequence[Detection]]) -> None:
        self._script = iter(script)

    def detect(self, luma: Luma) -> list[Detection]:
        assert luma.ndim == 2
        assert luma.dtype.name == "uint8"
        return list(next(self._script, ()))


class FakeReader:
    """Reads whatever `says` makes of a quad, and counts how often it was asked."""

    def __init__(self, says: Callable[[Quad], PlateRead]) -> None:
        self._says, self.asked = says, 0

    def read(self, luma: Luma, quad: Quad, lines: int) -> PlateRead:
        assert luma.ndim == 2
        assert lines in (1, 2)
        self.asked += 1
        return self._says(quad)


class FakeCamera:
    """Plays each of `lives` in turn, one for each time it is opened. After all but the last it is lost; an empty life cannot be opened."""

    kind = "fake"
    skipped = 0

    def __init__(self, lives: Sequence[Iterable[Frame]], *, name: str = "camera", waits: bool = True) -> None:
        self.name, self.waits = name, waits
        self._lives = list(lives)
        self.opened = self.closed = 0

    def __enter__(self) -> Self:
        self.opened += 1
        if not self._lives[self.opened - 1]:
            raise CameraLost("the fake cannot be opened")
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1

    def again(self) -> Self:
        return self

    def frames(self) -> Iterator[Frame]:
        yield from self._lives[self.opened - 1]
        if self.opened < len(self._lives):
            raise CameraLost("the fake was unplugged")
