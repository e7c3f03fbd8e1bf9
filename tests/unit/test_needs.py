"""What the reader needs: how it is measured, and that the page goes by what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.needs import Plate, limits, worsened
from edge.desk.aid import exposure, size
from edge.records import Box, Quad
from edge.web.setup.needs import NEEDS, SMEAR_BAD, SMEAR_GOOD

MEASURED = Path(__file__).parents[2] / "convert/results/needs.json"
PLACES = {"width": 0, "height": 0, "sharpness": 2, "contrast": 0, "clipping": 2, "tilt": 0}


def test_the_setup_aid_goes_by_what_was_measured() -> None:
    """Rounded to what is shown. The file is what `python -m convert needs` wrote."""
    measured = limits(json.loads(MEASURED.read_text()))
    for need in NEEDS:
        good, bad = measured[need.figure]
        assert (need.good, need.bad) == (pytest.approx(good, abs=0.5 * 10 ** -PLACES[need.name]), pytest.approx(bad, abs=0.5 * 10 ** -PLACES[need.name])), (
            need.name
        )
    assert measured["smear"] == (SMEAR_GOOD, SMEAR_BAD)


def test_a_limit_is_where_the_run_of_good_steps_begins() -> None:
    """Read from the worst step up, whichever way the figure grows; one good step below a bad one proves nothing."""
    steps = [{"at": at, "right": right, "of": 100} for at, right in ((10, 0), (20, 99), (30, 80), (40, 88), (50, 98), (60, 99))]
    less = [{"at": at, "right": right, "of": 100} for at, right in ((0, 100), (1, 99), (2, 90), (3, 10))]
    told = [(0.1, 0.2, 0.5, 10), (0.2, 0.3, 0.9, 10), (0.3, 0.4, 0.91, 10), (0.4, 0.5, 0.7, 10)]
    found = limits({"ways": {"more": steps, "less": less}, "told": {"binned": told}})
    assert found == {"more": (50, 40), "less": (1, 2), "binned": (0.2, 0.2)}


def a_plate() -> Plate:
    luma = np.full((200, 400), 90, np.uint8)
    cv2.rectangle(luma, (100, 80), (300, 120), 230, -1)
    cv2.putText(luma, "AB12CDE", (112, 112), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 20, 4)
    return Plate(luma, Quad.from_box(Box(100, 80, 300, 120)), "AB12CDE", 1)


def test_a_plate_is_made_worse_in_one_way_and_by_so_much() -> None:
    plate = a_plate()
    cut = lambda one: one.luma[80:120, 100:300]  # noqa: E731
    assert size(worsened(plate, "width_px", 50).quad)[0] == pytest.approx(50, abs=1)
    assert exposure(cut(worsened(plate, "contrast", 40)))["contrast"] == pytest.approx(40, abs=3)
    assert exposure(cut(worsened(plate, "burnt_out", 0.5)))["burnt_out"] > 0.4
    smeared = worsened(plate, "smear", 0.05)
    assert exposure(cut(smeared))["sharpness"] < 0.7 * exposure(cut(plate))["sharpness"]
    (ax, ay), (bx, by) = worsened(plate, "tilt_deg", 10).quad.points[:2]
    assert np.degrees(np.arctan2(by - ay, bx - ax)) == pytest.approx(10)
    assert (worsened(plate, "smear", 0).luma == plate.luma).all()
