"""Lists in and out as CSV: what an import would do is shown before it is done."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ConfigError
from edge.lists.edit import ListFile, Opened, check
from edge.lists.entry import spelt
from edge.lists.files import KEYS, MOST_BYTES, refuse_unknown
from edge.lists.writing import MARK, csv_lines


@dataclass(frozen=True, slots=True)
class Import:
    """What a CSV would change of a list: rows that are new, those that change (as they were, as they will be), how many are the same, lines refused."""

    new: tuple[dict[str, str], ...]
    changed: tuple[tuple[dict[str, str], dict[str, str]], ...]
    same: int
    refused: tuple[tuple[int, str], ...]
    """Line, counted from 1, and why."""


def preview(opened: Opened, name: str, raw: bytes) -> Import:
    """`name` is the CSV's, for the sentence. Raises ConfigError for what is no CSV of plates at all."""
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{name}: is larger than {MOST_BYTES // 1_000_000} MB; a list of plates is not")
    try:
        found = csv_lines(raw.decode("utf-8").removeprefix(MARK))
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not UTF-8 text; save it as such (in Excel: CSV UTF-8)") from None
    except csv.Error as error:
        raise ConfigError(f"{name}: not valid CSV ({error})") from None
    refuse_unknown(f"{name}, line {found.head + 1}", found.columns, KEYS)
    if "plate" not in found.columns:
        raise ConfigError(f"{name}: has no column 'plate'; the first line names the columns, such as plate,name,until")
    there = {entry.plate: row for entry, row in zip(opened.plates.entries, opened.rows, strict=True)}
    new, changed, refused, same, seen = [], [], [], 0, dict[str, int]()
    for row, (_, last) in found.rows:
        line = last + 1
        try:
            plate = check(row).plate
            if plate in seen:
                raise ConfigError(f"plate {plate} stands in line {seen[plate]} already")
        except ConfigError as error:
            refused.append((line, str(error)))
            continue
        seen[plate] = line
        if plate not in there:
            new.append(row)
        elif _plain(there[plate]) == _plain(row):
            same += 1
        else:
            changed.append((there[plate], row))
    return Import(tuple(new), tuple(changed), same, tuple(refused))


def take(file: ListFile, found: Import, etag: str) -> Opened:
    """Add what is new and change what has changed; nothing is removed."""
    opened = file.open()
    changed = {spelt(row["plate"]): row for _, row in found.changed}
    rows = [changed.get(entry.plate, row) for entry, row in zip(opened.plates.entries, opened.rows, strict=True)]
    return file.save([*rows, *found.new], etag)


def export(opened: Opened) -> str:
    """The whole list as CSV, with every column."""
    room = io.StringIO()
    table = csv.DictWriter(room, KEYS, lineterminator="\n", restval="")
    table.writeheader()
    table.writerows(opened.rows)
    return room.getvalue()


def named(files: dict[str, Path], name: str) -> Path:
    """The list of that name (a file's name, with or without its ending) among some. Raises ConfigError."""
    found = [path for path in files.values() if name in (str(path), path.name, path.stem)]
    if len(found) != 1:
        known = ", ".join(sorted(path.name for path in files.values())) or "none"
        raise ConfigError(f"{name}: {'several lists have that name' if found else 'there is no such list'}; the config names {known}")
    return found[0]


def _plain(row: dict[str, str]) -> dict[str, str]:
    """The same plate and times written otherwise are the same."""
    times = ";".join(part.strip() for part in row.get("times", "").split(";") if part.strip())
    return {key: value for key, value in row.items() if key not in ("plate", "times")} | ({"times": times} if times else {})
