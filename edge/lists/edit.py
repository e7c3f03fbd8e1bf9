"""Editing a list's file, TOML or CSV: comments and order stay, and nothing is written that the daemon could not read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge import whole_file
from edge.errors import ConfigError
from edge.lists.entry import Entry, PlateList, spelt
from edge.lists.files import KEYS, MOST_BYTES, entry_of, parse_list
from edge.lists.settings import Kind, ListsConfig
from edge.lists.writing import MARK, Row, csv_text, head_text, rows_of, toml_text


@dataclass(frozen=True, slots=True)
class Opened:
    """A list's file as it was read: `rows` as they are written, `plates` as they are understood, in the same order."""

    path: Path
    kind: Kind
    text: str
    etag: str
    rows: tuple[dict[str, str], ...]
    plates: PlateList

    def place(self, plate: str) -> int:
        """Of a plate, however it is spelt. Raises ConfigError where it is not there."""
        wanted = _spelt(plate)
        for place, entry in enumerate(self.plates.entries):
            if entry.plate == wanted:
                return place
        raise ConfigError(f"{self.path.name}: {wanted} is not on this list")


class ListFile:
    """One file of a config's [lists]. Every method raises ConfigError (a sentence with the line) or Unwritable."""

    def __init__(self, path: Path, kind: Kind, config: ListsConfig) -> None:
        self.path, self._kind, self._config = path, kind, config

    def open(self) -> Opened:
        content = whole_file.read(self.path, MOST_BYTES)
        try:
            text = content.raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ConfigError(f"{self.path}: is not UTF-8 text; save it as such") from None
        return self._opened(text, content.etag)

    def add(self, row: Row, etag: str) -> Opened:
        """At the end."""
        opened = self.open()
        return self._saved(opened, [*opened.rows, _checked(row)], etag)

    def change(self, plate: str, row: Row, etag: str) -> Opened:
        """The entry of a plate, as a whole; the plate too."""
        opened = self.open()
        rows = list(opened.rows)
        rows[opened.place(plate)] = _checked(row)
        return self._saved(opened, rows, etag)

    def remove(self, plates: Iterable[str], etag: str) -> Opened:
        """All of them or, where one is not there, none."""
        opened = self.open()
        gone = {opened.place(plate) for plate in plates}
        return self._saved(opened, [row for place, row in enumerate(opened.rows) if place not in gone], etag)

    def save(self, rows: Sequence[Row], etag: str) -> Opened:
        """All rows anew: those that stay keep their comments, recognised by their plate."""
        return self._saved(self.open(), rows, etag)

    def save_text(self, text: str, etag: str) -> Opened:
        """As a person has written it."""
        self._opened(text, "")
        etag = whole_file.replace(self.path, text.encode(), etag, keep=False)  # a plate that was removed is gone, from the file of before too
        with contextlib.suppress(OSError):
            whole_file.previous(self.path).unlink(missing_ok=True)
        return self._opened(text, etag)

    def set_tolerance(self, tolerance: float | None, etag: str) -> Opened:
        """The list's own, or None for that of the config. Only TOML has a place for it."""
        if self.path.suffix.lower() != ".toml":
            raise ConfigError(f"{self.path.name}: a CSV has no place for a tolerance; set lists.tolerance, or keep this list as TOML")
        opened = self.open()
        if opened.etag != etag:
            raise whole_file.Changed(f"{self.path.name}: was changed by somebody else since it was read; nothing was written: look at it again")
        return self.save_text(head_text(opened.text, "tolerance", tolerance), etag)

    def _saved(self, opened: Opened, rows: Sequence[Row], etag: str) -> Opened:
        write = toml_text if self.path.suffix.lower() == ".toml" else csv_text
        try:
            text = write(opened.text, [entry.plate for entry in opened.plates.entries], [_checked(row) for row in rows])
        except ValueError as error:
            raise ConfigError(f"{self.path.name}: {error}") from None
        return self.save_text(text, etag)

    def _opened(self, text: str, etag: str) -> Opened:
        plates = parse_list(self.path, text.removeprefix(MARK), self._kind, self._config)
        rows = rows_of(text, self.path.suffix.lower() == ".csv")
        return Opened(self.path, self._kind, text, etag, rows, plates)


def create(path: Path, kind: Kind, config: ListsConfig, rows: Sequence[Row] = ()) -> Opened:
    """A new file; its folder is made. Raises ConfigError where there is one already."""
    if path.suffix.lower() not in (".toml", ".csv"):
        raise ConfigError(f"{path.name}: is neither .toml nor .csv; a list of plates is one of them")
    text = ",".join(KEYS) + "\n" if path.suffix.lower() == ".csv" else "# Known plates, see docs/lists.md\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise whole_file.Unwritable(f"{path.parent}: cannot be made ({error.strerror})") from None
    etag = whole_file.replace(path, text.encode(), "")
    file = ListFile(path, kind, config)
    return file.save(rows, etag) if rows else file.open()


def check(row: Row) -> Entry:
    """Raises ConfigError: the parser's own sentence, about one entry."""
    try:
        return entry_of(_checked(row), 0)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def faulty(row: Row) -> tuple[str, str] | None:
    """(key, the parser's sentence) of what is wrong with an entry, for the field of a form; None where nothing is."""
    try:
        check(row)
    except ConfigError as error:
        for key in ("plate", "from", "until", "times", "name", "group", "note"):
            try:
                check({"plate": "AB12"} | {key: row.get(key) or ""})
            except ConfigError as alone:
                return key, str(alone)
        return "until", str(error)  # each by itself is right, so that two of them contradict each other
    return None


def _checked(row: Row) -> dict[str, str]:
    found = {}
    for key in KEYS:
        value = str(row.get(key) or "").strip()
        if any(not char.isprintable() for char in value) or len(value) > 200:
            raise ConfigError(f"{key} holds a character that cannot be written, or more than 200")
        if value:
            found[key] = value
    if unknown := set(row) - set(KEYS):
        raise ConfigError(f"unknown key {min(unknown)!r}; known are {', '.join(KEYS)}")
    return found


def _spelt(plate: str) -> str:
    try:
        return spelt(plate)
    except ValueError as error:
        raise ConfigError(str(error)) from None
