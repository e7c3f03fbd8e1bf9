"""Cameras that stall, hang, freeze and send garbage; what the pump makes of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.camera.checkup import GARBAGE_S, Checkup, Patience, is_picture
from edge.camera.pump import MOST_HUNG, Pump
from edge.camera.settings import CameraConfig
from edge.records import Frame
from edge.slot import Slot
from tests.builders import a_frame
from tests.fakes import FakeCamera, FakeClock

NOISE = np.random.default_rng(3)
PATIENCE = Patience(stall_s=8.0, freeze_s=10.0, live=True)


def noisy(at: float = 0.0) -> Frame:
    """No two are alike."""
    luma = a_frame().luma + NOISE.integers(0, 3, (360, 640), dtype=np.uint8)
    return Frame(luma, at)


def flat(level: int, at: float = 0.0) -> Frame:
    return Frame(np.full((360, 640), level, np.uint8), at)


class Timed(FakeCamera):
    """Live: each frame comes `every_s` of the fake clock after the last."""

    def __init__(self, lives: list[list[Frame]], clock: FakeClock, every_s: float = 0.5) -> None:
        super().__init__(lives, waits=False)
        self._clock, self._every_s = clock, every_s

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            self._clock.advance(self._every_s)
            yield frame


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.camera.pump.back_off_s", lambda attempts: 0.0)


def pumped(lives: list[list[Frame]], patience: Patience = PATIENCE, every_s: float = 0.5) -> Pump:
    clock = FakeClock()
    pump = Pump(Timed(lives, clock, every_s), Slot[Frame](), threading.Event(), patience, clock)
    pump.run()
    return pump


def test_a_frozen_picture_is_noticed_and_the_camera_opened_again() -> None:
    """The same picture for ten seconds is a loss; what comes after is counted as one reopening."""
    still = noisy()
    pump = pumped([[noisy(), *[still] * 60], [noisy(), noisy()]])
    assert (pump.losses, pump.reopened, pump.lost) == ({"frozen": 1}, 1, None)
    assert 20 <= pump.frames <= 25
    assert pump.as_json()["losses"] == {"frozen": 1}


def test_a_camera_that_comes_back_frozen_is_still_frozen() -> None:
    """The same picture after the reopening is nothing new: it is no return, and would feed no watchdog."""
    still = noisy()
    pump = pumped([[still] * 60, [still] * 60, [still] * 3])
    assert (pump.losses["frozen"], pump.reopened, pump.fresh) == (2, 0, 1)
    assert "has sent the same picture for 10 s; trying again" in str(pump.lost)


def test_a_source_without_noise_may_stand_still() -> None:
    """Allowed by the config; and a picture or a recording always may."""
    still = noisy()
    for patience in (Patience(stall_s=8.0, freeze_s=0.0, live=True), Patience.of(CameraConfig(kind="files"))):
        pump = pumped([[still] * 100], patience)
        assert (pump.losses, pump.frames, pump.fresh) == ({}, 100, 100)


def test_green_and_grey_frames_are_kept_from_the_detector_and_end_the_stream() -> None:
    """A moment of them, as at the start of a stream, is skipped; seconds of them are a loss."""
    pump = pumped([[flat(128), flat(79), noisy(), noisy()]])
    assert (pump.losses, pump.frames, pump.camera.skipped) == ({}, 2, 2)
    pump = pumped([[noisy(), *[flat(128)] * 60], [noisy()]])
    assert (pump.losses, pump.frames, pump.reopened) == ({"garbage": 1}, 2, 1)
    assert pump.camera.skipped <= GARBAGE_S / 0.5 + 1


def test_another_size_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """It came back with other pictures: plates are so much larger or smaller now. A folder of pictures is nobody's camera, and the same size is no other."""
    small = [Frame(noisy().luma[:180, :320], 0.0) for _ in range(3)]
    pump = pumped([[noisy()], [noisy()], small, [noisy()]])
    assert (pump.resized, pump.as_json()["resized"]) == (2, 2)
    assert caplog.text.count("its pictures are 320x180 now; they were 640x360") == 1
    pump = pumped([[noisy(), *small]], Patience.of(CameraConfig(kind="files")))
    assert (pump.resized, "resized" in pump.as_json(), pump.width) == (0, False, 320)


def test_the_night_is_no_garbage() -> None:
    """Black, with a little noise: every frame is taken."""
    night = [Frame(NOISE.integers(10, 14, (360, 640), dtype=np.uint8), 0.0) for _ in range(50)]
    assert pumped([night]).frames == 50


def test_a_picture_cut_short_is_none() -> None:
    """Its lower quarter is the grey or green of what did not arrive; a white wall or a black street there is one."""
    for level, good in ((128, False), (79, False), (255, True), (16, True), (100, True)):
        luma = noisy().luma.copy()
        luma[250:] = level
        assert is_picture(luma) is good


@given(arrays(np.uint8, st.tuples(st.integers(1, 120), st.integers(1, 160))))
def test_any_picture_can_be_checked(luma: np.ndarray) -> None:
    """And the same one twice is not fresh."""
    checkup = Checkup(PATIENCE)
    assert checkup.look(luma, 0.0).fresh
    assert not checkup.look(luma.copy(), 0.1).fresh
    assert checkup.look(luma ^ 1, 0.2).fresh


def test_a_slow_rate_is_no_stall() -> None:
    """A frame every ten seconds, as the config wants it."""
    assert Patience.of(CameraConfig(fps_limit=0.1)).stall_s == pytest.approx(30)
    assert Patience.of(CameraConfig()).stall_s == 8.0
    assert Patience.of(CameraConfig(stall_s=0, fps_limit=0.1)).stall_s == 0.0


