"""A whole daemon in the modes of privacy: what is left of a plate in all its files and its log."""

from __future__ import annotations

import logging
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.config import Config
from edge.daemon import Daemon
from edge.gallery import Gallery
from edge.gate.audit import Audit
from edge.gate.gate import Gate
from edge.keeping.veil import Veil
from edge.pipeline import Pipeline
from edge.publish import publishing
from edge.records import Frame, Match, Quad
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_detection, a_read
from tests.fakes import FakeCamera, FakeDetector, FakeReader

CHECKS = (np.indices((360, 640)).sum(axis=0) % 8 // 4 * 255).astype(np.uint8)
"""Sharp everywhere, so that every look has its vote."""
FRAMES = [Frame(CHECKS, step / 10, "camera", None, step) for step in range(30)]
OURS = Match("family", "allow", "AB12CDE", "Anna")


def watched(folder: Path, privacy: dict[str, Any]) -> Store:
    """One known car, one stranger, and one that was seen too briefly; everything that writes is there: store, target, gallery, gate, page."""
    config = Config.model_validate(
        {
            "runtime": {"directory": str(folder / "run")},
            "store": {"path": str(folder / "events.sqlite"), "keep_at_least_mb_free": 0},
            "privacy": {"key_file": str(folder / "key")} | privacy,
            "targets": [{"name": "yard", "kind": "jsonl", "path": str(folder / "told.jsonl")}],
        }
    )

    def known(text: str, at: object) -> Match | None:
        return OURS if text == "AB12CDE" else None

    def says(quad: Quad) -> Any:
        return a_read("AB12CDE" if quad.points[0][0] < 300 else "ZZ99ZZZ" if quad.points[0][1] < 200 else "QQ77QQQ")

    veil = Veil(config.privacy, known=known)
    gallery = Gallery(folder / "unread", config.unread)
    judge = Judge(config.tracking, known=known, on_unread=veil.unread(gallery.add))
    ours, stranger, brief = a_detection(), a_detection(x=400), a_detection(x=400, y=300)
    pipeline = Pipeline(FakeDetector([[ours, stranger, brief], *[[ours, stranger]] * 4]), FakeReader(says), Tracker(1.0), judge)
    store = Store(config.store.path)
    told = publishing.build(config, store)
    gate = Gate(config.gate, Audit(folder / "gate.sqlite"), None)
    (folder / "run").mkdir()
    (folder / "run" / "watched").touch()
    daemon = Daemon(config, FakeCamera([FRAMES]), pipeline, store, publishing=told, gate=gate, veil=veil)
    daemon._status._interval_s = 0.0
    turn, seen = daemon.turn, list[bytes]()

    def turn_and_look() -> None:
        turn()
        seen.append((folder / "run" / "status.json").read_bytes())

    daemon.turn = turn_and_look  # type: ignore[method-assign]
    daemon.run()
    (folder / "every-status").write_bytes(b"\n".join(seen))
    return store


def everything(folder: Path) -> bytes:
    """Every byte, and what is deflated in the store as it is read."""
    with Store(folder / "events.sqlite", read_only=True) as store:
        looks = [zlib.decompress(packed) for (packed,) in store.rows("SELECT packed FROM looks")]
    assert looks, "the final events have them"
    return b"".join([*looks, *(path.read_bytes() for path in folder.rglob("*") if path.is_file())])


def test_without_a_mode_all_of_them_are_written_down(tmp_path: Path) -> None:
    """Else the tests below could not fail."""
    watched(tmp_path, {})
    for text in (b"AB12CDE", b"ZZ99ZZZ"):
        assert text in everything(tmp_path)
    assert list((tmp_path / "unread").glob("*.json"))


def test_a_stranger_never_leaves_the_memory_in_the_known_only_mode(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither store, outbox, target, gallery, status nor log; of the known plate there is an event as ever."""
    caplog.set_level(logging.DEBUG)
    store = watched(tmp_path, {"known_only": True})
    assert [event.text for event in store.events()] == ["AB12CDE"]
    for text in ("ZZ99ZZZ", "QQ77QQQ"):
        assert text.encode() not in everything(tmp_path)
        assert text not in caplog.text
    assert b"AB12CDE" in (tmp_path / "every-status").read_bytes()
    assert not (tmp_path / "unread").exists()


def test_no_text_is_left_behind_pseudonyms(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of known and unknown plates alike, the gate's decisions among it; and the lists still match."""
    caplog.set_level(logging.DEBUG)
    store = watched(tmp_path, {"pseudonyms": True})
    for text in ("AB12CDE", "ZZ99ZZZ", "QQ77QQQ"):
        assert text.encode() not in everything(tmp_path)
        assert text not in caplog.text
    events = store.events()
    assert len({event.text for event in events}) == 2
    assert [event.match.label for event in events if event.match] == ["Anna"]
    assert all(store.crop(event.id) is None for event in events)
    assert events[0].text.encode() in (tmp_path / "every-status").read_bytes()
