"""The shipped bundles: what they are, that they compute what was measured, that they are refused when altered."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.errors import BundleError
from edge.model import rehearsal
from edge.model.detector import Detector
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, SHIPPED, aside, load_manifest
from edge.model.reader import Reader
from edge.model.selftest import golden, probe_picture

KINDS = {"detector": Detector, "reader": Reader}
OTHER = {"detector": "reader", "reader": "detector"}
LATER = ("quantization", "calibration", "temperature", "golden", "float_sha256", "git", "macs", "sources", "drawn", "accuracy")
"""Keys that bundles of former versions did not have."""


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
    assert all(source["licence"] for source in manifest.sources)
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


def describe(folder, **changes):
    """Change the manifest; a key set to None goes."""
    manifest = json.loads((folder / MANIFEST_FILE).read_text()) | changes
    (folder / MANIFEST_FILE).write_text(json.dumps({key: value for key, value in manifest.items() if value is not None}))
    return folder


def put(folder, model):
    """Another model, with the hash that fits it."""
    (folder / MODEL_FILE).write_bytes(model)
    return describe(folder, sha256=hashlib.sha256(model).hexdigest())


def refusal(kind, folder):
    """The one sentence; anything else that comes out is a failure."""
    with pytest.raises(BundleError) as error:
        KINDS[kind].load(folder)
    said = str(error.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


def test_a_bundle_of_a_former_version_goes_on_working(kind, copy):
    """A manifest without any key that came later."""
    describe(copy, **dict.fromkeys(LATER))
    model = KINDS[kind].load(copy)
    picture = probe_picture(model.manifest.width, model.manifest.height)
    whole = KINDS[kind].load()
    ours, theirs = (one.infer(picture) for one in (model, whole))
    assert np.array_equal(ours, theirs) if kind == "reader" else all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_bundle_of_a_newer_version_says_so(kind, copy):
    assert "made by a newer Platewatch (v 2, this one knows 1); update Platewatch" in refusal(kind, describe(copy, v=2, shape=[1, 2]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 10**30}, "width"),
        ({"width": 384.5}, "width"),
        ({"height": 0}, "height"),
        ({"temperature": float("inf")}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": 1e-300}, "temperature"),
        ({"calibration": [1.0, float("nan"), 1.0]}, "calibration.1"),
        ({"calibration": [1.0, 1e300, 1.0]}, "calibration.1"),
        ({"threshold": 1.0}, "threshold"),
        ({"macs": -(10**40)}, "macs"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x" * 100_000}, "name"),
        ({"codec": "x" * 100_000}, "codec"),
        ({"x" * 100_000: 1}, "a key that this version does not know"),
        ({"a\nkey": 1}, "a key that this version does not know"),
        ({"v": "one"}, "v: must be 1"),
        ({"v": 0}, "v: must be 1"),
        ({"sha256": None}, "sha256: is missing"),
        ({"accuracy": [1]}, "accuracy"),
    ],
)
def test_a_manifest_with_nonsense_in_it_is_refused(kind, copy, change, words):
    assert words in refusal(kind, describe(copy, **change))


def test_a_reader_of_another_alphabet_is_refused(tmp_path):
    folder = shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    assert "its alphabet is not the one" in refusal("reader", describe(folder, alphabet="ABC"))


@pytest.mark.parametrize(
    "content", [b"", b"words", b"[]", b"null", b"{", b"\xff\xfe\x00", b'{"v": 1' + b" " * 100, b"[" * 100_000, b'{"v":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_manifest_is_refused(kind, copy, content):
    (copy / MANIFEST_FILE).write_bytes(content)
    assert str(copy) in refusal(kind, copy)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 100, 4096, 100_000, -1])
def test_a_truncated_model_is_refused_with_the_hash_of_the_whole_and_with_its_own(kind, copy, length, monkeypatch):
    """In this process: the runtime itself must find out."""
    monkeypatch.setattr(rehearsal, "rehearse", lambda *_: None)
    model = (copy / MODEL_FILE).read_bytes()[:length]
    (copy / MODEL_FILE).write_bytes(model)
    assert "does not fit the hash" in refusal(kind, copy)
    assert "not a TFLite model that can be run" in refusal(kind, put(copy, model))


def test_a_text_file_in_the_models_place_is_refused(kind, copy):
    assert "not a TFLite model that can be run" in refusal(kind, put(copy, b"words " * 1000))


def test_another_networks_model_is_refused(kind, copy):
    """Right hash, wrong sizes and outputs."""
    assert "do not fit the codec" in refusal(kind, put(copy, (SHIPPED / OTHER[kind] / MODEL_FILE).read_bytes()))


def test_a_size_that_is_not_the_tensors_is_refused(kind, copy):
    assert "do not fit the codec" in refusal(kind, describe(copy, width=64))


def test_outputs_of_another_layout_are_refused(tmp_path):
    folder = shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    assert "do not fit the codec slots-v1" in refusal("reader", describe(folder, codec="slots-v1"))


@pytest.mark.parametrize("name", [MODEL_FILE, MANIFEST_FILE])
def test_what_is_no_ordinary_file_is_refused(kind, copy, name):
    """Missing, a folder, a pipe that nobody writes to, or larger than any bundle's."""
    (copy / name).unlink()
    assert f"no {name} there" in refusal(kind, copy)
    (copy / name).mkdir()
    assert "is no file" in refusal(kind, copy)
    (copy / name).rmdir()
    os.mkfifo(copy / name)
    assert "is no file" in refusal(kind, copy)
    (copy / name).unlink()
    with (copy / name).open("wb") as file:
        file.truncate(1 << 30)
    assert "more than any" in refusal(kind, copy)


