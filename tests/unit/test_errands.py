"""Errands: what is not asked costs nothing, what is old is not done, and what is odd is a sentence."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge import errands as desk_side
from edge.errands import FOLDER, LOOK_EVERY_S, MOST, Answer, Errand, Errands, Refused
from edge.gate.audit import Audit
from edge.gate.gate import Gate
from edge.status import StatusFile, utc_iso
from edge.web.errands import Errands as PageErrands
from tests.fakes import FakeClock
from tests.gates import FakeRelay, a_gate_config

ID = "0123456789abcdef" * 2


class Desk:
    """The daemon's end with one kind of errand, `greet`, and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.ran = FakeClock(), list[Errand]()
        self.now = datetime.now(UTC)
        self.errands = Errands(folder, {"greet": self.greet, "fall": self.fall, "later": lambda errand: None}, clock=self.clock, wall=lambda: self.now)
        self.folder = folder / FOLDER
        self.tend()

    def greet(self, errand: Errand) -> Answer:
        self.ran.append(errand)
        if errand.args.get("rude"):
            raise Refused("not like that")
        return Answer(True, f"hello {errand.who}", {"n": 1})

    def fall(self, errand: Errand) -> Answer:
        raise RuntimeError("oh")

    def tend(self) -> None:
        self.clock.advance(LOOK_EVERY_S)
        self.errands.tend()

    def lay(self, name: str = ID, **changes: Any) -> None:
        told = {"v": 1, "id": name, "kind": "greet", "args": {}, "who": "anna", "at": utc_iso(self.now)} | changes
        (self.folder / f"{name}.json").write_text(json.dumps(told))
        self.tend()

    def answer(self, id: str = ID) -> dict[str, Any]:
        return dict(json.loads((self.folder / f"{id}.answer.json").read_text()))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_errand_is_run_once_and_answered(desk: Desk) -> None:
    desk.lay()
    assert desk.answer() == {"ok": True, "sentence": "hello anna", "n": 1}
    desk.tend()
    assert len(desk.ran) == 1
    assert [path.name for path in desk.folder.iterdir()] == [f"{ID}.answer.json"]
    assert (desk.folder / f"{ID}.answer.json").stat().st_mode & 0o777 == 0o600
    assert desk.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("age_s", [-3600, -6, 6, 60])
def test_what_is_old_or_of_the_future_is_refused(desk: Desk, age_s: float) -> None:
    """Also after the clock has jumped: rather ask again than open a gate an hour late."""
    desk.lay(at=utc_iso(desk.now - timedelta(seconds=age_s)))
    assert (desk.answer()["ok"], desk.ran) == (False, [])
    assert "was not run; ask again" in desk.answer()["sentence"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "dance"}, "runs no errand 'dance'; it knows fall, greet, later"),
        ({"v": 2}, "cannot be understood"),
        ({"id": "f" * 32}, "cannot be understood"),
        ({"args": []}, "cannot be understood"),
        ({"at": "yesterday"}, "cannot be understood"),
        ({"at": "2026-11-23T06:00:00"}, "cannot be understood"),
        ({"args": {"x": "y" * 70_000}}, "at most 64 KiB"),
        ({"args": {"rude": 1}}, "not like that"),
        ({"kind": "fall"}, "could not do it (RuntimeError)"),
    ],
)
def test_what_is_odd_is_a_sentence(desk: Desk, changes: dict[str, Any], said: str) -> None:
    desk.lay(**changes)
    assert not desk.answer()["ok"]
    assert said in desk.answer()["sentence"]


def test_only_files_with_the_right_names_are_looked_at(desk: Desk, tmp_path: Path) -> None:
    """A link is not followed, a pipe is not waited for, anything else is left alone."""
    for name in ("x.json", f"{ID}.JSON", "../y.json", f"{ID}.txt"):
        (desk.folder / name).write_text("{}")
    (desk.folder / f"{'a' * 32}.json").symlink_to("/etc/passwd")
    os.mkfifo(desk.folder / f"{'b' * 32}.json")
    desk.tend()
    assert desk.ran == []
    for id in ("a" * 32, "b" * 32):
        assert "ordinary file" in desk.answer(id)["sentence"] or "at most" in desk.answer(id)["sentence"]
    assert (desk.folder / "x.json").exists()


