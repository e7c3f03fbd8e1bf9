"""Pictures of what could not be read."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from edge.gallery import Gallery, shown
from edge.tracking.reasons import Unread
from edge.tracking.settings import UnreadConfig
from tests.fakes import FakeClock

CROP = np.full((20, 60, 3), 90, np.uint8)


def a_gallery(folder: Path, clock: FakeClock, **keys: object) -> Gallery:
    return Gallery(folder / "unread", UnreadConfig.model_validate(keys), camera="gate", wall=clock.wall)


def test_a_picture_lies_beside_its_reason_and_what_was_measured(tmp_path: Path) -> None:
    clock = FakeClock()
    a_gallery(tmp_path, clock).add(Unread("too small", {"width_px": 21.5, "frames": 4}, CROP))
    (told,) = shown(tmp_path / "unread")
    assert told == {
        "v": 1, "at": "2026-11-22T21:00:00.000+00:00", "camera": "gate", "reason": "too small", "crop": True, "width_px": 21.5, "frames": 4,
        "name": "20261122T210000000000-0000",
    }  # fmt: skip
    picture = cv2.imread(str(tmp_path / "unread" / f"{told['name']}.jpg"))
    assert picture is not None
    assert picture.shape == (20, 60, 3)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    """Each with its picture; within one moment too."""
    clock = FakeClock()
    gallery = a_gallery(tmp_path, clock, keep=3)
    for number in range(8):
        gallery.add(Unread("blurred", {"number": number}, CROP))
    assert [told["number"] for told in shown(tmp_path / "unread")] == [7, 6, 5]
    assert len(list((tmp_path / "unread").iterdir())) == 6


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    clock = FakeClock()
    gallery = a_gallery(tmp_path, clock, hours=1)
    gallery.add(Unread("blurred", {}, CROP))
    clock.advance(3590)
    gallery.tidy()
    assert len(shown(tmp_path / "unread")) == 1
    clock.advance(20)
    gallery.tidy()
    assert list((tmp_path / "unread").iterdir()) == []


def test_none_are_kept_where_none_are_wanted(tmp_path: Path) -> None:
    a_gallery(tmp_path, FakeClock(), keep=0).add(Unread("blurred", {}, CROP))
    assert not (tmp_path / "unread").exists()


def test_without_a_picture_the_reason_stays(tmp_path: Path) -> None:
    a_gallery(tmp_path, FakeClock()).add(Unread("reads disagree", {}, None))
    assert [told["crop"] for told in shown(tmp_path / "unread")] == [False]


def test_a_folder_that_cannot_be_written_is_no_disaster(tmp_path: Path) -> None:
    """An unread plate is not worth the daemon's life."""
    (tmp_path / "unread").write_text("a file where the folder should be")
    a_gallery(tmp_path, FakeClock()).add(Unread("blurred", {}, CROP))
    assert (tmp_path / "unread").read_text() == "a file where the folder should be"


def test_what_is_no_reason_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "20261122T210000000000-0000.json").write_text("{")
    (tmp_path / "20261122T210000000000-0001.json").write_text(json.dumps({"v": 2}))
    assert shown(tmp_path) == []
    assert shown(tmp_path / "none") == []
