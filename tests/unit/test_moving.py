"""Drives past a camera made of single pictures, and which characters are taken for each other; without networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.lookalikes import Confusions, cost_of
from convert.moving import FRAMES, HEIGHT, WIDTH, Drive, NoPlates, drive, drives, interval, measure
from edge.records import Box, Character, Detection, PlateRead, Quad
from tests.builders import a_read
from train.data.formats.native import LabelledPlate

PLATE = LabelledPlate(Box(1200, 750, 1320, 780), None, "AB12CDE", 1, "gb")


def a_picture() -> np.ndarray:
    """Dark, with the plate as its one bright patch; larger than any view of it."""
    luma = np.full((1600, 2600), 40, np.uint8)
    luma[750:780, 1200:1320] = 230
    return luma


def test_the_box_goes_with_the_plate() -> None:
    """In every frame the bright patch is where its box says, and all of it is in the picture."""
    one = drive(a_picture(), PLATE, np.random.default_rng(5))
    assert len(one.frames) == len(one.boxes) == FRAMES
    for frame, box in zip(one.frames, one.boxes, strict=True):
        assert frame.shape == (HEIGHT, WIDTH)
        ys, xs = np.nonzero(frame > (int(frame.min()) + int(frame.max())) / 2)
        assert box.centre == pytest.approx((xs.mean(), ys.mean()), abs=6)
        assert 0 <= box.x0 <= box.x1 <= WIDTH


def test_a_drive_is_the_same_for_the_same_seed() -> None:
    one, same, other = (drive(a_picture(), PLATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one.frames, same.frames, strict=True))
    assert any((a != b).any() for a, b in zip(one.frames, other.frames, strict=True))


class Networks:
    """Finds the plate where it is and reads what the script says, frame by frame."""

    def __init__(self, one: Drive, texts: list[str]) -> None:
        self._boxes, self._texts, self._frame = one.boxes, texts, -1

    def detect(self, luma: np.ndarray) -> list[Detection]:
        self._frame += 1
        box = self._boxes[self._frame]
        return [Detection(Quad.from_box(box), box, 0.9)]

    def read(self, luma: np.ndarray, quad: Quad, lines: int) -> PlateRead:
        return a_read(self._texts[self._frame])


def test_frames_are_counted_one_by_one_and_the_vote_once() -> None:
    """Five right reads of eight, two wrong, one empty: 5/8 of the frames, and the whole drive."""
    rng = np.random.default_rng(0)
    frame = np.asarray(rng.integers(0, 256, (HEIGHT, WIDTH)), np.uint8)
    one = Drive([frame] * FRAMES, [Box(100.0 + 5 * step, 100, 220.0 + 5 * step, 130) for step in range(FRAMES)], "AB12CDE", "gb")
    networks: Any = Networks(one, ["AB12CDE"] * 3 + ["AB12CDF", "AX12CDE", ""] + ["AB12CDE"] * 2)
    tally = measure([one], networks, networks)
    way = "one frame, no rules"
    assert (tally.right[way], tally.tried[way], tally.wrong[way], tally.share(way)) == (5, 8, 2, 5 / 8)
    assert (tally.share("vote, no rules"), tally.share("vote, told"), tally.doubles) == (1.0, 1.0, 0)


def test_without_scenes_whose_text_is_known_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text('{"image": "a.jpg", "width": 9, "height": 9, "country": null, "source": "x", "plates": []}\n')
    with pytest.raises(NoPlates, match="name others with --data"):
        next(drives([tmp_path], 5, 1))


def test_wilsons_interval() -> None:
    """Against the figures of the textbook: 8 of 10."""
    assert interval(8, 10) == pytest.approx((0.490, 0.943), abs=0.001)
    assert interval(0, 0) == (0.0, 1.0)


def test_what_is_often_confused_costs_little() -> None:
    assert (cost_of(0.5), cost_of(0.01), cost_of(1e-4), cost_of(0.0)) == (0.2, 0.5, 1.0, 1.0)


def test_a_runner_up_counts_by_its_belief_and_a_read_of_another_length_not_at_all() -> None:
    found = Confusions()
    read = PlateRead("A0", 0.6, (Character("A", 1.0), Character("0", 0.6)), alternatives=((), (Character("O", 0.4),)))
    found.add("A0", read)
    found.add("AO", read)
    found.add("A", read)
    assert found.plates == 2
    assert found.rate("O", "0") == pytest.approx(0.5)
    assert found.rate("A", "O") == 0.0
    assert [(a, b) for a, b, _, _ in found.pairs()] == [("0", "O")]
