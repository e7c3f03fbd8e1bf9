"""Takes out of texts what tells of people: plates, names of the lists, secrets, addresses, coordinates. Rather too much than too little."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import PlatewatchError

if TYPE_CHECKING:
    from edge.config import Config
    from edge.section import Section

GONE = "[…]"
TOLD = frozenset(
    {"camera.kind", "camera.metering", "night.switch", "country.code", "targets.kind", "targets.dialect", "targets.stages", "targets.lists"}
    | {"targets.picture", "targets.protocol"}
)
"""The texts of a config that are told as they are; of all others only that they are set."""
NEVER = frozenset({"night.latitude", "night.longitude", "view.include", "view.exclude"})
"""Of these too it is only told that they are set: where the camera stands, and what it looks at."""
HIDDEN = frozenset({"name", "source", "url", "host", "user", "event", "id", "plate", "text", "label", "who", "group", "note", "key_file", "path", "topic"})
"""Keys of a status whose texts are not told."""
MOST_WORDS, LONGEST_JOIN = 300_000, 5
_TOKEN = re.compile(r"[^\W_]+")
_KEPT = re.compile(
    r"\b\d+ ?(?:[kKMG]i?B|[MG]Hz)\b|\d{4}-\d\d-\d\d[T ][\d:.,+Z-]+|\b[0-9a-f]{12,64}\b|\b\d{2}:\d\d:\d\d\b"
    r"|\b(?:XNNPACK|INT8|UTF-8|RGB24|YUV420|MJPG|H26[45]|IMX\d{3}|OV\d{4}|USB[23]?)\b"
)
"""What looks like a plate and is none: sizes, times, hashes, words of the trade."""
_PLATE = re.compile(r"(?<![\w.])(?=[A-Z0-9 .-]{0,12}[A-Z])(?=[A-Z0-9 .-]{0,12}\d)[A-Z0-9]{1,8}(?:[ .-][A-Z0-9]{1,5}){0,3}(?![\w])")
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}\b|(?<=/home/)[^/\s]+"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,3}\.\d{4,}(?!\w)")
_SAID = re.compile(r"(?i)\b(reads|plate|password|secret|token|key)([ =:]+)(?!is |in |cannot |has )[^\s,;]+")
_DEBUG = re.compile(r"^<7>|(?:^|\s)DEBUG\s")


class Scrubber:
    """Knows what must not leave: `words` as they are spelt when everything but letters and digits is left out, in capitals."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(folded for word in words if len(folded := _folded(word)) >= 2)

    @classmethod
    def of(cls, config: Config, config_file: Path) -> Scrubber:
        """All that the device itself knows: its lists, its events, its secrets and where it stands."""
        return cls([*_secrets(config_file), *_listed(config), *_stored(config), *_named(config)])

    def text(self, text: str) -> str:
        """Line by line; what was logged for a search of errors alone is left out."""
        return "\n".join(self._line(line) for line in text.split("\n") if not _DEBUG.search(line))

    def values(self, value: Any, key: str = "") -> Any:
        """The same of what becomes JSON; texts of keys that name somebody are left out."""
        if isinstance(value, dict):
            return {self._line(str(name)): self.values(one, str(name)) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.values(one, key) for one in value]
        if isinstance(value, str):
            return GONE if value and key in HIDDEN else self._line(value)
        return GONE if key in ("latitude", "longitude") and value is not None else value

    def section(self, name: str, found: Section) -> dict[str, Any]:
        """The keys of a config's section that stand in the file: numbers and switches as they are, of texts mostly that they are set."""
        told = {}
        for key in sorted(found.model_fields_set):
            value, where = getattr(found, key), f"{name}.{key}"
            plain = isinstance(value, bool | int | float) or value is None or where in TOLD
            told[key] = value if plain and where not in NEVER else f"(set, {len(value)})" if isinstance(value, str | list | tuple | dict) else "(set)"
        return told

    def _line(self, line: str) -> str:
        line = _ADDRESS.sub(GONE, self._without_words(line))
        kept: list[str] = []

        def keep(found: re.Match[str]) -> str:
            kept.append(found[0])
            return f"\x00{len(kept) - 1}\x01"

        line = _KEPT.sub(keep, line)
        line = _PLATE.sub(GONE, _NUMBER.sub(GONE, _SAID.sub(rf"\1\2{GONE}", line)))
        return re.sub(r"\x00(\d+)\x01", lambda found: kept[int(found[1])], line)

    def _without_words(self, line: str) -> str:
        """Words may be parted: B-AB 1234 is BAB1234."""
        tokens = list(_TOKEN.finditer(line))
        parts, done, place = list[str](), 0, 0
        while place < len(tokens):
            ends = self._known_from(line, tokens, place)
            if ends:
                parts += [line[done : tokens[place].start()], GONE]
                done, place = tokens[ends - 1].end(), ends
            else:
                place += 1
        return "".join([*parts, line[done:]])

    def _known_from(self, line: str, tokens: list[re.Match[str]], place: int) -> int:
        """Behind the last token of the longest known word that begins here; 0 where none does."""
        joined, found = "", 0
        for number in range(place, min(len(tokens), place + LONGEST_JOIN)):
            if number > place and tokens[number].start() - tokens[number - 1].end() > 2:
                break
            joined += _folded(tokens[number][0])
            if joined in self._words:
                found = number + 1
        return found


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.upper())
    return "".join(char for char in plain if char.isalnum())


