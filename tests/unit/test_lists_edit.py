"""Lists that are edited: comments stay, nothing unreadable is written, an import tells first what it would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import cli
from edge.config import load
from edge.errors import ConfigError
from edge.lists.edit import ListFile, check, create
from edge.lists.exchange import export, preview, take
from edge.lists.files import read_list
from edge.lists.registry import add_list, drop_list, lists_of
from edge.lists.settings import ListsConfig
from edge.settings_file.settings import SettingsFile

TOML = """\
# The family and its friends.
tolerance = 0.3

[[plates]]  # her car
plate = "B-AB 1234"
name = "Anna"   # since May
until = 2027-01-31

[[plates]]
plate = "M XY 99"
times = ["Mon-Fri 07:00-18:00", "Sat"]
"""
CSV = """\
# who may come in
Plate;Name;times
b-ab 1234;Anna;

# the firm
"M XY 99";"Kurier; schnell";Mon-Fri 07:00-18:00;
HH Q 1;Quark;
""".replace("18:00;", "18:00").replace("1234;Anna;", "1234;Anna;")


@pytest.fixture(params=["family.toml", "family.csv"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> ListFile:
    path = tmp_path / request.param
    path.write_text(TOML if path.suffix == ".toml" else CSV)
    return ListFile(path, "allow", ListsConfig())


def plates(file: ListFile) -> list[str]:
    return [entry.plate for entry in read_list(file.path, "allow", ListsConfig()).entries]


def test_entries_are_added_changed_and_removed(file: ListFile) -> None:
    before = plates(file)
    opened = file.add({"plate": "K AA 7", "name": "Max, junior", "from": "2026-12-01", "times": "Sun; Sat 08:00-09:00"}, file.open().etag)
    assert plates(file) == [*before, "KAA7"]
    added = opened.plates.entries[-1]
    assert (added.label, str(added.schedule.first), len(added.schedule.spans)) == ("Max, junior", "2026-12-01", 2)
    opened = file.change("kaa7", {"plate": "K-AA 8", "name": "Max"}, opened.etag)
    assert plates(file) == [*before, "KAA8"]
    assert opened.rows[-1] == {"plate": "K-AA 8", "name": "Max"}
    opened = file.remove(["B AB 1234", "KAA8"], opened.etag)
    assert plates(file) == before[1:]


def test_comments_stay_and_what_did_not_change_stays_as_it_was(file: ListFile) -> None:
    text = file.path.read_text()
    opened = file.add({"plate": "K AA 7"}, file.open().etag)
    assert [line for line in text.splitlines() if line not in opened.text.splitlines()] == []
    back = file.remove(["K AA 7"], opened.etag)
    assert back.text.strip() == text.strip()
    renamed = file.change("M XY 99", dict(back.rows[1]) | {"name": "Courier"}, back.etag)
    kept = [line for line in text.splitlines() if "M XY 99" not in line]
    assert [line for line in kept if line not in renamed.text.splitlines()] == []


def test_rows_in_another_order_are_written_so(file: ListFile) -> None:
    opened = file.open()
    made = file.save(list(reversed(opened.rows)), opened.etag)
    assert plates(file) == [entry.plate for entry in reversed(opened.plates.entries)]
    assert sorted(map(str, made.rows)) == sorted(map(str, opened.rows))


def test_a_new_column_comes_with_the_first_that_needs_it(tmp_path: Path) -> None:
    """And Excel's mark and line ends stay."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfplate\r\nB AB 1\r\n")
    file = ListFile(path, "allow", ListsConfig())
    file.add({"plate": "B AB 2", "note": "guest"}, file.open().etag)
    assert path.read_bytes() == b"\xef\xbb\xbfplate,note\r\nB AB 1\r\nB AB 2,guest\r\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"plate": "Я"}, "holds"),
        ({"plate": "B AB 1", "times": "Montag"}, "is no time of the week"),
        ({"plate": "B AB 1", "from": "1.2.2026"}, "write a date like"),
        ({"plate": "B AB 1", "from": "2026-02-02", "until": "2026-01-01"}, "is before from"),
        ({"name": "nobody"}, "has no plate"),
        ({"plate": "B AB 1", "colour": "red"}, "unknown key 'colour'"),
        ({"plate": "B AB 1", "name": "a\nb"}, "cannot be written"),
        ({"plate": "BAB1234"}, "already"),
    ],
)
def test_what_the_parser_refuses_is_not_written(file: ListFile, row: dict[str, str], said: str) -> None:
    before = file.path.read_bytes()
    with pytest.raises(ConfigError, match=said):
        file.add(row, file.open().etag)
    if "already" not in said:
        with pytest.raises(ConfigError, match=said):
            check(row)
    assert file.path.read_bytes() == before


