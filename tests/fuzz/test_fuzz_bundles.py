"""Bundles whose model file is spoilt: the process of the rehearsal may die of it, the daemon gets one sentence."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BundleError
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, SHIPPED, load_manifest
from tests.fuzz.spoiling import BUDGET, cases, check_sentence, spoilt

KINDS = ("detector", "reader")
HEAD = 4096
"""Bytes at the front and the back of a model where its tables and offsets lie; the middle is weights, which may be any."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("bundles") / "a"
    shutil.copytree(SHIPPED / "reader", found)
    return found


def tried(folder: Path, kind: str, model: bytes) -> str:
    """'' where it runs, else the sentence. The manifest is made to fit, as whoever means harm would."""
    manifest = json.loads((SHIPPED / kind / MANIFEST_FILE).read_bytes()) | {"sha256": hashlib.sha256(model).hexdigest()}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    (folder / MODEL_FILE).write_bytes(model)
    try:
        load_manifest(folder, kind)
    except BundleError as error:
        check_sentence(error, "a")
        return str(error)
    return ""


@cases(6)
@given(st.data())
def test_a_spoilt_model_is_a_sentence_or_runs(folder: Path, data: st.DataObject) -> None:
    """Bits turned and bytes cut in the flatbuffer's tables."""
    kind = data.draw(st.sampled_from(KINDS))
    whole = (SHIPPED / kind / MODEL_FILE).read_bytes()
    head, tail = whole[:HEAD], whole[-HEAD:]
    if data.draw(st.booleans()):
        head = data.draw(spoilt(head))
    else:
        tail = data.draw(spoilt(tail))
    tried(folder, kind, head + whole[HEAD:-HEAD] + tail)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_model_at_all(folder: Path, kind: str) -> None:
    whole = (SHIPPED / kind / MODEL_FILE).read_bytes()
    for model in (b"", b"\0" * 5000, whole[:100], whole[: len(whole) // 2])[: None if BUDGET else 3]:
        assert tried(folder, kind, model)


@cases(60)
@given(spoilt((SHIPPED / "reader" / MODEL_FILE).read_bytes()[:HEAD]))
def test_without_a_manifest_that_fits_it_is_not_even_run(folder: Path, model: bytes) -> None:
    """A file that was damaged on the way is known by its hash."""
    shutil.copy(SHIPPED / "reader" / MANIFEST_FILE, folder)
    (folder / MODEL_FILE).write_bytes(model)
    with pytest.raises(BundleError, match=r"hash|no model") as caught:
        load_manifest(folder, "reader")
    check_sentence(caught.value)