def test_a_file_in_the_folders_place_and_a_name_that_cannot_be_are_refused(kind, tmp_path):
    (tmp_path / "file").write_text("x")
    assert "no manifest.json there" in refusal(kind, tmp_path / "file")
    assert "cannot be read" in refusal(kind, Path("a\0b"))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_file_is_refused(kind, copy):
    (copy / MODEL_FILE).chmod(0)
    assert "cannot be read (Permission denied)" in refusal(kind, copy)


def test_damage_that_fits_its_hash_is_a_sentence_or_does_no_harm(kind, copy):
    """The runtime checks the file's frame and not its sense: what breaks it breaks a process of its own."""
    sound = (copy / MODEL_FILE).read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(3):
        damaged = bytearray(sound)
        for place in rng.integers(len(sound) - 40_000, len(sound), 2):
            damaged[place] ^= 0x55
        try:
            KINDS[kind].load(put(copy, bytes(damaged)))
        except BundleError:
            refusal(kind, copy)


@pytest.fixture
def foreign(copy):
    """A model that did not come with this version: four bytes more behind its end."""
    rehearsal._complaint.cache_clear()
    yield put(copy, (copy / MODEL_FILE).read_bytes() + b"more")
    rehearsal._complaint.cache_clear()


def test_a_foreign_model_is_rehearsed_and_then_runs(kind, foreign):
    assert golden(KINDS[kind].load(foreign)) == KINDS[kind].load().manifest.golden
    assert rehearsal._complaint.cache_info().currsize == 1


def test_a_runtime_that_dies_of_a_model_is_a_sentence(kind, foreign, tmp_path, monkeypatch):
    deadly = tmp_path / "python"
    deadly.write_text("#!/bin/sh\nkill -SEGV $$\n")
    deadly.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(deadly))
    assert "the runtime breaks down on it (code -11)" in refusal(kind, foreign)


def test_a_model_that_never_ends_is_a_sentence(kind, foreign, monkeypatch):
    monkeypatch.setattr(rehearsal, "PATIENCE_S", 0.01)
    assert "does not end within" in refusal(kind, foreign)


def test_the_shipped_models_need_no_rehearsal(kind, monkeypatch):
    """The daemon starts without the second that it would take."""
    monkeypatch.setattr(rehearsal, "rehearse", lambda *_: pytest.fail("rehearsed"))
    KINDS[kind].load()


def test_the_old_bundle_is_found_while_a_new_one_takes_its_place(kind, copy):
    copy.rename(aside(copy))
    assert KINDS[kind].load(copy).manifest == KINDS[kind].load().manifest


def test_the_command_line_says_it_in_one_sentence(tmp_path):
    folder = shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    put(folder, b"words")
    words = ["read", "--crop", "--reader", str(folder), "nothing.jpg"]
    done = subprocess.run([sys.executable, "-m", "edge", *words], capture_output=True, text=True, check=False, cwd=SHIPPED.parent.parent)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("platewatch: ")
    assert "not a TFLite model that can be run" in done.stderr
