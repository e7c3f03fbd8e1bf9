"""`platewatch events`: looking up, counting, exporting, erasing."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.cli import main
from edge.config import load
from edge.evidence import Evidence, KeptLook
from edge.labels.book import Labels
from edge.publish import publishing
from edge.records import Match
from edge.store import Store
from tests.builders import an_event

FAMILY = Match("family", "allow", "AB12CDE", "Anna")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A device with five events, a target that has not got them, and two pictures of unread plates."""
    (tmp_path / "c.toml").write_text(
        '[store]\npath = "events.sqlite"\n[runtime]\ndirectory = "run"\n[[targets]]\nname = "yard"\nkind = "jsonl"\npath = "told.jsonl"\n'
    )
    config = load(tmp_path / "c.toml")
    with Store(config.store.path) as store:
        told = publishing.build(config, store)
        assert told is not None
        now = datetime.now(UTC)
        for number, (text, camera, match) in enumerate(
            [("AB12CDE", "gate", FAMILY), ("AB12CDF", "gate", None), ("A812CDE", "yard", None), ("XY34ZZZ", "yard", None), ("SECRETXY", "gate", None)]
        ):
            moment = (now - timedelta(hours=50 - 10 * number)).isoformat(timespec="milliseconds")
            store.add(an_event(str(number), text, moment, camera=camera, match=match, crop_jpeg=f"\xff\xd8 {text}".encode("latin-1")))
        told.stop()
    unread = tmp_path / "run" / "unread"
    unread.mkdir(parents=True)
    for number, text in enumerate(("SECRETXY", "OTHER")):
        (unread / f"20261122T21000000000{number}-0001.json").write_text(json.dumps({"v": 1, "text": text}))
        (unread / f"20261122T21000000000{number}-0001.jpg").write_bytes(f"picture of {text}".encode())
    return tmp_path


def events(home: Path, *words: str) -> int:
    return main(["events", *words, "--config", str(home / "c.toml")])


