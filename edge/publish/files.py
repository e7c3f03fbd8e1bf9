"""Targets that are files: JSON lines and CSV, put away by size; and the folder of crops."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

from edge.publish.base import Occasional, Unreachable, in_words
from edge.publish.dialects import DIALECTS
from edge.publish.settings import TargetConfig
from edge.publish.told import Told, slug

TAIL = 1 << 20
"""A last line longer than this is not recognised when it comes again."""


class LineFile:
    """A text file that grows by whole lines. A line that is already its last is not written again: an outbox may offer it twice after a crash."""

    def __init__(self, path: str, rotate_bytes: float, keep_files: int, header: bytes = b"") -> None:
        self.path = Path(path)
        self._rotate_bytes, self._keep_files, self._header = rotate_bytes, keep_files, header

    def append(self, line: bytes) -> None:
        """`line` with its end; it is on the disk when this returns. OSError where that fails."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size + len(line) > self._rotate_bytes and self._tail()[1] != line:
            self._put_away()
        with self.path.open("ab") as file:
            size, last = self._tail()
            if last == line:
                return
            torn = b"\n" if size and not last.endswith(b"\n") else b""  # half a line, from when the power went
            file.write(torn + (b"" if size else self._header) + line)
            file.flush()
            os.fsync(file.fileno())

    def _tail(self) -> tuple[int, bytes]:
        """Size of the file, and its last line."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            return size, (file.read(TAIL).splitlines(keepends=True) or [b""])[-1]

    def _put_away(self) -> None:
        """`file` becomes `file.1`, that one `file.2`, ...; the last goes."""
        for number in range(self._keep_files, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path if number == 1 else self.path.with_name(f"{self.path.name}.{number - 1}")
            if newer.exists():
                os.replace(newer, older)


class JsonLines(Occasional):
    """One JSON document a line."""

    def __init__(self, config: TargetConfig) -> None:
        document = DIALECTS[config.dialect].document
        assert document is not None  # the config allows no other dialect
        self._document = document
        self._file = LineFile(config.path, config.rotate_mb * 1e6, config.keep_files)

    def send(self, told: Told) -> None:
        line = json.dumps(self._document(told), ensure_ascii=False, default=float).encode() + b"\n"
        try:
            self._file.append(line)
        except OSError as error:
            raise Unreachable(f"the file cannot be written ({in_words(error)})") from None


class CsvFile(Occasional):
    """A table with a header. Pictures are named by their way from the file's folder."""

    def __init__(self, config: TargetConfig) -> None:
        row = DIALECTS[config.dialect].row
        assert row is not None
        self._row, self._config = row, config

    def send(self, told: Told) -> None:
        row = self._row(told)
        file = LineFile(self._config.path, self._config.rotate_mb * 1e6, self._config.keep_files, _csv(list(row)))
        try:
            if told.test:  # no column could say that it is a test, and a made-up plate has no place among real ones
                file.path.parent.mkdir(parents=True, exist_ok=True)
                file.path.open("ab").close()
            else:
                file.append(_csv(list(row.values())))
        except OSError as error:
            raise Unreachable(f"the file cannot be written ({in_words(error)})") from None


def _csv(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


class PictureFolder:
    """Crops as files, the newest `keep` of them (0: all)."""

    def __init__(self, folder: str, keep: int, *, look_every: int = 100) -> None:
        self._folder, self._keep, self._look_every = Path(folder), keep, look_every
        self._written = 0

    def save(self, told: Told) -> Path:
        """The crop's file, replaced whole; the same event always has the same name."""
        path = self._folder / f"{slug(told.id)}-{told.stage}.jpg"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                fresh = path.with_suffix(".part")
                fresh.write_bytes(told.picture)
                os.replace(fresh, path)
                self._tidy()
        except OSError as error:
            raise Unreachable(f"the picture cannot be written ({in_words(error)})") from None
        return path

    def remove(self, told: Told) -> None:
        """The crop of a preview that was withdrawn goes: its plate is one that nobody wants kept."""
        try:
            (self._folder / f"{slug(told.id)}-preview.jpg").unlink(missing_ok=True)
        except OSError as error:
            raise Unreachable(f"the picture cannot be deleted ({in_words(error)})") from None

    def _tidy(self) -> None:
        """A long folder is not read at every picture."""
        self._written += 1
        if self._keep and self._written % self._look_every == 1:
            found = sorted((entry.stat().st_mtime_ns, entry.path) for entry in os.scandir(self._folder) if entry.name.endswith(".jpg"))
            for _, path in found[: -self._keep]:
                os.unlink(path)
