"""The Raspberry Pi camera, on a fake picamera2 that keeps its rules (tests/pi.py)."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.camera.checkup import Patience
from edge.camera.kinds import KINDS
from edge.camera.metering import PlateMetering
from edge.camera.pi import BUFFERS, PiCamera, luma_plane
from edge.camera.profiles import DayOrNight, controls, lux_of
from edge.camera.pump import Pump
from edge.camera.settings import CameraConfig, NightConfig
from edge.config import Config
from edge.daemon import Daemon
from edge.errors import CameraLost, ConfigError
from edge.pipeline import Pipeline
from edge.records import Box, Frame, Quad
from edge.slot import Slot
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_read
from tests.fakes import FakeClock, FakeReader
from tests.pi import CONTROLS, POISON, Library

BRIGHT = {"Lux": 800.0, "ExposureTime": 2000, "AnalogueGain": 1.5}
DARK = {"Lux": 1.0, "ExposureTime": 4000, "AnalogueGain": 16.0}


def a_pi(library: Library, night: dict[str, Any] | None = None, **keys: Any) -> PiCamera:
    clock = FakeClock()
    config = CameraConfig.model_validate({"kind": "pi", "width": 1100, "height": 620} | keys)
    return PiCamera(config, NightConfig.model_validate(night or {}), clock=clock, sleep=clock.sleep, library=library)


def test_the_luma_plane_is_a_view_that_honours_the_stride() -> None:
    """No byte is copied, and the padding at the end of each row is no pixel."""
    buffer = np.arange(8 * 4 + 8 * 2, dtype=np.uint8)
    plane = luma_plane(buffer, width=6, height=4, stride=8)
    assert plane.tolist() == [[8 * row + column for column in range(6)] for row in range(4)]
    assert np.shares_memory(plane, buffer)


def test_a_short_buffer_is_a_loss_and_no_garbage() -> None:
    with pytest.raises(CameraLost, match="10 bytes"):
        luma_plane(np.zeros(10, np.uint8), width=6, height=4, stride=8)


def test_frames_are_the_cameras_own_memory_until_they_are_released() -> None:
    """Full size, without the padding of the rows; not copied, as what comes after the release shows; and the small plane is ours."""
    library = Library([BRIGHT] * 3)
    with a_pi(library) as camera:
        frames = list(islice(camera.frames(), 3))
        (device,) = library.opened
        assert [(frame.luma.shape, int(frame.luma.max()), frame.colour, frame.index) for frame in frames] == [((620, 1100), n, None, n) for n in range(3)]
        assert [(frame.overview.shape, int(frame.overview.max())) for frame in frames if frame.overview is not None] == [((90, 160), 100 + n) for n in range(3)]
        assert device.held == 3
        frames[1].release()
        frames[1].release()  # once is enough, twice does no harm
        assert device.held == 2
        assert int(frames[1].luma.min()) == POISON
        assert int(frames[0].luma.max()) == 0
        while frames:
            frames.pop().release()
    assert (device.held, device.closed) == (0, True)


def test_a_slow_reader_leaks_no_buffer() -> None:
    """A hundred frames through the slot of which the reader takes every tenth: had one been kept, the six buffers would have run out."""
    library = Library([BRIGHT] * 100)
    slot, camera, taken = Slot[Frame](Frame.release), a_pi(library), []
    with camera:
        for number, frame in enumerate(camera.frames()):
            slot.put(frame)
            if number % 10 == 9 and (newest := slot.get(0)) is not None:
                taken.append(int(newest.luma[5, 5]))
                newest.release()
            if number == 99:
                break
    assert taken == [9, 19, 29, 39, 49, 59, 69, 79, 89, 99]
    assert (slot.dropped, library.opened[0].held) == (90, 0)


def test_whoever_keeps_frames_starves_the_camera() -> None:
    """The fake has only so many buffers, as the real one: this is what a leak would look like."""
    camera, kept = a_pi(Library([BRIGHT] * 100)), list[Frame]()
    with camera:
        frames = camera.frames()
        with pytest.raises(CameraLost, match="no picture"):
            kept.extend(next(frames) for _ in range(100))
        assert len(kept) == BUFFERS
        while kept:
            kept.pop().release()


def test_a_frame_may_outlive_its_camera() -> None:
    """The camera is closed while somebody still looks; the memory stays until the look ends, and releasing is no error."""
    library = Library([BRIGHT])
    with a_pi(library) as camera:
        frame = next(camera.frames())
    assert int(frame.luma.max()) == 0
    frame.release()
    assert library.opened[0].held == 0


def test_a_view_that_is_kept_does_not_keep_the_camera_from_closing(caplog: pytest.LogCaptureFixture) -> None:
    """Released, but somebody still has the array: the map cannot go, which is waited for, said, and no error."""
    library = Library([BRIGHT])
    with a_pi(library) as camera:
        frame = next(camera.frames())
        frame.release()
    assert library.opened[0].closed
    assert int(frame.luma.max()) == POISON
    assert "closed while a frame of it was in use" in caplog.text


def test_losses_are_sentences_and_give_the_buffer_back() -> None:
    """The driver gives up, says nothing, or cannot be opened at all."""
    library = Library([BRIGHT, RuntimeError("Camera frontend has timed out")])
    camera = a_pi(library)
    with camera:
        frames = camera.frames()
        next(frames).release()
        with pytest.raises(CameraLost, match=r"stopped \(Camera frontend has timed out\); check the ribbon"):
            next(frames)
    assert (library.opened[0].held, library.opened[0].closed) == (0, True)
    with pytest.raises(CameraLost, match="cannot be opened"), a_pi(library, source="3"):
        pass
    with pytest.raises(CameraLost, match="is not open"):
        next(a_pi(library).frames())


def test_without_picamera2_the_package_is_named() -> None:
    """The mend is one apt line, and trying again would not help."""
    with pytest.raises(ConfigError, match="apt install python3-picamera2"), KINDS["pi"](CameraConfig(kind="pi"), NightConfig()):
        pass


def test_odd_sizes_and_tiny_ones_are_made_to_fit() -> None:
    """The camera takes only even sizes, and no small plane larger than the picture."""
    for size in ((1101, 621), (64, 64), (100, 66)):
        library = Library([BRIGHT])
        with a_pi(library, width=size[0], height=size[1]) as camera:
            frame = next(camera.frames())
            assert frame.luma.shape == (size[1] // 2 * 2, size[0] // 2 * 2)
            frame.release()
            del frame


def test_what_is_fixed_is_fixed_and_within_the_cameras_range() -> None:
    """The automatic goes off only when shutter and gain are both fixed; 0 gives a control back to it."""
    day = NightConfig()
    free = controls(CameraConfig(shutter_us=0), day, "day", CONTROLS)
    assert (free["AeEnable"], free["ExposureTime"], free["AnalogueGain"], "LensPosition" in free, "FrameDurationLimits" in free) == (True, 0, 0.0, False, False)
    one = controls(CameraConfig(shutter_us=1000, metering="spot"), day, "day", CONTROLS)
    assert (one["AeEnable"], one["ExposureTime"], one["AeMeteringMode"]) == (True, 1000, 1)
    both = controls(CameraConfig(shutter_us=5, gain=40, focus_dioptres=0.5, fps_limit=30), day, "day", CONTROLS)
    assert (both["AeEnable"], both["ExposureTime"], both["AnalogueGain"], both["FrameDurationLimits"]) == (False, 13, 16.0, (33333, 33333))
    assert (both["AfMode"], both["LensPosition"]) == (0, 0.5)


def test_a_camera_without_a_motor_cannot_be_focused() -> None:
    """Said in a sentence; and what the automatic of a simple camera lacks is not asked of it."""
    fixed = {name: limits for name, limits in CONTROLS.items() if name not in ("LensPosition", "AfMode", "Saturation")}
    assert "Saturation" not in controls(CameraConfig(), NightConfig(), "day", fixed)
    with pytest.raises(ConfigError, match="no motor"), a_pi(Library([], without=("LensPosition",)), focus_dioptres=1.0):
        pass


def test_infra_red_is_without_colour_and_focused_elsewhere() -> None:
    night = NightConfig(switch="light", infra_red=True, shutter_us=1500, gain=4, focus_dioptres=0.8)
    dark = controls(CameraConfig(shutter_us=800, focus_dioptres=0.3), night, "infra-red", CONTROLS)
    assert (dark["Saturation"], dark["AwbEnable"], dark["LensPosition"], dark["ExposureTime"], dark["AeEnable"]) == (0.0, False, 0.8, 1500, False)
    keeps = controls(CameraConfig(focus_dioptres=0.3), NightConfig(), "night", CONTROLS)
    assert (keeps["LensPosition"], keeps["AwbEnable"], keeps["ExposureTime"]) == (0.3, True, 4000)


def test_night_falls_by_the_light_and_headlights_make_no_day() -> None:
    """Below 10 lux for 30 s it is night; above 40 for 30 s day again; in between, and for a moment, all stays."""
    eye = DayOrNight(NightConfig(switch="light"))
    story = [(0, 800), (10, 5), (39, 5), (40, 5), (50, 20), (60, 300), (65, 5), (70, 300), (99, 300), (100, 300)]
    assert [eye.after({"Lux": lux}, now) for now, lux in story] == ["day", "day", "day", "night", "night", "night", "night", "night", "night", "day"]


def test_night_falls_by_the_sun() -> None:
    """Midnight and noon on a winter's day in London; infra-red where there is a lamp."""
    now = [datetime(2026, 12, 21, 0, tzinfo=UTC)]
    eye = DayOrNight(NightConfig(switch="sun", latitude=51.5, longitude=-0.1, infra_red=True), wall=lambda: now[0])
    assert eye.after({}, 0.0) == "infra-red"
    now[0] = now[0].replace(hour=12)
    assert eye.after({}, 1.0) == "day"


