"""Lists, times of the week and countries that are spoilt: usable, or one sentence; a daemon goes on with the list of before."""

from __future__ import annotations

import contextlib
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.lists.files import parse_list, read_list
from edge.lists.schedule import Schedule, parse_span, zone
from edge.lists.settings import ListsConfig
from edge.plates.rules import COUNTRIES, Country, parse
from tests.fuzz.spoiling import TEXTS, as_toml, cases, check_sentence, misfit, spoilt

TOML = """\
name = "Family"
tolerance = 0.5
time_zone = "Europe/Berlin"
[[plates]]
plate = "B AB 1234"
name = "Anna"
group = "family"
from = 2026-01-01
until = 2026-12-31
times = ["Mon-Fri 07:00-18:00", "Sat 22:00-02:00"]
[[plates]]
plate = "M-XY 99"
note = "until noon"
"""
CSV = """\
# who may come
plate,name,group,note,from,until,times
B AB 1234,Anna,family,"a, b",2026-01-01,2026-12-31,Mon-Fri 07:00-18:00;Sat
M-XY 99,,,,,,
"""
FILES = [("a.toml", TOML), ("a.csv", CSV), ("b.csv", CSV.replace(",", ";"))]
NASTY = [
    b"", b"\0" * 500, b"\xff\xfe" + CSV.encode("utf-16-le"), b"[" * 5000, b"a = " + b"[" * 5000, b"tolerance = " + b"9" * 9000,
    b"plate\n" + b"x" * 200_000, b"plate\n\"" + b"x" * 100_000, b"plate," * 5000, b"plates = [" + b"{}," * 500 + b"]",
]  # fmt: skip
EVER = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


def tried(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        found = read_list(path, "allow", ListsConfig())
    except ConfigError as error:
        check_sentence(error, str(path))
        return
    for entry in found.entries:
        assert entry.plate.isalnum()
        entry.schedule.covers(EVER, found.where)


def test_the_whole_ones_are_good(folder: Path) -> None:
    for name, text in (("a.toml", TOML), ("a.csv", CSV)):
        assert len(parse_list(folder / name, text, "allow", ListsConfig()).entries) == 2


@cases(100)
@given(st.data())
def test_values_of_the_wrong_kind(folder: Path, data: st.DataObject) -> None:
    tried(folder / "a.toml", as_toml(data.draw(misfit(tomllib.loads(TOML)))).encode())


@cases(100)
@given(st.sampled_from(FILES).flatmap(lambda pair: st.tuples(st.just(pair[0]), spoilt(pair[1].encode()))))
def test_bytes_spoilt(folder: Path, pair: tuple[str, bytes]) -> None:
    tried(folder / pair[0], pair[1])


@pytest.mark.parametrize("content", NASTY)
def test_what_broken_cards_and_spreadsheets_write(folder: Path, content: bytes) -> None:
    for name in ("a.toml", "a.csv"):
        tried(folder / name, content)


@cases(150)
@given(TEXTS | st.from_regex(r"([A-Za-z]{3}(-[a-z]{3})?)? ?(\d\d:\d\d-\d\d:\d\d)?", fullmatch=True), st.datetimes(timezones=st.just(UTC)))
def test_times_of_the_week(text: str, moment: datetime) -> None:
    """A span that counts or not at any moment there is, or a sentence."""
    with contextlib.suppress(ValueError):
        Schedule(spans=(parse_span(text),)).covers(moment, UTC)
    with contextlib.suppress(ValueError):
        zone(text)


CODES = ["gb", "de", "us-ca", "fr"]


@cases(60)
@given(st.data())
def test_countries_of_the_wrong_kind(data: st.DataObject) -> None:
    """A country's file is a country whose formats can be asked, or one sentence that says which key is wrong."""
    whole = tomllib.loads((COUNTRIES / f"{data.draw(st.sampled_from([code for code in CODES if (COUNTRIES / f'{code}.toml').exists()]))}.toml").read_text())
    country(as_toml(data.draw(misfit(whole))))


@cases(60)
@given(spoilt((COUNTRIES / "gb.toml").read_bytes()))
def test_countries_spoilt(content: bytes) -> None:
    country(content.decode("utf-8", "replace"))


def country(text: str) -> Country | None:
    try:
        found = parse(text)
    except ConfigError as error:
        check_sentence(error)
        return None
    for form in found.formats:
        form.fits("AB12CDE")
    return found
