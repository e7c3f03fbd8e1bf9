"""Known plates: what a file may say, whom a text is taken for, and what else is accepted."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge import cli
from edge.errors import ConfigError
from edge.lists.book import Book, Lists
from edge.lists.command import whose
from edge.lists.entry import Entry, PlateList, spelt
from edge.lists.files import read_list
from edge.lists.index import Index, rests
from edge.lists.nearby import DRAWS, Odds, accepted, chance, odds, random_plates
from edge.lists.reach import Conflict, Reach, conflicts, reach_of, reach_of_list
from edge.lists.schedule import Schedule, Span, parse_span, zone
from edge.lists.settings import ListsConfig
from edge.plates.choice import choice
from edge.plates.lookalike import COSTS, cost, distance, family, one_look_apart
from tests.fakes import FakeClock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday."""
BERLIN = ZoneInfo("Europe/Berlin")


def a_list(*plates: str, kind: str = "allow", tolerance: float = 0.5, name: str = "list", **schedule: object) -> PlateList:
    entries = tuple(Entry(plate, schedule=Schedule(**schedule)) for plate in plates)  # type: ignore[arg-type]
    return PlateList(name, kind, entries, tolerance)  # type: ignore[arg-type]


def written(folder: Path, text: str, name: str = "family.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, name: str = "family.toml") -> PlateList:
    return read_list(written(folder, text, name), "allow", ListsConfig())


def test_a_toml_list_is_read_whole(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'name = "Family"\ntolerance = 0\ntime_zone = "Europe/Berlin"\n[[plates]]\nplate = "B-AB 1234"\nname = "Anna"\ngroup = "us"\nnote = "van"\n'
        'from = 2026-01-01\nuntil = 2026-12-31\ntimes = ["Mon-Fri 07:00-18:00", "Sat"]\n[[plates]]\nplate = "xy34zzz"\n',
    )
    assert (found.name, found.kind, found.tolerance, found.where) == ("Family", "allow", 0.0, BERLIN)
    anna, other = found.entries
    assert (anna.plate, anna.label, anna.group, anna.note, anna.line) == ("BAB1234", "Anna", "us", "van", 4)
    assert (anna.schedule.first, anna.schedule.last, len(anna.schedule.spans)) == (date(2026, 1, 1), date(2026, 12, 31), 2)
    assert (other.plate, other.schedule, other.line) == ("XY34ZZZ", Schedule(), 12)


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_csv_list_is_read_whole(tmp_path: Path, mark: str) -> None:
    """With the mark that a spreadsheet of the country writes, its byte order mark, a comment and an empty line."""
    rows = ["\ufeffPlate,name,until,times", "# neighbours", "", '"B-AB 1234",Anna,2026-12-31,Mon-Fri 07:00-18:00', "xy34zzz"]
    found = read(tmp_path, "\n".join(rows).replace(",", mark) + "\n", "family.csv")
    assert [(entry.plate, entry.label, entry.line) for entry in found.entries] == [("BAB1234", "Anna", 4), ("XY34ZZZ", "", 5)]
    assert (found.name, found.entries[0].schedule.last) == ("family", date(2026, 12, 31))


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        ("a.toml", '[[plates]]\nplat = "A1"\n', ["a.toml, line 1", "unknown key 'plat'", "did you mean 'plate'?"]),
        ("a.toml", 'zone = "x"\n', ["a.toml", "unknown key 'zone'", "did you mean 'time_zone'?"]),
        ("a.toml", '[[plates]]\nplate = "AB12"\n\n[[plates]]\nplate = "ab 12"\n', ["line 4", "AB12 stands in line 1 already"]),
        ("a.toml", "[[plates]]\nplate = 12\n", ["line 1", "plate is 12; put it in quotes"]),
        ("a.toml", '[[plates]]\nname = "Anna"\n', ["line 1", "has no plate"]),
        ("a.toml", '[[plates]]\nplate = "AB12"\nuntil = "soon"\n', ["line 1", "until is 'soon'", "2026-12-31"]),
        ("a.toml", '[[plates]]\nplate = "AB12"\nfrom = 2026-02-01\nuntil = 2026-01-01\n', ["line 1", "until 2026-01-01 is before from 2026-02-01"]),
        ("a.toml", '[[plates]]\nplate = "AB12"\ntimes = ["Mo 7-9"]\n', ["line 1", "'Mo 7-9' is no time of the week"]),
        ("a.toml", '[[plates]]\nplate = "AB12"\ntimes = ["Mon 25:00-26:00"]\n', ["line 1", "'25:00' is no time of day"]),
        ("a.toml", '[[plates]]\nplate = "AB12"\ntimes = ["Foo"]\n', ["line 1", "'foo' is no day"]),
        ("a.toml", '[[plates]]\nplate = "AB12"\ntimes = ["Mon 08:00-08:00"]\n', ["line 1", "begins when it ends"]),
        ("a.toml", '[[plates]]\nplate = "品川12"\n', ["line 1", "'品', which the reader does not know"]),
        ("a.toml", '[[plates]]\nplate = "-"\n', ["line 1", "0 characters"]),
        ("a.toml", "tolerance = 9\n", ["tolerance is 9", "0 to 3"]),
        ("a.toml", 'time_zone = "Mars/North"\n', ["'Mars/North' is not known"]),
        ("a.toml", "plates = [\n", ["a.toml", "not valid TOML"]),
        ("a.toml", "plates = 3\n", ["begin each with [[plates]]"]),
        ("a.csv", "plate,nme\nAB12,x\n", ["a.csv, line 1", "unknown key 'nme'", "did you mean 'name'?"]),
        ("a.csv", "name\nAnna\n", ["line 1", "no column 'plate'"]),
        ("a.csv", "plate,name\nAB12,Anna,9\n", ["line 2", "3 cells", "2 columns"]),
        ("a.csv", 'plate\n"AB12\n', ["a.csv", "not valid CSV"]),
        ("a.csv", "plate,name\nAB12,Anna\n,Bob\n", ["line 3", "has no plate"]),
        ("a.txt", "AB12\n", ["a.txt", "neither .toml nor .csv"]),
    ],
)
def test_a_bad_list_is_one_sentence_with_its_line(tmp_path: Path, name: str, text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, name)
    said = str(caught.value)
    assert [part for part in parts if part not in said] == []
    assert "\n" not in said