def test_light_is_told_by_the_camera_or_guessed_from_its_exposure() -> None:
    assert lux_of({"Lux": 12.5, "ExposureTime": 1}) == 12.5
    assert lux_of({"ExposureTime": 33_333, "AnalogueGain": 8.0}) == 50.0
    assert lux_of({"ExposureTime": 2000, "AnalogueGain": 1.0}) > 1000  # type: ignore[operator]
    assert lux_of({}) is None


def test_the_camera_is_told_of_the_night_while_it_runs() -> None:
    """With the night's shutter, once, and the status says which profile holds."""
    library = Library([BRIGHT, *[DARK] * 5])
    camera = a_pi(library, {"switch": "light", "hold_s": 1, "shutter_us": 3000})
    with camera:
        for frame in islice(camera.frames(), 5):
            frame.release()
            camera._clock.advance(1.0)  # type: ignore[attr-defined]
    later = library.opened[0].applied[1:]
    assert [(told["ExposureTime"], told["AeEnable"]) for told in later] == [(3000, True)]
    assert camera.state() == {"profile": "night"}


PLATE = Quad.from_box(Box(10, 10, 60, 25))


def picture(level: int) -> np.ndarray:
    luma = np.full((100, 100), 60, np.uint8)
    luma[8:28, 8:64] = level
    return luma


