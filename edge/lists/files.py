"""A list's file, TOML or CSV, as a whole or not at all: every error is one sentence with the file and the line.

TOML:   tolerance = 0.5            # these two and `name` may be left out
        time_zone = "Europe/Berlin"
        [[plates]]
        plate = "B AB 1234"
        name = "Anna"
        group = "family"
        from = 2026-01-01
        until = 2026-12-31
        times = ["Mon-Fri 07:00-18:00"]

CSV:    plate,name,group,note,from,until,times     # `plate` alone is needed; several times stand with a ; between them
"""

from __future__ import annotations

import csv
import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from edge import toml_text
from edge.errors import ConfigError, plain
from edge.lists.entry import Entry, PlateList, spelt
from edge.lists.schedule import Schedule, parse_span, zone
from edge.lists.settings import Kind, ListsConfig

KEYS = ("plate", "name", "group", "note", "from", "until", "times")
HEAD = ("name", "tolerance", "time_zone", "plates")
MOST_BYTES = 4_000_000
MOST_SAID = 300
"""Characters of a message beside the file's name."""


def read_list(path: Path, kind: Kind, config: ListsConfig) -> PlateList:
    """Raises ConfigError for a file that cannot be used."""
    return parse_list(path, _text(path), kind, config)


def parse_list(path: Path, text: str, kind: Kind, config: ListsConfig) -> PlateList:
    """The same of a text that is not written yet; `path` gives its format and its name."""
    try:
        return _parsed(path, text, kind, config)
    except ConfigError as error:  # it repeats what stands there, and that may be anything
        raise ConfigError(plain(str(error), len(str(path)) + MOST_SAID)) from None


def _parsed(path: Path, text: str, kind: Kind, config: ListsConfig) -> PlateList:
    if path.suffix.lower() == ".toml":
        head, rows = _toml(path, text)
    elif path.suffix.lower() == ".csv":
        head, rows = {}, _csv(path, text)
    else:
        raise ConfigError(f"{path}: is neither .toml nor .csv; a list of plates is one of them")
    entries: dict[str, Entry] = {}
    for line, row in rows:
        try:
            entry = entry_of(row, line)
        except ValueError as error:
            raise ConfigError(f"{path}, line {line}: {error}") from None
        if entry.plate in entries:
            raise ConfigError(f"{path}, line {line}: plate {entry.plate} stands in line {entries[entry.plate].line} already; keep one of them")
        entries[entry.plate] = entry
    for key in ("name", "time_zone"):
        if not isinstance(head.get(key, ""), str):
            raise ConfigError(f"{path}: {key} is {head[key]!r}; put it in quotes")
    tolerance = head.get("tolerance", config.tolerance)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance <= 3:
        raise ConfigError(f"{path}: tolerance is {tolerance!r}; write a number from 0 to 3")
    try:
        where = zone(str(head.get("time_zone", config.time_zone)))
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    return PlateList(str(head.get("name", path.stem)), kind, tuple(entries.values()), float(tolerance), where)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path}: is larger than {MOST_BYTES // 1_000_000} MB; a list of plates is not")
        return path.read_text(encoding="utf-8-sig")  # Excel puts a mark in front
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name an existing file in [lists]") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as such") from None
    except ValueError as error:
        raise ConfigError(f"{plain(str(path))}: cannot be read ({error})") from None


def _toml(path: Path, text: str) -> tuple[dict[str, Any], list[tuple[int, Mapping[str, Any]]]]:
    try:
        head = toml_text.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, words = toml_text.complaint(error)
        raise ConfigError(f"{path}, {f'line {line}' if line else 'the last line'}: not valid TOML ({words})") from None
    refuse_unknown(f"{path}", head, HEAD)
    plates = head.pop("plates", [])
    if not isinstance(plates, list) or not all(isinstance(row, dict) for row in plates):
        raise ConfigError(f"{path}: plates must be tables; begin each with [[plates]]")
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if re.match(r"\s*\[\[\s*plates\s*\]\]", line)]
    lines += [1] * (len(plates) - len(lines))  # written in one line, plates = [{...}]
    for line, row in zip(lines, plates, strict=True):
        refuse_unknown(f"{path}, line {line}", row, KEYS)
    return head, list(zip(lines, plates, strict=True))


def _csv(path: Path, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    lines = text.splitlines()
    reader = csv.reader(lines, delimiter=separator(lines), strict=True)
    columns: list[str] = []
    rows: list[tuple[int, Mapping[str, Any]]] = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not columns:
                columns = [cell.lower() for cell in cells]
                refuse_unknown(f"{path}, line {reader.line_num}", columns, KEYS)
                if "plate" not in columns:
                    raise ConfigError(f"{path}, line {reader.line_num}: has no column 'plate'; the first line names the columns, such as plate,name,until")
                continue
            if len(cells) > len(columns):
                raise ConfigError(f"{path}, line {reader.line_num}: has {len(cells)} cells, but there are {len(columns)} columns; put quotes around a comma")
            rows.append((reader.line_num, {key: cell for key, cell in zip(columns, cells, strict=False) if cell}))
    except csv.Error as error:
        raise ConfigError(f"{path}, line {reader.line_num}: not valid CSV ({error})") from None
    return rows


def separator(lines: Sequence[str]) -> str:
    """What parts the cells, as the first line that is no comment tells: Excel writes ; in half of Europe."""
    head = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    return ";" if ";" in head and "," not in head else ","


def refuse_unknown(place: str, keys: Sequence[str] | Mapping[str, Any], known: Sequence[str]) -> None:
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            raise ConfigError(f"{place}: unknown key {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"))


def entry_of(row: Mapping[str, Any], line: int) -> Entry:
    """Raises ValueError, a sentence without the place."""
    if "plate" not in row:
        raise ValueError('has no plate; write plate = "B AB 1234"')
    for key in ("plate", "name", "group", "note"):
        if not isinstance(row.get(key, ""), str):
            raise ValueError(f"{key} is {row[key]!r}; put it in quotes")
    times = row.get("times", [])
    times = [part for part in times.split(";") if part.strip()] if isinstance(times, str) else times
    if not isinstance(times, list) or not all(isinstance(one, str) for one in times):
        raise ValueError(f'times is {row["times"]!r}; write times = ["Mon-Fri 07:00-18:00"]')
    first, last = _day(row, "from"), _day(row, "until")
    if first and last and last < first:
        raise ValueError(f"until {last} is before from {first}")
    schedule = Schedule(first, last, tuple(parse_span(one) for one in times))
    return Entry(spelt(row["plate"]), row.get("name", ""), row.get("group", ""), row.get("note", ""), schedule, line)


def _day(row: Mapping[str, Any], key: str) -> date | None:
    value = row.get(key)
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{key} is {value!r}; write a date like 2026-12-31") from None
    if value is not None and (isinstance(value, datetime) or not isinstance(value, date)):
        raise ValueError(f"{key} is {str(value)!r}; write a date like 2026-12-31")
    return value
