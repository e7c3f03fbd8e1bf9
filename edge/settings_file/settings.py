"""The config file as the page and `platewatch config set` edit it: read, tried, written in one step, and taken back with one call."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import toml_text, whole_file
from edge.config import Config, sections
from edge.errors import ConfigError
from edge.reload import changes as differences
from edge.settings_file.draft import Change, Draft, checked, tried, with_password_hash
from edge.settings_file.elsewhere import refuse_moved
from edge.settings_file.keys import MANY, find
from edge.settings_file.problems import Problem
from edge.settings_file.secrets import MASK, masked, masked_text, unmasked_text


class Wrong(ConfigError):
    """The draft cannot be saved as it is; `problems` says why, key by key."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(problems[0].sentence + more)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Opened:
    """A config file as it was read. `problems` is empty where it can be used; else it is mended as text."""

    text: str
    etag: str
    problems: tuple[Problem, ...]
    config: Config | None

    def shown_text(self) -> str:
        """For an editor: without the secrets."""
        return masked_text(self.text)

    def values(self) -> dict[str, Any]:
        """{section: {key: value}} of every key, the defaults too, and `targets` as a list; secrets as a mask where they are set."""
        config = self.config or Config()
        told: dict[str, Any] = {}
        for section in sections():
            found = getattr(config, section)
            told[section] = [_shown(one, one.model_fields_set) for one in found] if section == MANY else _shown(found)
        return told

    def written(self) -> list[str]:
        """The `section.key` that stand in the file; all others are at their defaults."""
        return [] if self.config is None else [
            f"{section}.{key}" for section in self.config.model_fields_set if section != MANY for key in sorted(getattr(self.config, section).model_fields_set)
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written: which keys have changed, and which of them wait for a restart of the daemon or of the page."""

    etag: str
    changed: tuple[str, ...]
    restart: tuple[str, ...]
    page: tuple[str, ...]


class SettingsFile:
    """The file at `path`. Every method raises ConfigError or Unwritable in one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> Opened:
        content = whole_file.read(self.path, 1_000_000)
        try:
            text = content.raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ConfigError(f"{self.path}: is not UTF-8 text") from None
        found = checked(text)
        return Opened(text, content.etag, found.problems, found.config)

    def check(self, changes: Sequence[Change]) -> Draft:
        """What they would make of it; nothing is written."""
        return tried(self.open().text, changes)

    def save(self, changes: Sequence[Change], etag: str) -> Saved:
        """Raises Wrong where the result cannot be used, Changed where the file is no longer the one of `etag`."""
        before = self.open()
        if before.etag != etag:
            raise whole_file.Changed(f"{self.path}: was changed by somebody else since it was read; nothing was written: look at it again")
        return self._write(before, tried(before.text, changes))

    def check_text(self, text: str) -> Draft:
        """A whole text, whose masks stand for the secrets of the file."""
        return tried_text(text, self.open().text)

    def save_text(self, text: str, etag: str) -> Saved:
        """As `save`, of a text as a whole."""
        before = self.open()
        if before.etag != etag:
            raise whole_file.Changed(f"{self.path}: was changed by somebody else since it was read; nothing was written: look at it again")
        return self._write(before, tried_text(text, before.text))

    def save_password_hash(self, hashed: str, etag: str) -> Saved:
        """The one value that is no ordinary change; '' takes the password away."""
        before = self.open()
        return self._write(before, with_password_hash(before.text, hashed), etag)

    def has_previous(self) -> bool:
        return whole_file.previous(self.path).is_file()

    def restore(self, etag: str) -> Saved:
        """The file of before the last saving; a second time takes that back. One that cannot be used is refused."""
        if not self.has_previous():
            raise ConfigError(f"{self.path}: there is no earlier one to go back to")
        text = whole_file.read(whole_file.previous(self.path), 1_000_000).raw.decode("utf-8", "replace")
        return self._write(self.open(), checked(text), etag)

    def _write(self, before: Opened, draft: Draft, etag: str | None = None) -> Saved:
        if draft.config is None:
            raise Wrong(draft.problems)
        if draft.text == before.text and etag in (None, before.etag):  # so the earlier file stays the one before the last change
            return Saved(before.etag, (), (), ())
        fresh = whole_file.replace(self.path, draft.text.encode(), before.etag if etag is None else etag)
        changed = differences(before.config, draft.config) if before.config is not None else []
        effects = {name: _effect(name) for name in changed}
        return Saved(
            fresh,
            tuple(changed),
            tuple(name for name, effect in effects.items() if effect == "restart"),
            tuple(name for name, effect in effects.items() if effect == "page"),
        )


def tried_text(typed: str, before: str) -> Draft:
    """A whole text, whose masks stand for the secrets of before. Raises ConfigError where they stand for none, or for those of another host."""
    if MASK not in typed:
        return checked(typed)
    made = unmasked_text(typed, before)
    with contextlib.suppress(tomllib.TOMLDecodeError):
        refuse_moved(toml_text.loads(before), toml_text.loads(made), toml_text.loads(typed))
    return checked(made)


def _effect(name: str) -> str:
    known = find(*name.split(".", 1)) if "." in name else find(name, "name")
    return known.effect if known is not None else "restart"


def _shown(found: Any, only: set[str] | None = None) -> dict[str, Any]:
    return {key: masked(key, getattr(found, key)) for key in type(found).model_fields if only is None or key in only}
