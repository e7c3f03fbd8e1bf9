"""Parts that are exchanged while a daemon runs: what they leave to their successors, and what they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.attention.governor import Governor, Heat, Step
from edge.attention.settings import GovernorConfig
from edge.camera.checkup import Patience
from edge.camera.pump import Pump
from edge.camera.settings import NightConfig
from edge.config import Config
from edge.desk.pause import NAME, Pause
from edge.errors import ConfigError
from edge.gate.duty import Duty
from edge.records import Frame, PlateRead, Sighting
from edge.slot import Slot
from edge.tracking.judge import Judge
from edge.tracking.tracker import Track
from edge.tracking.verdict import conclude
from tests.builders import a_detection, a_frame, a_read, a_sighting
from tests.evidence import read_of, wavering
from tests.fakes import FakeCamera
from tests.pi import Library
from tests.unit.test_camera_pi import BRIGHT, a_pi
from tests.unit.test_gate import Site, a_pass


class Endless(FakeCamera):
    """Live, and it knows whether another one was open at the same time, as one device cannot be."""

    open_now = 0

    def __init__(self, name: str, error: Exception | None = None) -> None:
        super().__init__([[a_frame()]], name=name, waits=False)
        self._error, self.met_another = error, False

    def __enter__(self) -> Any:
        if self._error is not None:
            raise self._error
        self.opened += 1
        Endless.open_now += 1
        self.met_another = Endless.open_now > 1
        return self

    def __exit__(self, *_: object) -> None:
        Endless.open_now -= 1
        self.closed += 1

    def frames(self) -> Iterator[Frame]:
        for number in range(100_000):
            time.sleep(0.002)
            yield Frame(a_frame().luma + (number % 7), float(number), self.name)


def running(camera: Endless) -> tuple[Pump, Slot[Frame], threading.Event]:
    slot, stop = Slot[Frame](), threading.Event()
    pump = Pump(camera, slot, stop, Patience())
    pump.start()
    assert slot.get(5.0) is not None
    return pump, slot, stop


def verdict(pump: Pump) -> str:
    end = time.monotonic() + 10
    while (said := pump.verdict()) is None:
        assert time.monotonic() < end
        pump.tend()
        time.sleep(0.002)
    return said


def test_a_camera_is_closed_before_the_next_is_opened_and_the_counters_go_on() -> None:
    """They may be one device."""
    first, second = Endless("first"), Endless("second")
    pump, slot, stop = running(first)
    before = pump.frames
    pump.exchange(second, Patience(), trial=True)
    assert verdict(pump) == ""
    while (frame := slot.get(5.0)) is not None and frame.camera != "second":
        pass
    assert frame is not None
    assert (first.closed, second.met_another, pump.camera, pump.lost) == (1, False, second, None)
    assert pump.frames > before
    stop.set()
    pump.join(5.0)
    assert (second.closed, slot.closed or slot.get(0) is not None) == (1, True)


def test_one_that_cannot_be_used_is_a_verdict_and_no_end() -> None:
    """The daemon goes on with the one of before."""
    pump, slot, stop = running(Endless("first"))
    pump.exchange(Endless("bad", ConfigError("camera.source: is not there")), Patience(), trial=True)
    assert verdict(pump) == "camera.source: is not there"
    pump.tend()
    assert (pump.failure, slot.closed) == (None, False)
    pump.exchange(Endless("first"), Patience(), trial=False)
    assert verdict(pump) == ""
    assert slot.get(5.0) is not None
    stop.set()
    pump.join(5.0)


def test_a_pi_camera_goes_on_with_other_exposure_and_is_opened_again_for_another_size() -> None:
    """Without a gap in its frames; what the camera does not have is a sentence, and changes nothing."""
    library = Library([BRIGHT] * 6)
    camera = a_pi(library, None, shutter_us=2000)
    before = camera._config
    assert not camera.tune(before, NightConfig())  # not open: there is nobody to tell
    with camera:
        frames = camera.frames()
        next(frames).release()
        wanted = before.model_copy(update={"shutter_us": 1000, "metering": "plate"})
        assert camera.tune(wanted, NightConfig())
        for frame in islice(frames, 2):
            frame.release()
        assert [told["ExposureTime"] for told in library.opened[0].applied[1:]] == [1000]
        assert not camera.tune(wanted.model_copy(update={"width": 640}), NightConfig())
        focused = wanted.model_copy(update={"focus_dioptres": 2.0})
        library.Picamera2.advertised = {name: limits for name, limits in library.Picamera2.advertised.items() if name != "LensPosition"}
        with pytest.raises(ConfigError, match="no motor"):
            camera.tune(focused, NightConfig())
        assert camera._config == wanted
    assert len(library.opened) == 1


def test_what_stood_before_a_gate_when_it_was_exchanged_opens_nothing(tmp_path: Path) -> None:
    """Neither what had opened already nor what was refused for a reason that is no more; the next pass does, after its pause."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, new = Site(tmp_path / "old", min_seconds=50), Site(tmp_path / "new")
    old.sees(a_pass())
    assert old.relay.pulses == []
    old.gate.close()
    new.gate.inherit(old.gate)
    for _ in range(5):
        new.sees(a_pass())
    assert new.relay.pulses == []
    new.sees(a_pass(id="2"))
    assert len(new.relay.pulses) == 1
    new.gate.pass_over(["3"])
    new.clock.advance(1000)
    new.sees(a_pass(id="3"))
    assert len(new.relay.pulses) == 1
    new.gate.close()