def test_too_many_at_once_are_refused(desk: Desk) -> None:
    ids = [f"{number:032x}" for number in range(MOST + 3)]
    for id in ids:
        (desk.folder / f"{id}.json").write_text(json.dumps({"v": 1, "id": id, "kind": "greet", "args": {}, "who": "", "at": utc_iso(desk.now)}))
    desk.tend()
    assert len(desk.ran) == MOST
    assert "errands wait" in desk.answer(ids[-1])["sentence"]


def test_while_nothing_happens_it_is_one_look_at_the_folder(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stat each quarter of a second, and the folder's content not even once."""
    desk.now += timedelta(seconds=10)
    desk.tend()
    looked, stats = desk.errands.looked, list[float]()
    plain = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **more: (stats.append(desk.clock.now), plain(self, **more))[1])
    for _ in range(400):  # ten seconds of frames at 40 a second
        desk.clock.advance(0.025)
        desk.errands.tend()
    assert desk.errands.looked == looked
    assert len(stats) <= 41


def test_answers_that_nobody_fetches_go(desk: Desk) -> None:
    desk.lay()
    desk.clock.advance(31)
    desk.errands.tend()
    assert list(desk.folder.iterdir()) == []


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / FOLDER).symlink_to(tmp_path / "elsewhere")
    clock = FakeClock()
    errands = Errands(tmp_path, {}, clock=clock)
    for _ in range(8):
        errands.tend()
        clock.advance(1)
    assert [record.message for record in caplog.records] == [
        f"the page cannot ask anything: {tmp_path / FOLDER}: is no folder of this user; delete it, and run daemon and page as the same user"
    ]


def test_page_and_daemon_find_each_other(tmp_path: Path) -> None:
    """Over the file system alone; an errand that nobody answers is withdrawn, so that it is never run later."""
    page = PageErrands(tmp_path)
    assert "does not run" in page.ask("greet").sentence
    told = {"v": 1, "pid": os.getpid(), "state": "watching", "updated_at": utc_iso(datetime.now(UTC))}
    StatusFile(tmp_path).offer(lambda: told, force=True)
    nobody = page.ask("greet", wait_s=0.1)
    assert not nobody.ok
    assert "has not answered" in nobody.sentence
    assert list((tmp_path / FOLDER).iterdir()) == []

    def greet(errand: Errand) -> Answer:
        return Answer(True, f"hello {errand.who}", {"n": errand.args["n"]})

    daemon, stop = Errands(tmp_path, {"greet": greet}), threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            daemon.tend()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        began = time.monotonic()
        answers = [page.ask("greet", {"n": n}, who="anna\n" + "x" * 60) for n in range(3)]
        assert time.monotonic() - began < 3.0
    finally:
        stop.set()
        thread.join()
    assert [(one.ok, dict(one.more or {})) for one in answers] == [(True, {"n": n}) for n in range(3)]
    assert answers[0].sentence == "hello anna" + "x" * 36
    assert "64 KiB" in page.ask("greet", {"x": "y" * 70_000}).sentence


def test_an_errand_withdrawn_in_time_is_not_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file goes between the look at the folder and the opening of it."""
    plain = desk_side._content
    monkeypatch.setattr(desk_side, "_content", lambda path: (plain(path), path.unlink())[0])
    desk.lay()
    assert (desk.ran, list(desk.folder.iterdir())) == ([], [])


def test_the_gate_is_tested_within_its_limits_and_on_record(tmp_path: Path) -> None:
    relay, clock = FakeRelay(), FakeClock()
    audit = Audit(tmp_path / "gate.sqlite")
    gate = Gate(a_gate_config(pulse_s=2.0, max_duty=0.05), audit, relay, wall=clock.wall)
    assert gate.test("anna", 0.0) == (True, "the relay was switched on for 2 s")
    opened, said = gate.test("anna", 10.0)
    assert not opened
    assert "gate.max_duty" in said
    relay.trouble = "the relay's process is gone"
    assert gate.test("bert", 100.0) == (False, "the relay's process is gone")
    relay.trouble = ""
    assert (len(relay.pulses), [(row.reason, row.why, row.opens, row.plate) for row in audit.rows()]) == (1, [("test", "test by anna", True, "")])
    audit._db.execute("DROP TABLE decisions")
    opened, said = gate.test("anna", 200.0)
    assert not opened
    assert len(relay.pulses) == 1  # no pulse without its row
    gate.close()
    assert not gate.test("anna", 300.0)[0]
