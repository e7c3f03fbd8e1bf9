"""The shipped bundles: what they are, that they compute what was measured, that they are refused when altered."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from edge.errors import BundleError
from edge.model.detector import Detector
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, SHIPPED, load_manifest
from edge.model.reader import Reader
from edge.model.selftest import golden, probe_picture

KINDS = {"detector": Detector, "reader": Reader}


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return request.param


@pytest.fixture
def copy(kind, tmp_path):
    return shutil.copytree(SHIPPED / kind, tmp_path / kind)


def test_the_int8_outputs_are_the_golden_ones_bit_for_bit(kind):
    """Made with XNNPACK; the same on every CPU that the kit runs on. A mismatch means another runtime, or XNNPACK is off."""
    model = KINDS[kind].load()
    assert golden(model) == model.manifest.golden


def test_two_runs_in_a_row_give_the_same(kind):
    """No state is kept between plates."""
    model = KINDS[kind].load()
    picture = probe_picture(model.manifest.width, model.manifest.height)
    first, _, again = (model.infer(one) for one in (picture, np.zeros_like(picture), picture))
    if isinstance(first, dict):
        assert all(np.array_equal(first[name], again[name]) for name in first)
    else:
        assert np.array_equal(first, again)


def test_both_together_stay_below_two_megabytes():
    assert sum((SHIPPED / kind / MODEL_FILE).stat().st_size for kind in KINDS) <= 2_000_000


def test_the_manifest_says_where_it_comes_from_and_what_it_is_worth(kind):
    manifest, _ = load_manifest(SHIPPED / kind, kind)
    assert manifest.sources
    assert all(source.licence for source in manifest.sources)
    assert manifest.accuracy["evidence"] >= 500
    assert manifest.accuracy["drop"] <= 0.005


def test_the_input_is_luma_less_128(kind):
    """The calibration pins the scale, so that the device may use a look-up table that is exact."""
    model = KINDS[kind].load()
    assert (model._net.scale_in.scale, model._net.scale_in.zero_point) == (1 / 128, 0)


def test_an_altered_model_is_refused(kind, copy):
    data = bytearray((copy / MODEL_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / MODEL_FILE).write_bytes(data)
    with pytest.raises(BundleError, match="does not fit the hash"):
        KINDS[kind].load(copy)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"codec": "future-v9"}, "speaks the codec"), ({"normalisation": "x / 255"}, "wants its input"), ({"width": -1}, "width"), ({"colour": "red"}, "colour")],
)
def test_a_manifest_that_does_not_fit_is_refused(kind, copy, change, words):
    manifest = json.loads((copy / MANIFEST_FILE).read_text()) | change
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=words):
        KINDS[kind].load(copy)


def test_a_reader_in_the_detectors_place_is_refused():
    with pytest.raises(BundleError, match="is a reader, a detector is wanted"):
        Detector.load(SHIPPED / "reader")


def test_a_missing_bundle_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        Reader.load(tmp_path)