def test_a_plate_that_is_not_believed_yet_has_its_pass_too() -> None:
    """Else fewer reads would do for it from the next frame on, and the gate would open by a setting."""
    config = Config().tracking.model_copy(update={"min_reads": 3})
    judge, track = Judge(config, country="none"), Track(1, [a_sighting("AB12CDE", at) for at in (0.0, 0.1)], 0.0, 0.1)
    judge.judge(track, 0.1)
    assert judge.pass_of(track) is None
    (id,) = judge.ids()
    judge.adopt(config.model_copy(update={"min_reads": 2}), camera="camera", country="none", strict=False, crops=True)
    judge.judge(track, 0.1)
    believed = judge.pass_of(track)
    assert believed is not None
    assert believed.id == id


def test_the_relays_minute_outlives_its_gate() -> None:
    old, new = Duty(0.02), Duty(0.02)
    old.take(1.0, 100.0)
    new.go_on(old)
    assert not new.allows(1.0, 110.0)
    assert new.allows(1.0, 170.0)


def test_looks_of_two_readers_with_other_steps_vote_together() -> None:
    """Each look brings its own evidence, by one alphabet; so a track that is under way when the reader is exchanged goes on."""

    def look(read: PlateRead, at: float) -> Sighting:
        return Sighting(a_detection(), read, at, 1.0)

    old = read_of(wavering("AB1", {1: {"8": 0.4}}))
    assert old.logits is not None
    upper, lower = np.split(old.logits, 2)
    blanks = lower[-2:]
    longer = replace(old, logits=np.concatenate([upper, blanks, lower, blanks]))  # 68 steps instead of 64
    mixed, same = (conclude([look(old, 0), look(one, 1)], "none") for one in (longer, old))
    assert (mixed.text, mixed.looks, mixed.agreeing) == ("AB1", 2, 2)
    assert mixed.confidence == pytest.approx(same.confidence, abs=1e-3)
    slots = conclude([look(old, 0), look(a_read("AB1"), 1)], "none")  # one without any
    assert (slots.text, slots.agreeing) == ("AB1", 2)


def test_a_plate_in_view_is_judged_anew_by_other_country_rules() -> None:
    """The verdict on the same vote is else taken over while the looks have not grown by half."""
    config = Config().tracking
    judge = Judge(config, country="none")
    track = Track(1, [a_sighting("AB12CDE", at) for at in (0.0, 0.1, 0.2, 0.3)], 0.0, 0.3)
    judge.judge(track, 0.3)
    assert judge.vote_of(track).country is None
    judge.adopt(config, camera="camera", country="gb", strict=False, crops=True)
    judge.judge(track, 0.3)
    assert judge.vote_of(track).country == "gb"


def test_a_governor_that_is_switched_off_forgets_the_heat() -> None:
    governor = Governor(GovernorConfig(), read=lambda: Heat(90.0))
    for _ in range(3):
        governor.tick()
    assert governor.step.level == 1
    governor.adopt(GovernorConfig(hot_c=60, cool_c=50, enabled=False))
    assert (governor.step, governor.slowness) == (Step(), 1.0)


def test_detection_stays_off_when_the_targets_come_and_go(tmp_path: Path) -> None:
    targets: Any = None
    pause = Pause(tmp_path / "e.sqlite", lambda: targets)
    pause.detect(False)
    targets = SimpleNamespace(detecting=True)
    targets.detect = lambda on: setattr(targets, "detecting", on)
    pause.carry_on(False)
    assert (pause.detecting, (tmp_path / NAME).exists()) == (False, False)
    targets = None
    pause.carry_on(False)
    assert (pause.detecting, (tmp_path / NAME).exists()) == (False, True)
    pause.carry_on(True)
    assert (pause.detecting, (tmp_path / NAME).exists()) == (True, False)