class Hanging:
    """A camera whose driver hangs in native code: nothing wakes it but `wake`. Each `again` is another one of the same family."""

    kind, waits = "hanging", False

    def __init__(self, family: list[Hanging], behaves: Callable[[int], str]) -> None:
        self.name, self.skipped = "gate", 0
        self._family, self._behaves, self._number = family, behaves, len(family)
        self.wake, self.closed = threading.Event(), False
        family.append(self)

    def again(self) -> Hanging:
        return Hanging(self._family, self._behaves)

    def __enter__(self) -> Self:
        if self._behaves(self._number) == "hangs when opened":
            self.wake.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def frames(self) -> Iterator[Frame]:
        yield noisy()
        if self._behaves(self._number) == "hangs":
            self.wake.wait(30)
            yield noisy()
        else:
            while True:
                time.sleep(0.002)
                yield noisy()


class Watched:
    """A pump over a family of hanging cameras, on a fake clock, tended by hand."""

    def __init__(self, behaves: Callable[[int], str]) -> None:
        self.family: list[Hanging] = []
        self.released: list[Frame] = []
        self.clock, self.stop = FakeClock(), threading.Event()
        self.threads_before = threading.active_count()
        self.pump = Pump(Hanging(self.family, behaves), Slot[Frame](), self.stop, PATIENCE, self.clock)
        self.pump.start()

    def until(self, so: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + 10
        while not so():
            assert time.monotonic() < give_up_at, "it never came to that"
            time.sleep(0.002)

    def end(self) -> None:
        self.stop.set()
        for one in self.family:
            one.wake.set()
        self.until(lambda: threading.active_count() <= self.threads_before)


def test_a_driver_that_hangs_is_left_behind() -> None:
    """Eight seconds without a frame: another thread with a fresh camera takes over, the stall is counted, and nothing waits for the old one."""
    watched = Watched(lambda number: "hangs" if number == 0 else "works")
    watched.until(lambda: watched.pump.frames == 1)
    watched.clock.advance(7.9)
    watched.pump.tend()
    assert len(watched.family) == 1
    watched.clock.advance(0.2)
    watched.pump.tend()
    watched.until(lambda: watched.pump.frames > 3)
    assert (watched.pump.losses, watched.pump.reopened, watched.pump.lost) == ({"stalled": 1}, 1, None)
    watched.family[0].wake.set()  # the driver comes back after all: it is closed by its own thread, and its frame is thrown away
    watched.until(lambda: watched.family[0].closed)
    assert not watched.pump._slot.closed
    watched.end()


def test_an_opening_that_hangs_is_left_behind_too() -> None:
    """It has twenty seconds."""
    watched = Watched(lambda number: "hangs when opened" if number == 0 else "works")
    watched.until(lambda: watched.pump._shift.stage == "opening")
    watched.clock.advance(19)
    watched.pump.tend()
    assert len(watched.family) == 1
    watched.clock.advance(2)
    watched.pump.tend()
    watched.until(lambda: watched.pump.frames > 3)
    assert watched.pump.losses == {"stalled": 1}
    watched.end()


def test_there_is_a_bound_on_what_hangs() -> None:
    """After some no more threads are begun, and the status says why; when the driver comes back, so does the camera."""
    broken = threading.Event()
    broken.set()
    watched = Watched(lambda number: "hangs" if broken.is_set() else "works")
    for wanted in [*range(1, MOST_HUNG + 2), MOST_HUNG + 1, MOST_HUNG + 1]:
        watched.until(lambda wanted=wanted: watched.pump.frames >= wanted)  # type: ignore[misc]
        watched.clock.advance(9)
        watched.pump.tend()
    assert len(watched.family) == MOST_HUNG + 1
    assert "its driver hangs, 4 times over" in str(watched.pump.lost)
    assert watched.pump.losses == {"stalled": MOST_HUNG + 1}
    broken.clear()
    for one in watched.family:
        one.wake.set()
    watched.until(lambda: all(one.closed for one in watched.family[: MOST_HUNG + 1]))
    watched.until(lambda: sum(shift.thread is not None and shift.thread.is_alive() for shift in watched.pump._hung) == 0)
    watched.pump.tend()
    watched.until(lambda: watched.pump.lost is None)
    watched.end()


def test_what_a_lost_camera_says_is_told_by_its_kind() -> None:
    """Not opened, gone, and back."""
    pump = pumped([[noisy()], [], [noisy()]])
    assert (pump.losses, pump.reopened, pump.frames) == ({"gone": 1, "not opened": 1}, 1, 2)


def test_a_camera_that_is_long_gone_does_not_fill_the_journal(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred attempts: the first six are told of, then every fortieth."""
    pump = pumped([[noisy()], *[[]] * 99, [noisy()]])
    assert pump.losses == {"gone": 1, "not opened": 99}
    assert sum(record.levelname == "WARNING" for record in caplog.records) == 8


def test_what_is_dropped_is_released() -> None:
    """The camera's memory goes back to it, whoever did not want the frame."""
    released: list[int] = []
    frames = [Frame(noisy().luma, 0.0, index=number, let_go=lambda number=number: released.append(number)) for number in range(5)]  # type: ignore[misc]
    slot = Slot[Frame](Frame.release)
    Pump(FakeCamera([frames], waits=False), slot, threading.Event()).run()
    assert released == [0, 1, 2, 3]
    garbage = [Frame(flat(128).luma, 0.0, index=number, let_go=lambda number=number: released.append(number)) for number in (7, 8)]  # type: ignore[misc]
    Pump(FakeCamera([garbage], waits=False), slot, threading.Event(), PATIENCE).run()
    assert released[4:] == [7, 8]
