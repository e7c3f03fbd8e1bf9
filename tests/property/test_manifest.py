"""Whatever stands in a manifest: the bundle runs, or is refused in one sentence."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import BundleError
from edge.model import manifest as manifests
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, SHIPPED, Manifest, as_json, load_manifest

KINDS = ("detector", "reader")
WHOLE = {kind: json.loads((SHIPPED / kind / MANIFEST_FILE).read_text()) for kind in KINDS}
ODD = [10**400, -(10**19), 1e308, 5e-324, "\n", "\x00", "9" * 400]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def loaded(kind, content):
    """The manifest, or the sentence that refuses it; any other exception is a failure."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / MANIFEST_FILE).write_bytes(content)
        (Path(folder) / MODEL_FILE).symlink_to(SHIPPED / kind / MODEL_FILE)
        try:
            return load_manifest(folder, kind)[0]
        except BundleError as error:
            said = str(error)
    assert "\n" not in said
    assert len(said) < 600
    return said


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.sampled_from(sorted(manifests.CHECKS)) | st.text(max_size=20), ANYTHING)
def test_any_value_under_any_key_is_a_manifest_or_a_sentence(kind, key, value):
    found = loaded(kind, json.dumps(WHOLE[kind] | {key: value}).encode())
    if isinstance(found, Manifest):
        # What is accepted can be written and read again, and no number in it is beyond what the device computes with.
        assert as_json(loaded(kind, as_json(found))) == as_json(found)
        assert 0 < found.width <= manifests.MOST_PX
        assert 0.01 <= found.temperature <= 100


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KINDS), st.sets(st.sampled_from(sorted(manifests.CHECKS))))
def test_any_keys_missing_is_a_manifest_or_a_sentence(kind, missing):
    found = loaded(kind, json.dumps({key: value for key, value in WHOLE[kind].items() if key not in missing}).encode())
    needed = {"name", "kind", "codec", "width", "height", "sha256"} | ({"alphabet"} if kind == "reader" else set())
    assert isinstance(found, Manifest) == (not missing & needed)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 10_000), st.binary(max_size=4), st.integers(0, 50))
def test_any_bytes_in_it_are_a_manifest_or_a_sentence(kind, place, put, cut):
    content = json.dumps(WHOLE[kind]).encode()
    place %= len(content)
    loaded(kind, content[:place] + put + content[place + cut :])