def test_a_list_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        read_list(tmp_path / "none.toml", "deny", ListsConfig())
    (tmp_path / "latin.csv").write_bytes(b"plate\nM\xfc12\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_list(tmp_path / "latin.csv", "deny", ListsConfig())


@pytest.mark.parametrize(("said", "text"), [("b-ab 12", "BAB12"), ("LÖ-Ü 7", "LOU7"), ("А123ВС77", "A123BC77"), ("ΑΒΖ-1234", "ABZ1234")])
def test_a_plate_is_spelt_as_the_reader_spells(said: str, text: str) -> None:
    """Small letters, marks, umlauts, Cyrillic and Greek."""
    assert spelt(said) == text


def test_a_lookalike_costs_little_and_a_stranger_one() -> None:
    assert 0 < cost("O", "0") == cost("0", "O") < 0.5 < cost("A", "7") == 1.0
    assert distance("AB12CDO", "AB12CD0") == cost("O", "0")
    assert distance("AB12CDE", "AB12CD") == 1.0
    assert distance("AB12CDE", "AB12CDX") == 1.0
    assert all(0 < price < 1 for price in COSTS.values())
    assert one_look_apart("AB12O", "AB120")
    assert not one_look_apart("AB12O", "AB12O")
    assert not one_look_apart("AO12O", "A0120")


def test_the_nearest_of_the_strongest_kind_is_taken() -> None:
    """Ignore before deny before allow, each within its own tolerance; then the distance."""
    book = Book([a_list("AB12CDO", "AB12CD0"), a_list("XY34ZZZ", kind="deny", tolerance=1), a_list("PQ99PQQ", kind="ignore"), a_list("XY34ZZY", "PQ99PQQ")])
    match = book.match("AB12CD0", NOON)
    assert match is not None
    assert (match.plate, match.distance) == ("AB12CD0", 0.0)
    kinds = {text: found.kind if (found := book.match(text, NOON)) else None for text in ("XY34ZZY", "PQ99PQQ", "AB12CDD", "XX34ZZX", "")}
    assert kinds == {"XY34ZZY": "deny", "PQ99PQQ": "ignore", "AB12CDD": "allow", "XX34ZZX": None, "": None}


def test_tolerance_nought_takes_the_very_plate_alone() -> None:
    book = Book([a_list("AB12CDO", tolerance=0)])
    assert book.match("AB12CDO", NOON) is not None
    assert book.match("AB12CD0", NOON) is None


def test_out_of_its_time_a_friend_is_named_and_an_enemy_is_nobody() -> None:
    """Who was denied last year is a stranger now; who may come on Mondays is known on Tuesdays, and told to be early."""
    book = Book([a_list("AB12CDE", spans=(parse_span("Tue"),)), a_list("XY34ZZZ", kind="deny", last=date(2025, 12, 31))])
    match = book.match("AB12CDE", NOON)
    assert match is not None
    assert not match.due
    assert book.match("XY34ZZZ", NOON) is None


@pytest.mark.parametrize(
    ("text", "moment", "covered"),
    [
        ("Mon-Fri 07:00-18:00", "2026-11-23T07:00", True),
        ("Mon-Fri 07:00-18:00", "2026-11-23T18:00", False),
        ("Mon-Fri 07:00-18:00", "2026-11-22T12:00", False),
        ("Sat 22:00-02:00", "2026-11-21T23:00", True),
        ("Sat 22:00-02:00", "2026-11-22T01:59", True),
        ("Sat 22:00-02:00", "2026-11-22T02:00", False),
        ("Sat 22:00-02:00", "2026-11-21T01:00", False),
        ("Sun 22:00-24:00", "2026-11-22T23:59", True),
        ("Fri-Mon", "2026-11-22T00:00", True),
        ("Fri-Mon", "2026-11-24T00:00", False),
        ("07:00-08:00", "2026-11-22T07:30", True),
        # Clocks go back on 25 October at 03:00: 02:30 comes twice, and counts twice.
        ("Sun 02:15-02:45", "2026-10-25T02:30+02:00", True),
        ("Sun 02:15-02:45", "2026-10-25T02:30+01:00", True),
        # They go forward on 29 March at 02:00: of 01:30-03:30 an hour is missing, and of 02:15-02:45 everything.
        ("Sun 01:30-03:30", "2026-03-29T01:45+01:00", True),
        ("Sun 01:30-03:30", "2026-03-29T03:15+02:00", True),
        ("Sun 02:15-02:45", "2026-03-29T03:00+02:00", False),
    ],
)
def test_the_times_of_the_week(text: str, moment: str, covered: bool) -> None:
    at = datetime.fromisoformat(moment)
    at = at.replace(tzinfo=BERLIN) if at.tzinfo is None else at
    assert Schedule(spans=(parse_span(text),)).covers(at.astimezone(UTC), BERLIN) is covered


def test_dates_count_by_the_local_day_and_a_night_belongs_to_its_evening() -> None:
    """Until the 31st: at 00:30 on the 1st no more, but the night that began on the 31st goes on; the 1st is not yet the night before it."""
    until = Schedule(last=date(2026, 10, 31))
    assert until.covers(datetime(2026, 10, 31, 22, 59, tzinfo=UTC), BERLIN)
    assert not until.covers(datetime(2026, 10, 31, 23, 30, tzinfo=UTC), BERLIN)
    night = (Span(frozenset(range(7)), 22 * 60, 2 * 60),)
    assert Schedule(last=date(2026, 10, 31), spans=night).covers(datetime(2026, 11, 1, 0, 30, tzinfo=BERLIN), BERLIN)
    assert not Schedule(first=date(2026, 11, 1), spans=night).covers(datetime(2026, 11, 1, 0, 30, tzinfo=BERLIN), BERLIN)


def test_a_zone_that_is_not_named_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert Schedule(spans=(parse_span("Mon 21:00-22:00"),)).covers(NOON, zone(""))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    """After two seconds at most; the trouble is told and goes with the mend. A file that is deleted is trouble too."""
    path, clock = written(tmp_path, "plate\nAB12CDE\n", "a.csv"), FakeClock()
    lists = Lists(ListsConfig(allow=[str(path)]), clock)

    def then(text: str | None) -> bool:
        clock.advance(3)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
            os.utime(path, (clock.now, clock.now))
        return lists.match("XY34ZZZ", NOON) is not None

    assert not then("plate\nAB12CDE\n")
    assert then("plate\nXY34ZZZ\n")
    assert then("plat\n")
    assert "unknown key 'plat'" in lists.trouble
    assert then("plate\nXY34ZZZ\nAB12CDE\n")
    assert lists.trouble == ""
    assert then(None)
    assert "cannot be read" in lists.trouble


def test_what_else_is_accepted_is_everything_within_the_tolerance() -> None:
    """Against trying every text of three characters."""
    from edge.vision.alphabet import ALPHABET

    every = [a + b + c for a in ALPHABET for b in ALPHABET for c in ALPHABET]
    for tolerance in (0.0, 0.3, 0.7, 1.0):
        found = accepted("O1B", tolerance)
        assert found is not None
        assert {text for text in found if len(text) == 3} == {text for text in every if distance("O1B", text) <= tolerance + 1e-9}
    assert accepted("AB12CDE", 3.0, most=1000) is None


def test_the_odds_that_are_counted_are_those_that_are_drawn() -> None:
    """Three-character plates of a list with a wide tolerance: the count is exact, the draw is near it."""
    wanted = choice("none")
    assert odds(["AB12CDE"], 0.0, wanted).p == pytest.approx(36.0**-7)
    gb = choice("gb")
    assert odds(["AB12CDE", "AB12CDE"], 0.3, gb).p == odds(["AB12CDE"], 0.3, gb).p < 1e-6
    assert chance("AB12CDE", gb) > 100 * chance("AB1234E", gb)
    assert Odds(0.0, 0, DRAWS).told().startswith("fewer than 1 in 10,000")


def test_drawn_odds_agree_with_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty plates of the Faroes, where two letters and three digits are all there is: both ways come to the same, within the dice's play."""
    wanted = choice("fo")
    plates = [f"{a}{b}123" for a in "ABCDE" for b in "KLMNOPQR"]
    counted = odds(plates, 1.0, wanted)
    monkeypatch.setattr("edge.lists.nearby.MOST_TEXTS", 10)
    monkeypatch.setattr("edge.lists.nearby.DRAWS", 4000)
    drawn = odds(plates, 1.0, wanted)
    assert (counted.draws, drawn.draws) == (0, 4000)
    assert drawn.p == pytest.approx(counted.p, abs=4 * (counted.p / 4000) ** 0.5)
    assert odds(plates, 1.0, wanted) == drawn  # seeded


def test_the_odds_of_a_long_list_are_drawn_and_the_same_in_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small tolerance the texts near the drawn plate are looked up in the list; with a large one each plate is compared."""
    wanted = choice("fo")
    plates = [f"{a}{b}{number:03}" for a in "ABCDE" for b in "KLM" for number in range(100, 130)]
    counted = odds(plates, 0.5, wanted)
    monkeypatch.setattr("edge.lists.nearby.MOST_TEXTS", 10)
    monkeypatch.setattr("edge.lists.nearby.DRAWS", 3000)
    drawn = odds(plates, 0.5, wanted)
    assert drawn.p == pytest.approx(counted.p, abs=4 * (counted.p / 3000) ** 0.5)
    assert counted.draws == 0 < drawn.hits


def test_lists_that_contradict_each_other_are_told() -> None:
    book = Book([a_list("AB12CDO", name="friends"), a_list("AB12CD0", kind="deny", name="foes"), a_list("XY34ZZZ", kind="deny", name="more")])
    assert [one.told() for one in conflicts(book.lists)] == ["AB12CDO of friends is caught by AB12CD0 of foes: deny wins over allow"]


def test_the_command_shows_every_plate_and_says_whom_one_is_taken_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    written(tmp_path, "plate,name,times\nVO56VUF,Anna,Mon-Fri 07:00-18:00\n", "a.csv")
    config = written(tmp_path, '[country]\ncode = "gb"\n[lists]\nallow = ["a.csv"]\n', "watch.toml")
    assert cli.main(["lists", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert [part for part in ("VO56VUF", "Anna", "Mon-Fri 07:00-18:00", "V056VUF", "1 in ", "counted", "A random plate of gb") if part not in out] == []
    assert cli.main(["lists", "--config", str(config), "--plate", "v056 vuf"]) == 0
    assert "V056VUF: allow by the list a, as VO56VUF (Anna), distance 0." in capsys.readouterr().out
    written(tmp_path, "plate\n" + "".join(f"XY{number}ZZZ\n" for number in range(10, 99)) + "".join(f"AB{n}QRS\n" for n in range(10, 40)), "a.csv")
    assert cli.main(["lists", "--config", str(config), "--country", "none"]) == 0
    assert "and 19 more (--all shows them)" in capsys.readouterr().out
    assert "QQQ: on no list" in whose(Book([]), "qqq", NOON)
    written(tmp_path, "", "empty.toml")
    assert cli.main(["lists", "--config", str(tmp_path / "empty.toml")]) == 1
    assert "names no lists" in capsys.readouterr().err


def test_what_a_list_lets_in_is_told_as_values() -> None:
    """For the page, which shows it while a list is edited: the same figures as the command's."""
    gb = choice("gb")
    found = reach_of("AB12CDO", 0.3, gb)
    assert found == Reach("AB12CDO", ("AB12CD0", "AB12CDQ", "ABI2CDO"), 3, 0, odds(["AB12CDO"], 0.3, gb))
    assert reach_of("AB12CDO", 0.4, gb).plates == 3  # A812CDO, AB12CDD and AB12COO
    assert reach_of("AB12CDE", 0.0, choice("none")) == Reach("AB12CDE", (), 0, None, odds(["AB12CDE"], 0.0, choice("none")))
    assert reach_of("AB12CDE", 3.0, gb).others is None
    whole = reach_of_list(a_list("AB12CDO", "XY34ZZZ", tolerance=0.3), gb, rows=1)
    assert (whole.plates, whole.odds) == ((found,), odds(["AB12CDO", "XY34ZZZ"], 0.3, gb))
    friends, foes = a_list("AB12CDO", name="friends"), a_list("AB12CD0", kind="deny", last=date(2027, 1, 1))
    assert list(conflicts([friends, foes])) == [Conflict("AB12CDO", friends, "AB12CD0", foes, True)]


def test_three_thousand_plates_cost_a_frame_next_to_nothing() -> None:
    """Counted, not timed: of a list of thousands a stranger is compared with no more than a handful."""
    plates = random_plates(choice("gb"), 1, 3000)
    index, compared = Index(plates, 0.5), []
    for text in random_plates(choice("gb"), 2, 200):
        compared.append(len({number for rest in rests(family(text), 0) for number in index._filed.get(rest, ())}))
    assert max(compared) < 10
    assert len(index._filed) <= 3000


def test_the_status_tells_which_state_of_each_file_was_read_even_while_no_plate_comes(tmp_path: Path) -> None:
    path, clock = tmp_path / "family.csv", FakeClock()
    path.write_text("plate\nAB12CDE\n")
    lists = Lists(ListsConfig(allow=[str(path)]), clock)
    before = lists.as_json()
    assert (before["plates"], before["trouble"], list(before["files"])) == (1, "", [str(path)])
    path.write_text("plate\nAB12CDE\nXY99\n")
    clock.now += 3.0
    told = lists.as_json()
    assert (told["plates"], told["files"] != before["files"]) == (2, True)
    path.write_text("plate\n?\n")
    clock.now += 3.0
    broken = lists.as_json()
    assert (broken["plates"], "the gate stays closed" in broken["trouble"]) == (2, True)
