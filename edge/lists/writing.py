"""The text of a list's file with other rows in it: comments, order and what is written oddly stay, as far as the format allows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from edge.lists.entry import spelt
from edge.lists.files import KEYS, separator

Row = Mapping[str, str]
"""The keys of KEYS as text; several times of the week stand with a ; between them. What is left out or empty is not set."""
MARK = "\ufeff"
"""Excel's, at the beginning of a file."""


def rows_of(text: str, is_csv: bool) -> tuple[dict[str, str], ...]:
    """As they stand in a text that can be read."""
    text = text.removeprefix(MARK)
    if is_csv:
        return tuple(row for row, _ in csv_lines(text).rows)
    return tuple({key: _as_text(value) for key, value in table.items()} for table in tomlkit.parse(text).unwrap().get("plates", []))


def _as_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return "; ".join(value) if isinstance(value, list) else str(value)


def _as_toml(key: str, value: str) -> Any:
    """Dates as dates, times as a list."""
    if key in ("from", "until"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return [part.strip() for part in value.split(";") if part.strip()] if key == "times" else value


def _matched(plates: Sequence[str], rows: Sequence[Row]) -> list[int | None]:
    """For each new row the place of the old one with its plate; None for one that is new. `plates` are the old ones as the reader spells them."""
    places = {plate: place for place, plate in enumerate(plates)}
    found: list[int | None] = []
    for row in rows:
        try:
            found.append(places.pop(spelt(row.get("plate", "")), None))
        except ValueError:
            found.append(None)
    # What was changed in its place, the plate itself among it, keeps that place's comments.
    if len(rows) == len(plates):
        free = set(range(len(rows))) - set(found)
        found = [place if place is not None else (at if at in free else None) for at, place in enumerate(found)]
    return found


def toml_text(text: str, plates: Sequence[str], rows: Sequence[Row]) -> str:
    """Raises ValueError, a sentence without the file, where it cannot be done."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ValueError(f"not valid TOML ({error})") from None
    old = document.get("plates")
    if old is not None and not isinstance(old, AoT):
        raise ValueError("is written with plates in one line; edit it as text, or begin each with [[plates]]")
    matched = _matched(plates, rows)
    if old is not None and matched == sorted(place for place in matched if place is not None) + [None] * matched.count(None):
        for gone in sorted(set(range(len(old))) - set(matched), reverse=True):
            del old[gone]
        tables = old
        kept = sum(place is not None for place in matched)
        for table, row in zip(list(old)[:kept], rows, strict=False):
            _fill(table, row)
        fresh = rows[kept:]
    else:  # in another order: every table anew, in that order
        tables = tomlkit.aot()
        for place, row in zip(matched, rows, strict=True):
            table = tomlkit.table() if place is None or old is None else old[place]
            _fill(table, row)
            tables.append(table)
        document["plates"] = tables
        fresh = []
    for row in fresh:
        table = tomlkit.table()
        _fill(table, row)
        tables.append(table)
    if not rows:
        document.pop("plates", None)
    return tomlkit.dumps(document)


def head_text(text: str, key: str, value: float | None) -> str:
    """A TOML list with one of its own settings written anew, or left out."""
    document = tomlkit.parse(text)
    if value is None:
        document.pop(key, None)
    elif key in document or not document.get("plates"):
        document[key] = value
    else:  # above the first plate: what stands below [[plates]] belongs to that plate
        first = next((at for at, line in enumerate(text.splitlines()) if re.match(r"\s*\[", line)), 0)
        lines = text.splitlines(keepends=True)
        return "".join([*lines[:first], f"{key} = {value:g}\n", "\n" if first and lines[first - 1].strip() else "", *lines[first:]])
    return tomlkit.dumps(document)


def _fill(table: Any, row: Row) -> None:
    for key in [key for key in table if key not in row]:
        del table[key]
    for key in KEYS:
        if key in row and (key not in table or _as_text(table[key]) != row[key]):
            table[key] = _as_toml(key, row[key])


@dataclass(frozen=True, slots=True)
class _Csv:
    """A CSV's lines: which columns it has and by what they are parted, and each row with its lines (first, last), counted from 0."""

    lines: list[str]
    mark: str
    columns: list[str]
    head: int
    rows: list[tuple[dict[str, str], tuple[int, int]]]


def csv_lines(text: str) -> _Csv:
    lines = text.splitlines()
    mark = separator(lines)
    reader = csv.reader(lines, delimiter=mark, strict=True)
    columns: list[str] = []
    rows, head, before = [], -1, 0
    for cells in reader:
        span, before = (before, reader.line_num - 1), reader.line_num
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not columns:
            columns, head = [cell.lower() for cell in cells], span[1]
            continue
        rows.append(({key: cell for key, cell in zip(columns, cells, strict=False) if cell}, span))
    return _Csv(lines, mark, columns, head, rows)


def csv_text(whole: str, plates: Sequence[str], rows: Sequence[Row]) -> str:
    """A row that did not change stays as it was written, byte for byte."""
    text = whole.removeprefix(MARK)
    found = csv_lines(text)
    end = "\r\n" if "\r\n" in text else "\n"
    missing = [key for key in KEYS if key not in found.columns and any(key in row for row in rows)]
    columns = found.columns + missing if found.columns else list(KEYS)
    matched = _matched(plates, rows)
    spans = [span for _, span in found.rows]
    made = {place: row for place, row in zip(matched, rows, strict=True) if place is not None}
    in_order = [place for place in matched if place is not None]
    lines: list[str] = []
    own = {line: place for place, (first, last) in enumerate(spans) for line in range(first, last + 1)}
    order = iter(in_order)
    for number, line in enumerate(found.lines):
        place = own.get(number)
        if place is None:
            lines.append(found.mark.join(columns) if number == found.head and missing else line)
        elif number == spans[place][0] and place in made:
            now = next(order)
            same = {key: value for key, value in made[now].items() if value} == found.rows[now][0]
            lines += found.lines[spans[now][0] : spans[now][1] + 1] if same else [_csv_line(made[now], columns, found.mark)]
    if not found.columns:
        lines.append(found.mark.join(columns))
    lines += [_csv_line(row, columns, found.mark) for place, row in zip(matched, rows, strict=True) if place is None]
    return (MARK if whole.startswith(MARK) else "") + end.join(lines) + end


def _csv_line(row: Row, columns: Sequence[str], mark: str) -> str:
    room = io.StringIO()
    csv.writer(room, delimiter=mark, lineterminator="").writerow([row.get(column, "") for column in columns])
    return room.getvalue()
