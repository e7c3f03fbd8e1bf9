"""What people say about plates: kept, found, exported, forgotten."""

from __future__ import annotations

import io
import json
import threading
import zipfile
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.cli import main
from edge.config import Config, load
from edge.errors import StoreError
from edge.events.erase import doomed, erase
from edge.events.query import find
from edge.events.wanted import Wanted
from edge.gallery import Gallery
from edge.keeping.housekeeping import Housekeeping
from edge.keeping.schema import FIRST
from edge.labels.book import Labels, label_for, labels, picture
from edge.labels.corners import box_in_crop, corners_in_crop
from edge.labels.export import stream_zip
from edge.labels.label import Label, LabelError, Told, jpeg_size
from edge.labels.report import report, wilson
from edge.pipeline import Pipeline
from edge.records import Event, Frame, Match, Quad
from edge.shapes import Box
from edge.store import Store
from edge.tracking.judge import Judge, jpeg
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Tracker
from edge.web.daemon_files import DaemonFiles
from tests.builders import a_detection, a_read, an_event
from tests.fakes import FakeClock, FakeDetector, FakeReader
from train.data.formats.native import read_folder

FAMILY = Match("family", "allow", "AB12CDE", "Anna")
CORNERS = ((100.0, 100.0), (220.0, 104.0), (218.0, 134.0), (98.0, 130.0))


def a_crop(width: int = 156, height: int = 39, seed: int = 0) -> bytes:
    return jpeg(np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8))


def watched(read: str = "AB12CDE", **where: float) -> Event:
    """An event of a whole pipeline: a white plate with known corners on a dark wall."""
    luma = np.full((360, 640), 30, np.uint8)
    cv2.fillPoly(luma, [np.array(CORNERS, np.int32)], 240)
    luma[110:125:2, 110:210:2] = 0
    found = replace(a_detection(98, 100, 122, 34), quad=Quad(CORNERS))  # type: ignore[arg-type]
    pipeline = Pipeline(FakeDetector([[found]] * 4), FakeReader(lambda quad: a_read(read)), Tracker(1.0), Judge(TrackingConfig()))
    for step in range(4):
        pipeline.step(Frame(luma, step / 10, "gate", None, step))
    (event,) = pipeline.finish(0.4)
    return event


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "c.toml").write_text('[store]\npath = "events.sqlite"\n[runtime]\ndirectory = "run"\n')
    with Store(tmp_path / "events.sqlite") as store:
        store.add(watched())
        for number, text in enumerate(("A812CDE", "XY34ZZZ", "ZZ99ZZZ")):
            store.add(an_event(str(number), text, f"2026-11-2{number}T12:00:00.000+00:00", crop_jpeg=a_crop(seed=number), confidence=0.6, country="gb"))
    return tmp_path


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "events.sqlite")


@pytest.fixture
def book(store: Store, home: Path) -> Labels:
    return Labels(store, load(home / "c.toml"), wall=FakeClock().wall)


def test_a_label_says_who_when_and_what_and_can_be_taken_back(book: Labels, store: Store) -> None:
    """The event itself stays as it was read; a second label takes the place of the first."""
    before = store.event("0")
    told = book.correct("0", "ab-12 CDE", "anna", 1)
    assert (told.told, told.read, told.confidence) == (Told("corrected", "AB12CDE", 1, "anna", "2026-11-22T21:00:00.000+00:00"), "A812CDE", 0.6)
    assert store.event("0") == before
    assert book.not_a_plate("0", "ben").told.judgement == "not a plate"
    assert [one.told.by for one in labels(store)] == ["ben"]
    assert (book.undo("0"), book.undo("0"), book.of("0")) == (True, False, None)


def test_a_correction_to_what_was_read_confirms_it(book: Labels) -> None:
    assert book.correct("0", "A8 12 CDE", "anna").told.judgement == "confirmed"
    assert book.confirm("1", "anna").told.text == "XY34ZZZ"


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda book: book.correct("0", "Ж", "anna"), "the reader does not know"),
        (lambda book: book.correct("0", "A", "anna"), "a plate has 2 to 14"),
        (lambda book: book.correct("0", "AB12", "anna", 3), "1 line or 2, not 3"),
        (lambda book: book.confirm("nobody", "anna"), "there is no such event"),
        (lambda book: book.confirm("../../etc/passwd", "anna"), "there is no such event"),
        (lambda book: book.confirm("20261122T210000000000-0001", "anna"), "no longer there"),
    ],
)
def test_what_cannot_be_labelled_is_one_sentence(book: Labels, ask: Any, sentence: str) -> None:
    with pytest.raises(LabelError, match=sentence):
        ask(book)


