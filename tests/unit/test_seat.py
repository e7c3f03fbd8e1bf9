"""A network that takes another's place is on trial."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.model.bundle import Bundle
from edge.model.seat import MISSES, PROOFS, TRIAL_LOOKS, DetectorSeat, ReaderSeat
from edge.records import Detection, Luma, PlateRead
from tests.builders import a_detection, a_read

LUMA: Luma = np.zeros((360, 640), np.uint8)
QUAD = a_detection().quad
NOTHING = PlateRead("", 0.0, ())


def bundle(name: str, read: Callable[[], PlateRead] | None = None, detect: Callable[[], list[Detection]] | None = None) -> Bundle:
    network: Any = SimpleNamespace(read=lambda luma, quad, lines: read() if read else NOTHING, detect=lambda luma: detect() if detect else [])
    return Bundle(SimpleNamespace(name=name, sha256=name), name.encode(), network)  # type: ignore[arg-type]


def fails() -> PlateRead:
    raise RuntimeError("no such tensor")


def test_one_that_fails_at_work_is_gone_before_the_frame_is_lost() -> None:
    """The frame at which it fails is read by the one of before."""
    seat = ReaderSeat(bundle("old", lambda: a_read("AB12CDE")))
    seat.take(bundle("new", fails))
    assert seat.read(LUMA, QUAD, 1).text == "AB12CDE"
    told = seat.as_json()
    assert (told["name"], told["previous"], told["rolled_back"]) == ("old", None, 1)
    assert told["refused"] == "the reader new (new) failed at work (RuntimeError: no such tensor); old is in use again"


def test_a_failure_after_the_trial_is_nobody_elses() -> None:
    seat = ReaderSeat(bundle("old", fails))
    with pytest.raises(RuntimeError):
        seat.read(LUMA, QUAD, 1)


def test_one_that_reads_nothing_where_the_old_one_did_is_rolled_back_and_loses_no_plate_meanwhile() -> None:
    seat = ReaderSeat(bundle("old", lambda: a_read("AB12CDE")))
    seat.take(bundle("new", lambda: NOTHING))
    assert [seat.read(LUMA, QUAD, 1).text for _ in range(MISSES + 1)] == ["AB12CDE"] * (MISSES + 1)
    assert (seat.bundle.manifest.name, seat.before, seat.rolled_back) == ("old", None, 1)
    assert f"read nothing at {MISSES} of {MISSES} looks" in seat.refused


def test_one_that_reads_keeps_its_seat_and_the_old_one_leaves_the_memory() -> None:
    """With fewer misses than reads, and after enough of these."""
    seat, turns = ReaderSeat(bundle("old", lambda: a_read("AB12CDE"))), iter(range(1000))
    seat.take(bundle("new", lambda: NOTHING if next(turns) % 3 == 2 else a_read("XY")))
    for _ in range(PROOFS):
        assert seat.before is not None
        seat.read(LUMA, QUAD, 1)
    while seat.before is not None:
        seat.read(LUMA, QUAD, 1)
    assert (seat.bundle.manifest.name, seat.refused, seat.rolled_back, seat.switched) == ("new", "", 0, 1)
    assert next(turns) < 2 * PROOFS


def test_where_nothing_is_legible_to_either_the_trial_ends_in_time() -> None:
    """An empty street proves nothing, and two networks are twice the memory."""
    seat = ReaderSeat(bundle("old"))
    seat.take(bundle("new"))
    for _ in range(TRIAL_LOOKS):
        assert seat.before is not None
        seat.read(LUMA, QUAD, 1)
    assert (seat.before, seat.bundle.manifest.name) == (None, "new")


def test_a_detector_is_judged_by_the_plates_that_can_be_read() -> None:
    """It may find what it likes; where only the old one finds something legible, that is a miss."""
    reader = ReaderSeat(bundle("reader", lambda: a_read("AB12CDE")))
    blind, seeing = DetectorSeat(bundle("old", detect=lambda: [a_detection()]), reader), DetectorSeat(bundle("old"), reader)
    blind.take(bundle("new"))
    seeing.take(bundle("new", detect=lambda: [a_detection()]))
    for _ in range(PROOFS):
        assert len(blind.detect(LUMA)) == 1
        assert len(seeing.detect(LUMA)) == 1
    assert (blind.bundle.manifest.name, blind.rolled_back) == ("old", 1)
    assert (seeing.bundle.manifest.name, seeing.before, seeing.rolled_back) == ("new", None, 0)


def test_a_newcomer_that_has_not_proven_itself_is_nothing_to_fall_back_on() -> None:
    """Two exchanges in a row: what is left in the end is the one that was there before both."""
    seat = ReaderSeat(bundle("old", lambda: a_read("AB12CDE")))
    seat.take(bundle("new", fails))
    seat.take(bundle("newer", fails))
    assert seat.read(LUMA, QUAD, 1).text == "AB12CDE"
    assert seat.bundle.manifest.name == "old"


def test_other_settings_of_the_same_file_are_no_trial() -> None:
    seat = ReaderSeat(bundle("old"))
    seat.refuse("broken")
    assert (seat.refusals, seat.refused) == (1, "broken; old stays in use")
    seat.take(bundle("old"))
    assert (seat.before, seat.switched, seat.refused) == (None, 0, "")