def _secrets(config_file: Path) -> Iterator[str]:
    """Everything that is masked in the file, whatever state it is in, and what `env:` and `file:` stand for."""
    from edge.settings_file.secrets import masked_text

    try:
        text = config_file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line, shown in zip(text.split("\n"), masked_text(text).split("\n"), strict=True):
        if line != shown:
            yield from re.findall(r"[^\s\"'=,{}\[\]]{3,}", line.partition("=")[2])
            yield from re.split(r"[:/@?&=\"']+", line.partition("=")[2])
    for kind, name in re.findall(r"[\"'](env|file):([^\"']+)[\"']", text):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            yield os.environ.get(name, "") if kind == "env" else (config_file.parent / name).read_text()[:4096].strip()


def _listed(config: Config) -> Iterator[str]:
    from edge.lists.files import read_list
    from edge.lists.settings import KINDS

    for kind in KINDS:
        for name in getattr(config.lists, kind):
            yield Path(name).stem
            try:
                found = read_list(Path(name), kind, config.lists)
            except PlatewatchError:  # then nobody knows its plates but by their looks; the raw lines are taken as words
                with contextlib.suppress(OSError):
                    yield from re.split(r"[\n,;=\"]+", Path(name).read_text(errors="replace"))
                continue
            yield found.name
            for entry in found.entries:
                yield entry.plate
                for words in (entry.label, entry.group, entry.note):
                    yield words
                    yield from (word for word in words.split() if len(word) >= 4)


def _stored(config: Config) -> Iterator[str]:
    """Every text that the event store or the gate's audit holds."""
    asked = {config.store.path: "SELECT DISTINCT text FROM events", config.gate.audit: "SELECT DISTINCT plate FROM decisions"}
    for path, sql in asked.items():
        if Path(path).exists():
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)) as db:
                yield from (str(text) for (text,) in db.execute(f"{sql} LIMIT {MOST_WORDS}"))


def _named(config: Config) -> Iterator[str]:
    """Names that the owner gave, hosts, files, and where the camera stands."""
    import socket

    yield from (config.camera.name, socket.gethostname()) if config.camera.name != "camera" else (socket.gethostname(),)
    yield from (config.camera.source, Path(config.camera.source).stem) if config.camera.kind == "files" else (config.camera.source,)
    for target in config.targets:
        yield from (target.name, target.host, target.user, target.url, target.topic, target.client_id, *target.headers.values())
        yield from (part for part in re.split(r"[:/@?&=.]+", target.url) if len(part) >= 5)
    for place in (config.night.latitude, config.night.longitude):
        if place is not None:
            yield from (str(place), f"{place:.2f}", f"{place:.3f}", f"{place:g}")
