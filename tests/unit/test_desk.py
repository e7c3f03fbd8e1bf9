"""The setup aid's figures and the camera's knobs."""

from __future__ import annotations

import base64
import math
import struct
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.camera.files import FilesCamera
from edge.camera.knobs import Adjustable, Knob, checked
from edge.camera.opencv import OpenCvCamera
from edge.camera.pi import PiCamera
from edge.camera.settings import CameraConfig
from edge.camera.v4l2 import ABOUT, BY_HAND, CONTROLS, GET, QUERY, VALUE, Controls
from edge.desk.aid import Aid, cells, exposure, figures, size, tilt_deg
from edge.desk.trial import Trial
from edge.errors import ConfigError
from edge.records import Box, Detection, Quad, Sighting
from edge.tracking.tracker import Track
from tests.builders import a_frame, a_read
from tests.fakes import FakeClock
from tests.pi import Library

SEEN = {"Lux": 800.0, "ExposureTime": 2000, "AnalogueGain": 1.5, "LensPosition": 2.5, "FrameDuration": 33333}


def a_track(quad: Quad, text: str = "AB12CDE") -> Track:
    return Track(1, [Sighting(Detection(quad, quad.box, 0.9), a_read(text), 0.0)], 0.0, 0.0)


def test_sizes_and_tilt_are_the_plates_own() -> None:
    """A plate of 200 by 40 px that goes down to the right by 10 degrees."""
    along, down = np.array([math.cos(math.radians(10)), math.sin(math.radians(10))]), np.array([-math.sin(math.radians(10)), math.cos(math.radians(10))])
    quad = Quad.from_array([np.array([50, 50]) + 200 * x * along + 40 * y * down for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
    assert size(quad) == (pytest.approx(200), pytest.approx(40))
    assert tilt_deg(quad) == pytest.approx(10)


def test_characters_are_measured_where_they_are_written() -> None:
    luma = np.full((200, 400), 235, np.uint8)
    cv2.putText(luma, "AB12CDE", (62, 118), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 10, 4)  # capitals of about 34 px
    told = figures(luma, a_track(Quad.from_box(Box(50, 70, 290, 132))))
    assert told["character_width_px"] == pytest.approx(240 / 7, abs=0.1)
    assert 28 < told["character_height_px"] < 44
    assert told["contrast"] > 150
    assert (told["burnt_out"], told["score"], told["lines"]) == (0.0, 0.9, 1)
    burnt = figures(np.full((200, 400), 255, np.uint8), a_track(Quad.from_box(Box(50, 70, 290, 132)), ""))
    assert (burnt["burnt_out"], burnt["contrast"], burnt["character_width_px"]) == (1.0, 0.0, None)


def test_a_blurred_picture_is_less_sharp() -> None:
    sharp = np.kron(np.indices((60, 80)).sum(axis=0) % 2, np.ones((8, 8))).astype(np.uint8) * 200
    assert exposure(np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3), np.uint8))["sharpness"] < 0.5 * exposure(sharp)["sharpness"]


def test_the_motion_mask_comes_through_whole() -> None:
    moving = np.random.default_rng(1).random((18, 32)) > 0.5
    told = cells(moving)
    bits = np.unpackbits(np.frombuffer(base64.b64decode(told["bits"]), np.uint8))[: 18 * 32]
    assert (bits.reshape(told["rows"], told["columns"]).astype(bool) == moving).all()


def test_the_aid_works_only_while_it_is_asked_for() -> None:
    clock, asked = FakeClock(), list[int]()
    aid = Aid(lambda shown: [(quad, "hidden", sure) for quad, _, sure in shown], lambda: (asked.append(1), {"motion": 1})[1], clock)
    track = a_track(Quad.from_box(Box(100, 100, 220, 130)))
    shown = [(track.last.detection.quad, "AB12CDE", 0.8)]
    assert aid.tend(a_frame(), [track], shown) is None
    aid.ask(2.0)
    told = aid.tend(a_frame(), [track], shown)
    assert told is not None
    assert (told["plates"][0]["text"], told["plates"][0]["width_px"], told["seconds_left"]) == ("hidden", 120.0, 2.0)
    clock.advance(0.1)
    aid.tend(a_frame(), [track], shown)
    assert len(asked) == 1  # not at every frame
    clock.advance(2.0)
    assert aid.tend(a_frame(), [track], shown) is None


def a_pi(library: Library, **keys: Any) -> PiCamera:
    clock = FakeClock()
    config = CameraConfig.model_validate({"kind": "pi", "width": 1100, "height": 620} | keys)
    return PiCamera(config, clock=clock, sleep=clock.sleep, library=library)


