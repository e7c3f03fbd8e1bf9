"""The gate's audit as the page reads it: beside the daemon that writes it, and without changing anything."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from edge.errors import StoreError
from edge.gate.audit import FIELDS, Row

Which = Literal["", "opened", "refused", "test"]
WHICH: tuple[Which, ...] = get_args(Which)
_WHERE: dict[Which, str] = {"": "1", "opened": "opens = 1 AND event != ''", "refused": "opens = 0 AND event != ''", "test": "event = ''"}
_COLUMNS = ", ".join(FIELDS)


@dataclass(frozen=True, slots=True)
class Decided:
    """A row and its number, which grows with time."""

    seq: int
    row: Row


class Decisions:
    """The rows at `path`, opened anew for each question. Every method raises StoreError; where there is no file yet, there are no rows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def some(self, which: Which = "", limit: int = 25, before: int = 0) -> list[Decided]:
        """Newest first; `before` is the number of the last one that is already known."""
        return self._ask(f"{_WHERE[which]} AND (? = 0 OR seq < ?) ORDER BY seq DESC LIMIT ?", before, before, limit)

    def last_pass(self) -> Decided | None:
        """The newest decision about a vehicle; what was only a test is none."""
        return next(iter(self._ask("event != '' ORDER BY seq DESC LIMIT 1")), None)

    def _ask(self, where: str, *values: int) -> list[Decided]:
        with self._open() as db:
            rows = [] if db is None else db.execute(f"SELECT seq, {_COLUMNS} FROM decisions WHERE {where}", values).fetchall()
        return [Decided(row[0], Row(**(dict(zip(FIELDS, row[1:], strict=True)) | {"opens": bool(row[11]), "dry_run": bool(row[12])}))) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        if not self._path.exists():
            yield None
            return
        try:
            db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
            try:
                yield db
            finally:
                db.close()
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: the gate's decisions cannot be read ({error})") from None


def as_csv(rows: list[Decided]) -> str:
    """With a header; what a spreadsheet would take for a formula is marked as text."""
    room = io.StringIO()
    table = csv.writer(room, lineterminator="\n")
    table.writerow(FIELDS)
    for one in rows:
        values = [getattr(one.row, name) for name in FIELDS]
        table.writerow([f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and value else value for value in values])
    return room.getvalue()
