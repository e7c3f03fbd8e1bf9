"""The benchmark of the whole daemon: what is played, what is asked of the process, how late events are, and what is demanded."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge import config
from edge.bench.glass import Outlook, glass
from edge.bench.recordings import drive, film, still
from edge.bench.result import STREAM, Result, load_result
from edge.bench.stream import Bench, Plan, cells, goals
from edge.bench.stream_tables import goal_lines, tables
from edge.bench.streamed import Goal, Streamed, StreamRun
from edge.bench.watched import BenchError, config_text, daemon
from edge.cli import main
from edge.errors import ImageError
from edge.model.manifest import SHIPPED

MODELS = (SHIPPED / "detector", SHIPPED / "reader")
EMPTY = Outlook(Path("nowhere"))


def note(at: float, *reads: tuple[int, str], previews: list[list[Any]] | None = None) -> dict[str, Any]:
    """A frame that the camera gave at `at`, and that was done 0.02 s later."""
    return {"seen_at": at, "done_at": at + 0.02, "reads": [list(read) for read in reads], "previews": previews or []}


def a_run(how: str = "as fast as it goes", recording: str = "drawn 720p, 1 plate", **changes: Any) -> StreamRun:
    told = {
        "how": how, "recording": recording, "threads": 1, "seconds": 5.0, "frames": 200, "looked": 200, "passed_over": 0, "dropped": 0, "plates": 200,
        "fps": 40.0, "core_share": 0.9, "cpu_ms": 22.0, "resident_mb": 100.0, "private_mb": 60.0,
        "stages_ms": {stage: {"median": 5.0, "p95": 6.0} for stage in ("detect", "read", "track", "total")},
    }  # fmt: skip
    return StreamRun.model_validate(told | changes)


# How late


def test_a_preview_is_late_by_the_frames_since_the_kth_read_of_its_text():
    """Other texts and other plates do not count; the read before the rules does."""
    notes = [
        note(1.0, (1, "AB12"), (2, "XY99")),
        note(1.1, (1, "A812")),
        note(1.2, (1, "AB12"), (2, "AB12")),
        note(1.3, (1, "A812"), previews=[]),
        note(1.4, (1, "AB13")),
        note(1.5, (1, "AB12"), previews=[["e", "AB12", "A812", 3]]),
    ]
    outlook = Outlook(Path("nowhere"), rows={"e": 1.53}, lines={"e": 1.55})
    found = glass("clip", 3, notes, outlook)
    assert found.frames == (3,)
    assert found.preview is not None
    assert found.row is not None
    assert found.line is not None
    assert found.first_sight is not None
    assert [round(ms.median) for ms in (found.preview, found.row, found.line, found.first_sight)] == [320, 330, 350, 520]


def test_a_preview_in_the_very_frame_is_late_by_its_work_alone():
    notes = [note(at / 10, (1, "AB12")) for at in range(2)] + [note(0.2, (1, "AB12"), previews=[["e", "AB12", "AB12", 3]])]
    found = glass("clip", 3, notes, EMPTY)
    assert (found.frames, found.row, found.line) == ((0,), None, None)
    assert found.preview is not None
    assert found.preview.median == pytest.approx(20.0)


def test_without_previews_there_is_nothing_to_tell():
    found = glass("clip", 3, [note(0.0, (1, "AB12"))], EMPTY)
    assert (found.frames, found.preview, found.first_sight) == ((), None, None)


def test_the_outlook_sees_whole_lines_and_previews_alone(tmp_path: Path):
    """Half a line is none yet; a final event is no preview."""
    db = sqlite3.connect(tmp_path / "events.sqlite")
    db.executescript("PRAGMA journal_mode = WAL; CREATE TABLE events (id TEXT, json TEXT);")
    outlook = Outlook(tmp_path)
    outlook.look()
    for id, preview in (("a", True), ("b", False)):
        db.execute("INSERT INTO events VALUES (?, ?)", (id, json.dumps({"preview": preview})))
    db.commit()
    lines = tmp_path / "events.jsonl"
    lines.write_text('{"id": "a", "preview": true}\n{"id": "b", "preview": false}\n{"id": "c", "prev')
    outlook.look()
    assert (set(outlook.rows), set(outlook.lines)) == ({"a"}, {"a"})
    lines.write_text(lines.read_text() + 'iew": true}\n')
    first = outlook.lines["a"]
    outlook.look()
    assert set(outlook.lines) == {"a", "c"}
    assert outlook.lines["a"] == first
    outlook.close()
    db.close()


# What is played


def test_a_drawn_stream_is_the_same_frames_every_time(tmp_path: Path):
    (tmp_path / "again").mkdir()
    one, other = (drive(folder, "720p") for folder in (tmp_path, tmp_path / "again"))
    assert one.facts == other.facts
    assert (one.facts.width, one.facts.height, one.facts.frames, one.facts.fps) == (1280, 720, 60, 15.0)
    quiet = still(tmp_path, "720p", seed=1).facts
    assert (quiet.name, quiet.fps) == ("drawn 720p, still", 5.0)
    assert quiet == still(tmp_path / "again", "720p", seed=1).facts != still(tmp_path, "720p", seed=2).facts


@pytest.mark.parametrize(
    ("name", "content", "told"), [("none.mp4", None, "no such file"), ("a.txt", b"x", "is no video"), ("a.mp4", b"x" * 999, "cannot be read")]
)
def test_a_wrong_recording_is_one_sentence(tmp_path: Path, name: str, content: bytes | None, told: str, capsys: pytest.CaptureFixture[str]):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=told):
        film(tmp_path / name)
    assert main(["bench", "--stream", str(tmp_path / name)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--threads", "1,2"], "one count at a time"),
        (["--repeat", "0"], "--repeat 0: at least 1"),
        (["--budget", "0"], "--budget 0:"),
        (["--json", "nowhere/at/all.json"], "cannot be written"),
        (["--detector", "nowhere"], "nowhere: no "),
    ],
)
def test_a_mistake_is_told_before_any_daemon_starts(words: list[str], told: str, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "--stream", *words]) == 1
    assert told in capsys.readouterr().err


# The process


def test_the_daemons_config_is_one_that_the_daemon_takes(tmp_path: Path):
    """All but the camera, the models and the folders is as it is by default."""
    path = tmp_path / "bench.toml"
    path.write_text(config_text(Path('a "b".mp4'), MODELS, 1, loop=True, real_time=False))
    found = config.load(path)
    assert (found.camera.loop, found.camera.real_time, found.models.threads) == (True, False, 1)
    assert found.camera.source.endswith('a "b".mp4')
    assert found.tracking == config.Config().tracking
    assert found.targets[0].stages == ("preview", "final")


def test_a_daemon_that_ends_by_itself_is_one_sentence_with_its_last_words(tmp_path: Path):
    text = config_text(tmp_path / "gone.mp4", MODELS, 1, loop=False, real_time=False)
    with daemon(tmp_path / "d", text) as one, pytest.raises(BenchError, match=r"ended by itself \(exit 1\): .*gone\.mp4: no such file"):
        one.until(lambda now: now.looked > 0)


def test_a_daemon_is_measured_from_outside_and_its_events_are_timed(tmp_path: Path):
    """The real thing, for a second each: a plate is read, told, stored and written to the file, in this order."""
    played = drive(tmp_path, "720p")
    bench = Bench(Plan([], MODELS, 1, 1, 0.5, 0), tmp_path)
    run = bench.fast(played)
    assert run.looked == run.frames - run.dropped
    assert run.plates >= run.looked > 0
    assert run.fps == pytest.approx(run.looked / run.seconds, rel=0.01)
    assert run.resident_mb is not None
    assert run.private_mb is not None
    assert 20 < run.private_mb < run.resident_mb < 400
    found = bench.glass(played)
    assert len(found.frames) == 1
    assert found.preview is not None
    assert found.row is not None
    assert found.line is not None
    assert 0 < found.preview.median < found.row.median <= found.line.median  # both are looked for every 2 ms


# The result


def test_the_figures_become_cells_that_can_be_compared():
    runs = [a_run(fps=fps) for fps in (20.0, 40.0, 50.0)]
    found = list(cells(runs, [glass("clip", 3, [], EMPTY)], 1))
    assert [one.what for one in found] == list(STREAM)
    assert found[0].ms is not None
    assert (found[0].ms.runs, found[0].ms.median, found[0].ms.cpu) == (3, 25.0, 22.0)
    assert [one.why for one in found[1:]] == ["no plate of the recording gave a preview"] * 3


def test_a_goal_that_is_missed_is_told_as_missed():
    """And what could not be measured is neither met nor missed."""
    quiet = a_run("nothing moves", "drawn 720p, still", core_share=0.5)
    long = a_run(resident_mb=160.0)
    late = glass("clip", 1, [note(0.0, (1, "A")), note(0.1, previews=[["e", "A", "A", 1]])], EMPTY)
    found = list(goals([a_run(fps=12.0), quiet], long, [late], 1))
    assert [goal.met for goal in found] == [False, True, False, True, False, True]
    assert found[4].measured == 167.8  # MiB are larger than MB
    assert "720p" not in " ".join(goal.what for goal in goals([a_run(), quiet], long, [], 2) if "one thread" in goal.what)
    told = list(goal_lines(Streamed(recordings=(), runs=(), glass=(), goals=(*found, Goal(what="x", demanded=1, most=True, unit="s", measured=None)))))
    assert [line.split()[0] for line in told] == ["MISSED", "met", "MISSED", "met", "MISSED", "met", "?"]
    assert len(list(tables(Streamed(recordings=(), runs=(quiet,), glass=(late,), goals=())))) == 2


def test_files_of_the_version_before_can_still_be_read(tmp_path: Path):
    """Version 3 adds the stream; a file of version 2 has none."""
    committed = Path(__file__).parents[2] / "convert" / "results" / "bench" / "x86-64-shared-2-cores.json"
    told = json.loads(committed.read_text())
    path = tmp_path / "old.json"
    path.write_text(json.dumps({key: said for key, said in told.items() if key != "stream"} | {"v": 2}))
    assert load_result(path).stream is None
    assert Result.model_fields["v"].default == 3