def shown(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert events(home, "--json", *words) == 0
    return [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--plate", "ab 12-cde"], ["AB12CDE"]),
        (["--plate", "AB12*"], ["AB12CDF", "AB12CDE"]),
        (["--plate", "A?12CDE"], ["A812CDE", "AB12CDE"]),
        (["--plate", "AB12CDE", "--fuzzy", "0.4"], ["A812CDE", "AB12CDE"]),
        (["--plate", "AB12CDE", "--fuzzy", "1"], ["A812CDE", "AB12CDF", "AB12CDE"]),
        (["--camera", "yard"], ["XY34ZZZ", "A812CDE"]),
        (["--list", "family"], ["AB12CDE"]),
        (["--list", "none", "--limit", "2"], ["SECRETXY", "XY34ZZZ"]),
        (["--last", "25h"], ["SECRETXY", "XY34ZZZ"]),
        (["--until", "2020-01-01"], []),
        (["--since", "2020-01-01", "--limit", "1"], ["SECRETXY"]),
        (["--country", "GB"], []),
        (["--direction", "unknown", "--limit", "1"], ["SECRETXY"]),
        (["--below", "0.9"], []),
        (["--below", "0.91", "--camera", "yard"], ["XY34ZZZ", "A812CDE"]),
        (["--labelled", "none", "--list", "family"], ["AB12CDE"]),
        (["--labelled", "corrected"], []),
        (["--day", "2020-01-01", "--zone", "Europe/Berlin"], []),
    ],
)
def test_what_is_asked_for_is_found(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], texts: list[str]) -> None:
    """Newest first."""
    assert shown(home, capsys, *words) == texts


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--last", "soon"], "write 30min, 24h, 7d or 2w"),
        (["--since", "yesterday"], "is no time"),
        (["--plate", "A*", "--fuzzy", "1"], "a pattern has no distance"),
        (["--plate", "***"], "names no character"),
        (["--plate", "%"], "--plate"),
        (["--fuzzy", "1"], "needs a --plate"),
        (["--last", "1d", "--since", "2026-01-01"], "give one of them"),
        (["--limit", "0"], "must be 1 or more"),
        (["--day", "today"], "is no day"),
        (["--day", "2026-11-22", "--last", "1d"], "give one of them"),
        (["--day", "2026-11-22", "--until", "2026-11-23"], "give one of them"),
        (["--zone", "Europe/Berlln", "--day", "2026-11-22"], "is no time zone"),
        (["--below", "90"], "is no share"),
        (["--looks"], "--looks needs --json"),
        (["delete", "--yes"], "needs to know which"),
        (["delete", "--plate", "AB12CDE"], "nothing was deleted"),
        (["export", "--out", "/nowhere/x.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    assert events(home, *words) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1


def test_a_device_without_a_store_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text("")
    assert main(["events", "--config", str(tmp_path / "c.toml")]) == 1
    assert "there is no event store yet" in capsys.readouterr().err


def test_an_export_has_the_pictures_beside_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert events(home, "export", "--camera", "yard", "--crops", str(home / "crops"), "--out", str(home / "x.csv")) == 0
    rows = list(csv.DictReader(io.StringIO((home / "x.csv").read_text())))
    assert [row["text"] for row in rows] == ["XY34ZZZ", "A812CDE"]
    assert [(home / "crops" / row["crop"]).read_bytes()[3:] for row in rows] == [b" XY34ZZZ", b" A812CDE"] or all(
        (home / "crops" / row["crop"]).read_bytes().endswith(row["text"].encode()) for row in rows
    )
    assert events(home, "export", "--format", "jsonl", "--list", "family") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["text"], json.loads(line)["match"]["label"]) == ("AB12CDE", "Anna")


def test_of_an_erased_plate_no_byte_is_left(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows, crops, what waits for a target, unread pictures: while a daemon and a page hold the store open, and then some."""
    files = [home / "events.sqlite", home / "events.sqlite-wal", *(home / "run" / "unread").glob("*")]
    daemon, page = Store(home / "events.sqlite"), Store(home / "events.sqlite", read_only=True)
    daemon.add(an_event("preview", "SECRETXY", preview=True))
    assert any(b"SECRETXY" in path.read_bytes() for path in files if path.exists())
    assert page.count() == 5
    assert events(home, "delete", "--plate", "secret xy", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": 2, "labels": 0, "unread_pictures": 1, "complete": True, "not_searched": []}
    left = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"SECRETXY" not in left
    assert b"XY34ZZZ" in left
    assert b"picture of OTHER" in left
    assert (page.count(), daemon.count(), daemon.rows("SELECT count(*) FROM outbox")) == (4, 4, [(4,)])
    daemon.close()
    page.close()


def test_who_looked_is_written_down_without_the_plate(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown(home, capsys, "--plate", "SECRETXY")
    events(home, "delete", "--plate", "SECRETXY", "--yes")
    capsys.readouterr()
    assert events(home, "log", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["did"], row["events"]) for row in rows] == [("deleted", 1), ("looked up", 1)]
    assert "command line" in rows[0]["who"]


def test_the_access_log_is_bounded(tmp_path: Path) -> None:
    with Store(tmp_path / "events.sqlite") as store:
        for number in range(10):
            store.note_access("2026", "anna", "looked up", number, keep=3)
        assert [row[3] for row in store.accesses()] == [9, 8, 7]
        store.note_access("2026", "anna", "looked up", 99, keep=0)
        assert len(store.accesses()) == 3


def test_figures_count_what_is_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert events(home, "stats", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["events"], told["plates"], told["cameras"], told["lists"]) == (5, 5, {"gate": 3, "yard": 2}, {"none": 4, "family": 1})
    assert sum(told["days"].values()) == sum(told["hours"].values()) == 5


def test_a_plate_is_found_and_erased_under_its_pseudonym(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text is asked for, the other name is stored; a pattern cannot find it and says so."""
    from edge.keeping.pseudonym import device_key, pseudonym

    with (home / "c.toml").open("a") as file:
        file.write("[privacy]\npseudonyms = true\n")
    name = pseudonym(device_key(home / "pseudonym.key"), "GG11GGG")
    with Store(home / "events.sqlite") as store:
        store.add(an_event("9", name))
    assert shown(home, capsys, "--plate", "GG11 GGG") == [name]
    assert events(home, "--plate", "GG*") == 1
    assert "only a whole plate" in capsys.readouterr().err
    assert events(home, "delete", "--plate", "GG11GGG", "--yes") == 0
    capsys.readouterr()
    assert shown(home, capsys, "--plate", "GG11GGG") == []


def test_the_looks_behind_a_text_are_told_where_they_are_asked_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And only there: what is told without being asked stays as it was."""
    looks = (KeptLook(0.5, "AB12CDE", 0.9, (0.9,) * 7, 0.2, 120.0, 0.8, 0.9, True),)
    with Store(home / "events.sqlite") as store:
        store.add(an_event("seen", "AB12CDE", evidence=Evidence(looks, 1, "AB12CDE")))
    assert events(home, "--json", "--looks", "--plate", "AB12CDE") == 0
    newest, oldest = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (newest["evidence"]["looks"][0]["text"], newest["evidence"]["voted"], "evidence" in oldest) == ("AB12CDE", 1, False)
    assert events(home, "--json", "--plate", "AB12CDE") == 0
    assert "evidence" not in capsys.readouterr().out


def test_a_correction_is_shown_beside_what_was_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the table, in JSON, and in a column of its own of the CSV."""
    with Store(home / "events.sqlite") as store:
        book = Labels(store, load(home / "c.toml"))
        book.correct("2", "AB12CDE", "anna")
        book.not_a_plate("3", "anna")
    assert shown(home, capsys, "--plate", "AB12CDE") == ["A812CDE", "AB12CDE"]
    assert events(home, "--labelled", "any") == 0
    table = capsys.readouterr().out
    assert "A812CDE → AB12CDE" in table
    assert "XY34ZZZ ✗" in table
    assert events(home, "export", "--labelled", "corrected") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["text"], row["text_corrected"]) == ("A812CDE", "AB12CDE")
