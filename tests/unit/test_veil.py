"""What may leave the memory, and under which name."""

from __future__ import annotations

import dataclasses
import stat
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError
from edge.keeping.blank import blank
from edge.keeping.pseudonym import device_key, pseudonym
from edge.keeping.settings import PrivacyConfig
from edge.keeping.veil import Veil
from edge.pipeline import Pipeline
from edge.records import Match, Pass, Rule
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Tracker
from tests.builders import a_detection, a_frame, a_read, an_event
from tests.fakes import FakeDetector, FakeReader

KNOWN = Match("family", "allow", "AB12CDE", "Anna")


def known(text: str, at: datetime) -> Match | None:
    return KNOWN if text == "AB12CDE" else None


def test_by_default_nothing_is_hidden() -> None:
    event = an_event()
    assert Veil().events([event]) == [event]
    assert Veil().picture(np.ones((4, 4), np.uint8)).all()


def test_of_strangers_nothing_is_left_in_the_known_only_mode() -> None:
    """Neither event nor text nor picture of the plate; a known one is told as ever."""
    veil = Veil(PrivacyConfig(known_only=True), known=known)
    ours, stranger = an_event("1", match=KNOWN), an_event("2", "ZZ99ZZZ")
    assert veil.events([ours, stranger, an_event("3", "ZZ99ZZZ", preview=True)]) == [ours]
    assert veil.as_json()["hidden"] == 1
    assert [text for _, text, _ in veil.in_view([(ours.quad, "AB12CDE", 0.9), (stranger.quad, "ZZ99ZZZ", 0.9)])] == ["AB12CDE", ""]
    seen = veil.picture(np.full((100, 200), 200, np.uint8), [(stranger.quad, "ZZ99ZZZ", 0.9)])
    assert (seen[30, 50], seen[90, 190]) == (0, 200)
    kept: list[Any] = []
    veil.unread(kept.append)("a picture")  # type: ignore[arg-type]
    assert kept == []


def test_a_pseudonym_leaves_nothing_of_the_text(tmp_path: Path) -> None:
    """In no field of the event, nor in what the gate writes down; what the lists said stays."""
    veil = Veil(PrivacyConfig(pseudonyms=True, key_file=str(tmp_path / "key")), known=known)
    (told,) = veil.events([an_event(match=KNOWN, rule=Rule("LLDDLLL", 0.0, 1.0))])
    other = veil.name("AB12CDF")
    assert "AB12CDE" not in repr(told.as_json())
    assert "LLDD" not in repr(told.as_json())
    assert (told.crop_jpeg, told.match and told.match.label, told.text == other) == (b"", "Anna", False)
    assert told.text == "".join(one.char for one in told.characters) == veil.name("AB12CDE")
    (seen,) = veil.passes([Pass("1", "AB12CDE", 0.9, 3, "approaching", 1.0, KNOWN)])
    assert "AB12CDE" not in repr(dataclasses.asdict(seen))
    assert seen.match is not None
    assert (seen.match.kind, seen.match.due) == ("allow", True)


def test_the_key_is_the_devices_own_and_nobody_elses(tmp_path: Path) -> None:
    """Made once, with mode 0600; one that others may read, or that is none, is refused."""
    path = tmp_path / "sub" / "key"
    key = device_key(path)
    assert (device_key(path), stat.S_IMODE(path.stat().st_mode), len(key)) == (key, 0o600, 32)
    assert device_key(tmp_path / "another") != key
    assert pseudonym(key, "AB12CDE") == pseudonym(key, "AB12CDE") != pseudonym(key, "AB12CDF")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it"):
        device_key(path)
    path.chmod(0o600)
    path.write_text("hello")
    with pytest.raises(ConfigError, match="is no key"):
        device_key(path)


def test_a_stored_crop_shows_nothing_of_what_is_excluded() -> None:
    """The plate counts, its margin reaches into the neighbour's drive; it is read from the whole picture all the same."""
    reader = FakeReader(lambda quad: a_read("AB12CDE"))
    pipeline = Pipeline(FakeDetector([[a_detection()]]), reader, Tracker(1.0), Judge(TrackingConfig()))
    pipeline.excluded = (((0.0, 0.0), (0.155, 0.0), (0.155, 1.0), (0.0, 1.0)),)
    sighting = pipeline._look(a_frame(), a_detection())
    assert sighting.crop is not None
    assert (sighting.crop[:, :16] == 0).all()
    assert (sighting.crop[:, 22:] > 0).any()
    assert (sighting.read.text, sighting.sharpness > 0) == ("AB12CDE", True)


def test_the_frame_of_the_best_look_is_kept_with_its_event_where_that_is_wanted(tmp_path: Path) -> None:
    """One transaction, black where nobody may look, gone with its event; by default there is none."""
    for wanted in (True, False):
        pipeline = Pipeline(FakeDetector([[a_detection()]] * 4), FakeReader(lambda quad: a_read("AB12CDE")), Tracker(1.0), Judge(TrackingConfig()))
        pipeline.frames, pipeline.excluded = wanted, (((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)),)
        for step in range(4):
            pipeline.step(a_frame(step / 10, step))
        (event,) = pipeline.finish(0.4)
        with Store(tmp_path / f"{wanted}.sqlite") as store:
            store.add(event)
            frame = store.frame(event.id)
            assert (frame is not None) == wanted
            if frame is not None:
                seen = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_GRAYSCALE)
                assert (seen.shape, bool((seen[:, 330:] < 10).all()), bool((seen[200:, :300] > 100).all())) == ((360, 640), True, True)
                assert Veil(PrivacyConfig(known_only=True), known=known).events([dataclasses.replace(event, match=KNOWN)])[0].frame_jpeg == b""
                store.delete(event.id)
                assert store.rows("SELECT count(*) FROM frames") == [(0,)]


def test_what_is_excluded_is_black_in_every_cut() -> None:
    """A polygon in shares of the frame, in a crop that begins elsewhere."""
    crop = np.full((40, 40, 3), 200, np.uint8)
    blank(crop, [((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))], origin=(30, 10), size=(100, 100))
    assert (crop[:, 22:] == 0).all()
    assert (crop[:, :17] == 200).all()
