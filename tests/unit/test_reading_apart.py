"""Pictures that the page is asked to read: by a process that comes when it is needed, breaks down alone, and goes again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import reading_apart
from edge.errors import ImageError, PlatewatchError
from edge.reading_apart import IDLE_S, MOST_BYTES, ReadingApart
from tests.fakes import FakeClock

CLIPS = Path(__file__).parents[2] / "edge/clips"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "c.toml").write_text("")
    return tmp_path / "c.toml"


@pytest.fixture
def reading(config: Path) -> Iterator[ReadingApart]:
    one = ReadingApart(config)
    yield one
    one.close()


def test_pictures_are_read_and_nothing_of_them_stays(reading: ReadingApart, tmp_path: Path) -> None:
    """Many by one process; a bad one is a sentence; the process that is killed is followed by another."""
    scene = (CLIPS / "bench-1.jpg").read_bytes()
    told = reading.read(scene, "street.jpg")
    assert (told["image"], len(told["plates"]) > 0) == ("street.jpg", True)
    first = reading._process
    assert reading.read(scene)["plates"][0]["text"] == told["plates"][0]["text"]
    assert reading._process is first
    with pytest.raises(ImageError, match=r"^street\.jpg: not a picture"):
        reading.read(b"hello", "street.jpg")
    x0, y0, x1, y1 = (round(value) for value in told["plates"][0]["box"])
    crop = cv2.imdecode(np.frombuffer(scene, np.uint8), cv2.IMREAD_COLOR)[max(0, y0 - 4) : y1 + 4, max(0, x0 - 4) : x1 + 4]
    assert len(reading.read(bytes(cv2.imencode(".png", crop)[1]), crop=True)["plates"]) <= 1
    assert first is not None
    first.kill()
    first.wait()
    assert reading.read(scene)["plates"]
    assert os.listdir(tmp_path) == ["c.toml"]


def test_too_large_ones_are_refused(reading: ReadingApart, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their bytes without any process, by their pixels before they take memory."""
    for raw, said in ((b"", "is empty"), (b"x" * (MOST_BYTES + 1), "make it smaller")):
        with pytest.raises(ImageError, match=said):
            reading.read(raw)
    assert reading._process is None
    huge = bytes(cv2.imencode(".png", np.zeros((6000, 5000), np.uint8))[1])
    with pytest.raises(ImageError, match=r"12\.5 million pixels"):
        reading.read(huge)


def test_it_goes_when_nobody_asks(config: Path, tmp_path: Path) -> None:
    clock = FakeClock()
    reading = ReadingApart(config, clock)
    reading.read((CLIPS / "bench-0.jpg").read_bytes())
    reading.rest()
    assert reading._process is not None
    clock.advance(IDLE_S + 1)
    reading.rest()
    assert reading._process is None


def test_models_that_cannot_be_used_and_a_process_that_dies_are_sentences(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('[models]\nreader = "./none"\n')
    reading = ReadingApart(config)
    with pytest.raises(PlatewatchError, match="no manifest"):
        reading.read((CLIPS / "bench-0.jpg").read_bytes())
    config.write_text("")
    assert "plates" in reading.read((CLIPS / "bench-0.jpg").read_bytes())
    reading.close()
    monkeypatch.setattr(reading_apart.sys, "executable", "/bin/true")
    with pytest.raises(PlatewatchError, match="broke down"):
        reading.read(b"x")
