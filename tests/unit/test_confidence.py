"""Confidence that tells the truth: the map that a bundle carries, on the device."""

from __future__ import annotations

import json
import math
import shutil

import pytest

from edge.errors import BundleError
from edge.model.confidence import calibrate, plate_confidence
from edge.model.manifest import MANIFEST_FILE, SHIPPED, load_manifest
from edge.model.reader import Reader
from edge.records import PlateRead
from edge.vision import reader_codec
from tests.builders import a_read


def test_slope_one_offset_nought_and_ceiling_one_change_nothing():
    assert [plate_confidence(p, (1.0, 0.0, 1.0)) for p in (0.1, 0.5, 0.97)] == pytest.approx([0.1, 0.5, 0.97])


def test_a_surer_read_stays_the_surer_one():
    mapped = [plate_confidence(p / 100, (1.4, -0.8, 0.98)) for p in range(101)]
    assert mapped == sorted(mapped)
    assert 0.0 <= mapped[0] < mapped[-1] <= 0.98


@pytest.mark.parametrize("calibration", [(1.5, -1.0, 0.98), (0.6, 0.5, 1.0)])
def test_a_plates_confidence_stays_the_product_over_its_characters(calibration):
    before = a_read("AB123", 0.9)
    after = calibrate(before, calibration)
    assert after.text == before.text
    assert after.confidence == pytest.approx(plate_confidence(before.confidence, calibration), rel=1e-6)
    assert math.prod(one.confidence for one in after.characters) == pytest.approx(after.confidence)


@pytest.mark.parametrize("calibration", [(1.5, -1.0, 0.98), (0.6, 0.5, 1.0)])
def test_a_runner_up_does_not_overtake(calibration):
    after = calibrate(a_read("A", 0.5, {0: ("B", 0.45)}), calibration)
    assert after.alternatives[0][0].confidence < after.characters[0].confidence
    assert after.alternatives[0][0].confidence + after.characters[0].confidence <= 1.0


def test_nothing_read_stays_nothing():
    nothing = PlateRead("", 0.0, ())
    assert calibrate(nothing, (1.2, -0.5, 1.0)) is nothing
    assert calibrate(a_read("AB"), None) == a_read("AB")


def test_certainty_and_impossibility_are_no_error():
    assert plate_confidence(1.0, (3.0, 5.0, 1.0)) <= 1.0
    assert plate_confidence(0.0, (200.0, -5.0, 1.0)) == 0.0


@pytest.fixture
def bundle(tmp_path):
    return shutil.copytree(SHIPPED / "reader", tmp_path / "reader")


def change(folder, **values):
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    (folder / MANIFEST_FILE).write_text(json.dumps({key: value for key, value in manifest.items() if key != "calibration"} | values))
    return folder


def test_a_bundle_without_calibration_loads_and_leaves_confidences_as_they_are(bundle):
    assert load_manifest(change(bundle), "reader")[0].calibration is None


def test_the_reader_applies_what_its_manifest_says(bundle):
    plain = Reader.load(change(bundle, temperature=1.0))
    raw = plain._net.scales_out[0].quantize(reader_codec.as_logits("AB12", certainty=6.0))
    before = plain.decode(raw)
    after = Reader.load(change(bundle, temperature=1.0, calibration=[1.3, -2.0, 0.99])).decode(raw)
    assert after.text == before.text == "AB12"
    assert after.confidence == pytest.approx(plate_confidence(before.confidence, (1.3, -2.0, 0.99)), rel=1e-4)
    assert after.confidence < before.confidence


@pytest.mark.parametrize("calibration", [[-1.0, 0.0, 1.0], [1.0, 0.0], [1.0, 0.0, 1.2], "surely"])
def test_a_map_that_does_not_rise_is_refused(bundle, calibration):
    with pytest.raises(BundleError, match="calibration"):
        load_manifest(change(bundle, calibration=calibration), "reader")