def test_behind_pseudonyms_nothing_is_labelled(store: Store, home: Path) -> None:
    """Nor an event of before, whose pseudonym alone is known, once the mode is off."""
    config = load(home / "c.toml")
    hidden = config.model_copy(update={"privacy": config.privacy.model_copy(update={"pseudonyms": True})})
    with pytest.raises(LabelError, match=r"privacy\.pseudonyms"):
        Labels(store, hidden).correct("0", "AB12CDE", "anna")
    store.add(an_event("veiled", "PABCDEFGHIJK", crop_jpeg=b""))
    with pytest.raises(LabelError, match="only a pseudonym is kept"):
        Labels(store, config).correct("veiled", "AB12CDE", "anna")
    none = config.model_copy(update={"store": config.store.model_copy(update={"max_labels": 0})})
    with pytest.raises(LabelError, match="max_labels is 0"):
        Labels(store, none).confirm("0", "anna")


def test_the_corners_lie_on_the_plate_in_its_own_picture(book: Labels, store: Store) -> None:
    """Inside of them it is white, outside it is dark, in the JPEG itself."""
    event = find(store, Wanted(plate="AB12CDE"))[0].event
    one = book.confirm(event.id, "anna")
    seen = cv2.imdecode(np.frombuffer(picture(store, one.seq), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (seen.shape[1], seen.shape[0]) == (one.width, one.height)
    assert one.corners is not None
    inside = cv2.fillPoly(np.zeros_like(seen), [np.array(one.corners, np.int32)], 1).astype(bool)
    rim = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5))).astype(bool) & ~cv2.erode(inside.astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert np.median(seen[inside & ~rim]) > 200
    assert seen[~inside & ~rim].max() < 90


def test_of_an_older_crop_the_corners_are_worked_out_or_left_out() -> None:
    quad = Quad.from_box(Box(100, 100, 200, 120))
    assert corners_in_crop(quad, None, (131, 27)) == ((15.0, 3.0), (115.0, 3.0), (115.0, 23.0), (15.0, 23.0))
    assert corners_in_crop(quad, None, (200, 27)) is None, "it was cut otherwise"
    assert corners_in_crop(Quad.from_box(Box(2, 1, 102, 21)), None, (118, 25)) == ((2.0, 1.0), (102.0, 1.0), (102.0, 21.0), (2.0, 21.0)), "at the edge"
    assert box_in_crop(None, 130, 26) == Box(15.0, 3.0, 115.0, 23.0)
    assert box_in_crop(((-3, -2), (140, 0), (140, 30), (0, 30)), 130, 26) == Box(0.0, 0.0, 130.0, 26.0)


@pytest.mark.parametrize("size", [(156, 39), (1, 1), (700, 300)])
def test_the_size_of_a_jpeg_is_read_without_decoding_it(size: tuple[int, int]) -> None:
    assert jpeg_size(a_crop(*size)) == size
    assert jpeg_size(cv2.imencode(".jpg", np.zeros((size[1], size[0]), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()) == size
    assert [jpeg_size(junk) for junk in (b"", b"\xff\xd8", b"\xff\xd8\xff", b"jpeg of 1", b"\xff\xd8" + b"\xff\xe0\0\0" * 9)] == [(0, 0)] * 5


def test_a_picture_of_an_unread_plate_is_copied_into_the_store(book: Labels, store: Store, home: Path) -> None:
    """With the corners in it, and while the gallery has it; later it can still be relabelled."""
    config = load(home / "c.toml")
    gallery = Gallery(home / "run" / "unread", config.unread, camera="gate")
    luma = np.full((360, 640), 30, np.uint8)
    cv2.fillPoly(luma, [np.array(CORNERS, np.int32)], 240)
    luma[110:125:2, 110:210:2] = 0
    found = replace(a_detection(98, 100, 122, 34), quad=Quad(CORNERS))  # type: ignore[arg-type]
    judge = Judge(TrackingConfig(min_reads=5), on_unread=gallery.add)
    pipeline = Pipeline(FakeDetector([[found]] * 3), FakeReader(lambda quad: a_read("AB12CDE")), Tracker(1.0), judge)
    for step in range(3):
        pipeline.step(Frame(luma, step / 10, "gate", None, step))
    pipeline.finish(0.3)
    (path,) = (home / "run" / "unread").glob("*.json")
    one = book.correct(path.stem, "AB12CDF", "anna")
    assert (one.origin, one.read, one.camera, one.told.lines, one.corners is not None) == ("unread", "AB12CDE", "gate", 1, True)
    assert picture(store, one.seq) == path.with_suffix(".jpg").read_bytes()
    for file in path.parent.iterdir():
        file.unlink()
    again = book.confirm(path.stem, "anna")
    assert (again.told.text, again.corners, picture(store, again.seq) != b"") == ("AB12CDE", one.corners, True)


def test_labels_outlive_their_events_and_grow_old_by_their_own_settings(home: Path, store: Store, book: Labels) -> None:
    """By age from the labelling, and the oldest of too many; not by a clock that jumped."""
    clock = FakeClock()
    for id in ("0", "1", "2"):
        book.confirm(id, "anna")
    store.purge("2030")
    assert (store.count(), [one.event for one in labels(store)]) == (0, ["2", "1", "0"])
    settings = Config.model_validate({"store": {"path": str(home / "events.sqlite"), "keep_at_least_mb_free": 0, "max_labels": 2, "labels_days": 30}}).store
    house = Housekeeping(store, settings, clock=clock, wall=clock.wall)
    house.tend()
    assert [one.event for one in labels(store)] == ["2", "1"]
    clock.wall_start += timedelta(days=31)
    clock.advance(700)
    house.tend()
    assert len(list(labels(store))) == 2, "a clock that jumped a month is not believed yet"
    for _ in range(200):
        clock.advance(6 * 3600)
        house.tend()
    assert list(labels(store)) == []


def test_of_too_many_labels_the_oldest_make_room(store: Store, home: Path) -> None:
    config = load(home / "c.toml")
    book = Labels(store, config.model_copy(update={"store": config.store.model_copy(update={"max_labels": 2})}))
    for id in ("0", "1", "2", "1"):
        book.confirm(id, "anna")
    assert [one.event for one in labels(store)] == ["1", "2"]


@pytest.mark.parametrize("wanted", [Wanted(plate="SECRET9Y"), Wanted(plate="SECRET*"), Wanted(plate="SECRET9V", fuzzy=0.5)])
def test_of_an_erased_plate_no_label_is_left(home: Path, store: Store, book: Labels, wanted: Wanted) -> None:
    """Neither of a corrected event, nor of one that is gone by its age; no byte in the file, in its log, or deflated in the looks."""
    store.add(replace(watched("SECRET9Y"), id="read"))
    book.correct("0", "SECRET9Y", "anna")
    book.confirm("read", "anna")
    book.confirm("1", "anna")
    with store.batch() as db:  # by its age
        db.execute("DELETE FROM events WHERE id = '0'")
    assert any(b"SECRET9Y" in zlib.decompress(packed) for (packed,) in store.rows("SELECT packed FROM looks"))
    gone = erase(store, load(home / "c.toml"), doomed(store, wanted))
    assert (gone.events, gone.labels, gone.complete) == (1, 2, True)
    assert [one.event for one in labels(store)] == ["1"]
    assert not any(b"SECRET9Y" in zlib.decompress(packed) for (packed,) in store.rows("SELECT packed FROM looks"))
    assert b"SECRET9Y" not in b"".join(path.read_bytes() for path in home.glob("events.sqlite*"))


def test_retention_takes_the_looks_and_leaves_the_label(store: Store, book: Labels) -> None:
    event = find(store, Wanted(plate="AB12CDE"))[0].event
    book.confirm(event.id, "anna")
    store.trim(0)
    assert (store.rows("SELECT count(*) FROM looks"), label_for(store, event.id) is not None) == ([(0,)], True)


def test_exported_labels_are_a_set_that_training_reads(home: Path, store: Store, book: Labels) -> None:
    """Folder and zip hold the same; a picture without a plate is a negative one, and what has no picture is left out."""
    event = find(store, Wanted(plate="AB12CDE"))[0].event
    book.confirm(event.id, "anna")
    book.correct("0", "AB12CDE", "anna", 2)
    book.not_a_plate("1", "anna")
    store.add(an_event("bare", crop_jpeg=b""))
    book.confirm("bare", "anna")
    assert main(["export-labels", str(home / "out"), "--config", str(home / "c.toml")]) == 0
    negative, corrected, confirmed = read_folder(home / "out")
    assert (negative.negative, negative.plates, negative.crop) == (True, (), False)
    assert (corrected.plates[0].text, corrected.plates[0].lines, corrected.country, corrected.crop) == ("AB12CDE", 2, None, True)
    (plate,) = confirmed.plates
    assert (plate.text, plate.exact, confirmed.source) == ("AB12CDE", True, "corrections")
    assert plate.quad is not None
    assert np.allclose(plate.quad.array(), np.array(CORNERS) - (79, 94), atol=0.1)
    assert plate.box == plate.quad.box
    seen = cv2.imread(str(confirmed.path))
    assert seen.shape[:2] == (confirmed.height, confirmed.width)
    assert main(["export-labels", str(home / "out.zip"), "--config", str(home / "c.toml")]) == 0
    with zipfile.ZipFile(home / "out.zip") as zipped:
        assert zipped.testzip() is None
        packed = {name.removeprefix("corrections/"): zipped.read(name) for name in zipped.namelist()}
    assert packed == {path.relative_to(home / "out").as_posix(): path.read_bytes() for path in (home / "out").rglob("*") if path.is_file()}


def test_a_download_is_made_piece_by_piece(store: Store, book: Labels) -> None:
    """However many pictures there are, only a few are in memory: the zip is never whole."""
    for number in range(40):
        store.add(an_event(f"n{number}", crop_jpeg=a_crop(300, 120, number)))
        book.confirm(f"n{number}", "anna")
    pieces = list(stream_zip(store, labels(store)))
    assert max(map(len, pieces)) < 160_000
    assert len(pieces) > 10
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as zipped:
        assert len(zipped.read("corrections/labels.jsonl").splitlines()) == 40


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "needs to know where to"),
        (["OUT", "--report"], "needs to know where to"),
        (["OUT", "--plate", "NOBODY"], "there are no such labels with a picture"),
        (["OUT", "--only", "corrected"], "there are no such labels with a picture"),
        (["c.toml"], "is there already"),
        (["c.toml/x"], "cannot be written"),
        (["OUT", "--below", "2"], "is no share"),
        (["OUT", "--zone", "Mars"], "is no time zone"),
    ],
)
def test_a_mistake_is_one_sentence(home: Path, store: Store, book: Labels, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    book.confirm("0", "anna")
    store.add(an_event("bare", crop_jpeg=b""))
    book.correct("bare", "AB12CDX", "anna")
    given = [str(home / word) if word in ("OUT", "c.toml", "c.toml/x") else word for word in words]
    assert main(["export-labels", *given, "--config", str(home / "c.toml")]) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1


def test_only_what_is_asked_for_is_exported(home: Path, book: Labels, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    book.confirm("0", "anna")
    book.correct("1", "XY34ZZY", "anna")
    for words, texts in ((["--only", "corrected"], ["XY34ZZY"]), (["--day", "2026-11-20", "--zone", "UTC"], ["A812CDE"]), (["--limit", "1"], ["XY34ZZY"])):
        out = home / "-".join(words)
        assert main(["export-labels", str(out), *words, "--config", str(home / "c.toml")]) == 0
        assert [image.plates[0].text for image in read_folder(out)] == texts
    assert store.accesses(1)[0][2:] == ("exported labels", 1)
    capsys.readouterr()


def a_label(confidence: float, judgement: Any = "confirmed", read: str = "AB12CDE", text: str = "AB12CDE", origin: Any = "event") -> Label:
    return Label(1, "1", origin, Told(judgement, text, 1, "anna", "2026"), read, confidence, "gate", "2026", "", "", "left", 1, 1, None)


def test_the_report_counts_right_and_wrong_by_confidence() -> None:
    """What shows no plate was read wrongly, whatever was read; unread pictures are counted apart; a label of 1 is in the last band."""
    found = [
        a_label(0.96), a_label(0.96), a_label(0.97, "corrected", text="AB12CDF"), a_label(1.0), a_label(0.3, "not a plate", text=""),
        a_label(0.3, origin="unread"), a_label(0.0, "not a plate", "", "", origin="unread"),
    ]  # fmt: skip
    told = report(found, 100)
    by_low = {one.low: one for one in told.bands}
    assert (by_low[0.95].events, by_low[0.95].right, by_low[0.95].share, by_low[0.95].expected) == (3, 2, 0.6667, 0.9633)
    assert (by_low[0.99].events, by_low[0.99].right) == (1, 1)
    assert (by_low[0.0].events, by_low[0.0].not_plates, by_low[0.0].share) == (1, 1, 0.0)
    assert by_low[0.5].share is None
    assert (told.total.events, told.total.right, told.unread, told.unread_plates, told.stored) == (5, 3, 2, 1, 100)


def test_a_share_of_few_is_not_believed_too_much() -> None:
    """Wilson's interval: one of one is no certainty, and the known value for 9 of 10."""
    assert wilson(1, 1)[0] == pytest.approx(0.2065, abs=1e-3)
    assert wilson(9, 10) == (pytest.approx(0.596, abs=1e-3), pytest.approx(0.982, abs=1e-3))
    assert wilson(0, 5)[0] == 0.0


def test_the_report_says_that_labels_are_no_fair_sample(home: Path, book: Labels, capsys: pytest.CaptureFixture[str]) -> None:
    book.correct("0", "AB12CDE", "anna")
    assert main(["export-labels", "--report", "--config", str(home / "c.toml")]) == 0
    told = capsys.readouterr().out
    assert "1 labelled events; 4 events are in the store" in told
    assert "People label what looks wrong" in told
    assert main(["export-labels", "--report", "--json", "--config", str(home / "c.toml")]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["events"] == 1


def test_the_page_deletes_and_labels_beside_the_daemon(home: Path) -> None:
    """A second connection that waits for the first; it makes no store, and an older one it leaves alone."""
    files = DaemonFiles(load(home / "c.toml"))
    with Store(home / "events.sqlite") as daemon:
        assert files.labels().correct("0", "AB12CDE", "anna").told.by == "anna"
        gone = erase(files.writable(), files.config, doomed(files.store(), Wanted(plate="XY34ZZZ")))
        files.note("anna", "deleted", gone.events)
        assert (gone.events, daemon.event("1"), daemon.accesses()[0][1:]) == (1, None, ("anna (page)", "deleted", 1))
        inside, done = threading.Event(), list[Any]()
        with daemon.batch():
            other = threading.Thread(target=lambda: (inside.set(), done.append(files.labels().confirm("2", "ben"))))
            other.start()
            inside.wait()
            assert done == []
        other.join(10)
        assert [one.told.by for one in done] == ["ben"]
    files.close()
    (home / "none.toml").write_text('[store]\npath = "none.sqlite"\n')
    with pytest.raises(StoreError, match="there is no event store yet"):
        DaemonFiles(load(home / "none.toml")).writable()
    assert not (home / "none.sqlite").exists()


def test_the_page_does_not_bring_an_old_store_up_to_date(home: Path) -> None:
    """The old daemon may still be writing it."""
    import sqlite3

    (home / "old.toml").write_text('[store]\npath = "old.sqlite"\n')
    with sqlite3.connect(home / "old.sqlite") as db:
        db.executescript(f"PRAGMA journal_mode = WAL; {FIRST} PRAGMA user_version = 1;")
    db.close()
    with pytest.raises(StoreError, match="older Platewatch"):
        DaemonFiles(load(home / "old.toml")).writable()


def test_a_correction_to_a_listed_plate_moves_no_gate(book: Labels, store: Store) -> None:
    """What the lists said when the vehicle was there stays; nothing is queued for anybody."""
    told: list[Any] = []
    store.also = lambda db, event: told.append(event)
    book.correct("0", "AB12CDE", "anna")
    event = store.event("0")
    assert event is not None
    assert (event.match, told) == (None, [])


def test_a_moment_of_a_label_is_utc(book: Labels) -> None:
    assert datetime.fromisoformat(book.confirm("0", "x" * 300).told.at).utcoffset() == timedelta(0)
    found = book.of("0")
    assert found is not None
    assert len(found.told.by) == 100