def test_plates_are_metered_between_too_dark_and_burnt_out() -> None:
    """A burnt-out plate is made darker a third at a time, a dark one brighter; a good one is left alone; nothing goes beyond its bounds."""
    eye = PlateMetering()
    assert eye.after(picture(255), [PLATE], 0.0) == pytest.approx(-1 / 3)
    assert eye.after(picture(255), [PLATE], 0.1) == pytest.approx(-1 / 3)  # the camera needs its time
    assert eye.after(picture(255), [PLATE], 1.0) == pytest.approx(-2 / 3)
    assert eye.after(picture(180), [PLATE], 2.0) == pytest.approx(-2 / 3)
    for step in range(40):
        eye.after(picture(255), [PLATE], 3.0 + step)
    assert eye.ev == -3.0
    for step in range(40):
        eye.after(picture(30), [PLATE], 50.0 + step)
    assert eye.ev == 2.0
    assert eye.after(picture(30), [], 100.0) == 2.0
    assert eye.after(picture(30), [], 200.0) == 0.0


def test_plates_set_the_exposure_only_where_the_config_says_so() -> None:
    for metering, told in (("plate", [-1 / 3]), ("matrix", [])):
        library = Library([BRIGHT] * 4)
        camera = a_pi(library, metering=metering)
        with camera:
            for frame in islice(camera.frames(), 3):
                camera.heed(picture(255), [PLATE])
                frame.release()
        assert [round(one["ExposureValue"], 6) for one in library.opened[0].applied if "ExposureValue" in one] == [round(ev, 6) for ev in told]


def test_the_pump_gives_every_buffer_back() -> None:
    """Frozen frames, a loss, a reopening and the end: two cameras were opened, and both have all their buffers."""
    library, stop = Library([*[BRIGHT] * 8, RuntimeError("gone"), *[BRIGHT] * 8]), threading.Event()
    camera = a_pi(library)
    slot = Slot[Frame](Frame.release)
    pump = Pump(camera, slot, stop, Patience(stall_s=0, freeze_s=0))

    def count(frame: Frame) -> None:
        frame.release()
        if pump.frames >= 15:
            stop.set()

    slot._on_drop = count
    pump.run()
    if (left := slot.get(0)) is not None:
        left.release()
    assert [device.held for device in library.opened] == [0, 0]
    assert (pump.losses, pump.reopened) == ({"gone": 1}, 1)


def test_the_daemon_gives_every_buffer_back(tmp_path: Path) -> None:
    """Worked frames, dropped ones, a loss in between, and the stop: both cameras have all their buffers, and no frame was looked at after its release."""
    library = Library([*[BRIGHT] * 30, RuntimeError("gone"), *[BRIGHT] * 30])
    config = Config.model_validate(
        {
            "camera": {"kind": "pi", "width": 320, "height": 240, "freeze_s": 0, "stall_s": 0},
            "runtime": {"directory": str(tmp_path / "run")},
            "store": {"path": str(tmp_path / "events.sqlite"), "keep_at_least_mb_free": 0},
        }
    )
    seen: list[int] = []

    class Detector:
        def detect(self, luma: np.ndarray) -> list[Any]:
            seen.append(int(luma.max()))
            if len(library.opened) == 2 and library.opened[1].captured == 30:
                daemon.stop()
            return []

    pipeline = Pipeline(Detector(), FakeReader(lambda quad: a_read("")), Tracker(1.0), Judge(config.tracking))
    camera = PiCamera(config.camera, clock=time.monotonic, sleep=lambda seconds: time.sleep(0.01), library=library)
    daemon = Daemon(config, camera, pipeline, Store(config.store.path))
    assert daemon.run() == 0
    assert [device.held for device in library.opened] == [0] * len(library.opened)
    assert POISON not in seen
    assert max(seen) <= 30