def test_a_pi_camera_is_tried_and_goes_back_to_its_config() -> None:
    """In its own thread, with its next frame; what the config says nothing of goes back to what it was."""
    library, clock = Library([SEEN] * 8), FakeClock()
    camera = a_pi(library)
    trial = Trial(lambda: camera, clock)
    with camera:
        frames = camera.frames()
        next(frames).release()
        told = trial.ask({}, 5)
        assert told.more is not None
        knobs = {knob["name"]: knob for knob in told.more["controls"]}
        assert set(knobs) == {"exposure_us", "gain", "focus_dioptres", "ev", "fps"}
        assert (knobs["gain"]["most"], knobs["gain"]["now"], knobs["gain"]["key"], knobs["fps"]["now"]) == (16.0, 1.5, "gain", 30.0)
        assert trial.ask({"exposure_us": 500, "gain": 8, "focus_dioptres": 4, "fps": 10}, 5).ok
        for frame in islice(frames, 1):
            frame.release()
        (device,) = library.opened
        applied = device.applied[-1]
        assert (applied["ExposureTime"], applied["AnalogueGain"], applied["LensPosition"], applied["AfMode"]) == (500, 8.0, 4.0, 0)
        assert (applied["FrameDurationLimits"], applied["AeEnable"]) == ((100000, 100000), False)
        clock.advance(4)
        trial.tend()
        next(frames).release()
        assert device.applied[-1] is applied
        clock.advance(2)
        trial.tend()
        next(frames).release()
        back = device.applied[-1]
        assert (back["ExposureTime"], back["AnalogueGain"], back["LensPosition"], back["FrameDurationLimits"]) == (2000, 0.0, 2.5, (33333, 33333))
        assert trial.values == {}


@pytest.mark.parametrize(
    ("values", "said"), [({"gain": 99}, "takes 1.1228 to 16"), ({"zoom": 1}, "has no 'zoom'"), ({"gain": "high"}, "takes"), ({"gain": True}, "takes")]
)
def test_values_outside_the_cameras_limits_are_refused(values: dict[str, Any], said: str) -> None:
    library = Library([SEEN] * 2)
    camera = a_pi(library)
    with camera:
        next(camera.frames()).release()
        answer = Trial(lambda: camera, FakeClock()).ask(values, 5)
    assert not answer.ok
    assert said in answer.sentence


def test_cameras_that_cannot_say_so_in_words(tmp_path: Path) -> None:
    recording = FilesCamera(CameraConfig(kind="files", source=str(tmp_path)))
    assert not isinstance(recording, Adjustable)
    assert "a recording has neither" in Trial(lambda: recording, FakeClock()).ask({}, 5).sentence
    stream = OpenCvCamera(CameraConfig(kind="opencv", source="rtsp://10.0.0.7/main"))
    assert isinstance(stream, Adjustable)
    assert "is an IP camera" in Trial(lambda: stream, FakeClock()).ask({}, 5).sentence
    gone = OpenCvCamera(CameraConfig(kind="opencv", source=str(tmp_path / "video9")))
    assert "cannot be asked for its controls" in Trial(lambda: gone, FakeClock()).ask({}, 5).sentence
    closed = a_pi(Library([]))
    assert "is not open" in Trial(lambda: closed, FakeClock()).ask({}, 5).sentence


class FakeKernel:
    """Video4Linux' rules for controls: a number has its limits, and is out of reach while its automatic is on."""

    def __init__(self) -> None:
        self.values = {CONTROLS["exposure_us"][0]: 156, CONTROLS["gain"][0]: 20, BY_HAND["exposure_us"][0]: 3}
        self.limits = {CONTROLS["exposure_us"][0]: (1, 5000), CONTROLS["gain"][0]: (0, 100), BY_HAND["exposure_us"][0]: (0, 3)}

    def __call__(self, file: int, request: int, room: bytearray) -> None:
        number = struct.unpack_from("=I", room)[0]
        if number not in self.values:
            raise OSError(22, "Invalid argument")
        if request == QUERY:
            room[:] = ABOUT.pack(number, 1, b"x", *self.limits[number], 1, 0, 0, 0, 0)
        elif request == GET:
            room[:] = VALUE.pack(number, self.values[number])
        else:
            value = VALUE.unpack(room)[1]
            assert self.limits[number][0] <= value <= self.limits[number][1]
            assert number != CONTROLS["exposure_us"][0] or self.values[BY_HAND["exposure_us"][0]] == 1
            self.values[number] = value


def test_a_usb_camera_is_set_by_the_kernel_and_given_back(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    kernel = FakeKernel()
    before = dict(kernel.values)
    controls = Controls(str(tmp_path / "video0"), kernel)
    assert controls.knobs() == [Knob("exposure_us", "µs", 100.0, 500_000.0, 15_600.0), Knob("gain", "", 0.0, 100.0, 20.0)]
    assert ABOUT.size == 68
    controls.set({"exposure_us": 2000.0, "gain": 50.0})
    assert kernel.values == {CONTROLS["exposure_us"][0]: 20, CONTROLS["gain"][0]: 50, BY_HAND["exposure_us"][0]: 1}
    controls.set({"exposure_us": 4000.0})
    assert kernel.values[CONTROLS["gain"][0]] == 20
    controls.restore()
    assert kernel.values == before
    kernel.values.clear()
    with pytest.raises(ConfigError, match="offers neither"):
        controls.knobs()


def test_0_is_a_word_of_its_own_where_the_camera_has_an_automatic() -> None:
    assert checked({"gain": 0}, [Knob("gain", "", 1.0, 16.0, None, "gain", "automatic")]) == {"gain": 0.0}
    with pytest.raises(ConfigError, match="takes 1 to 16"):
        checked({"gain": 0}, [Knob("gain", "", 1.0, 16.0)])