def test_two_who_edit_do_not_overwrite_each_other(file: ListFile) -> None:
    etag = file.open().etag
    file.add({"plate": "K AA 7"}, etag)
    with pytest.raises(ConfigError, match="somebody else"):
        file.add({"plate": "K AA 8"}, etag)
    with pytest.raises(ConfigError, match="not on this list"):
        file.remove(["K AA 7", "K AA 9"], file.open().etag)
    assert "KAA7" in plates(file)


def test_an_import_is_shown_before_it_is_done(file: ListFile) -> None:
    raw = b"plate,name,until\nB AB 1234,Anna B.,\nK AA 7,Max,2027-01-01\nK-AA-7,Max again,\n?,nobody,\nK AA 8,Eva,soon\n"
    opened = file.open()
    found = preview(opened, "in.csv", raw)
    assert [row["plate"] for row in found.new] == ["K AA 7"]
    assert [(old["name"], new["name"]) for old, new in found.changed] == [("Anna", "Anna B.")]
    assert [line for line, _ in found.refused] == [4, 5, 6]
    assert "stands in line 3 already" in found.refused[0][1]
    before = len(opened.rows)
    taken = take(file, found, opened.etag)
    assert len(taken.rows) == before + 1
    again = preview(taken, "in.csv", raw)
    assert (again.new, again.changed, again.same) == ((), (), 2)


def test_what_is_exported_comes_back_the_same(file: ListFile) -> None:
    opened = file.open()
    found = preview(opened, "out.csv", export(opened).encode())
    assert (found.new, found.changed, found.refused, found.same) == ((), (), (), len(opened.rows))


@pytest.mark.parametrize(("raw", "said"), [(b"name\nx\n", "no column 'plate'"), (b"\xff", "UTF-8"), (b"plate,nmae\n", "mean 'name'"), (b"", "no column")])
def test_what_is_no_list_is_one_sentence(file: ListFile, raw: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        preview(file.open(), "in.csv", raw)


def test_a_list_is_made_named_and_dropped(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("# mine\n[lists]\nallow = []  # nobody yet\n")
    settings = SettingsFile(path)
    opened = add_list(settings, "guests.csv", "allow")
    assert [file.path for file in lists_of(settings)] == [tmp_path / "lists/guests.csv"]
    assert load(path).lists.allow == [str(tmp_path / "lists/guests.csv")]
    assert "# nobody yet" in path.read_text()
    for name, said in (("guests.csv", "already"), ("../x.csv", "no name for a file"), ("x.txt", "neither .toml nor .csv")):
        with pytest.raises(ConfigError, match=said):
            add_list(settings, name, "allow")
    drop_list(settings, opened.path)
    assert (load(path).lists.allow, opened.path.exists()) == ([], True)
    with pytest.raises(ConfigError, match="exists already"):
        create(opened.path, "allow", ListsConfig())


def test_the_command_line_does_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.toml"
    path.write_text("")
    words = ["--config", str(path)]
    assert cli.main(["lists", "new", "family.toml", "allow", *words]) == 0
    assert cli.main(["lists", "add", "B AB 1234", "--name", "Anna", "--times", "Mon-Fri 07:00-18:00", *words]) == 0
    (tmp_path / "in.csv").write_text("plate,name\nK AA 7,Max\n!,x\n")
    assert cli.main(["lists", "import", str(tmp_path / "in.csv"), *words]) == 1
    assert "1 new, 0 changed, 0 the same, 1 refused; nothing is written" in capsys.readouterr().out
    assert cli.main(["lists", "import", str(tmp_path / "in.csv"), "--yes", *words]) == 1
    assert cli.main(["lists", "remove", "bab1234", *words]) == 0
    capsys.readouterr()
    assert cli.main(["lists", "export", *words]) == 0
    assert capsys.readouterr().out == "plate,name,group,note,from,until,times\nK AA 7,Max,,,,,\n"
    for wrong in (["add"], ["add", "?"], ["remove", "B AB 1"], ["fly"], ["new", "x.toml", "friends"], ["add", "B 1", "--list", "none"]):
        assert cli.main(["lists", *wrong, *words]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
