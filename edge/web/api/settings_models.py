"""What the endpoints of the settings take and give."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from edge.web.api.declare import Model

LARGEST_TEXT = 200_000
Etag = Field(default=None, max_length=64, description="`etag` of what was read; another file by now is refused. Left out: whatever is there now.")


class KeyAnswer(Model):
    """One key, as a form needs it."""

    name: str
    section: str
    key: str
    type: Literal["flag", "whole", "number", "text", "choice", "choices", "words", "table", "polygons", "numbers"]
    unit: str
    least: float | None
    most: float | None
    open_least: bool = Field(description="`least` itself is too little.")
    open_most: bool
    longest: int | None
    choices: list[str]
    default: Any = Field(description="null: unset, or needed where `needed`.")
    needed: bool
    optional: bool = Field(description="It may be left unset, which means something of its own.")
    secret: bool
    effect: Literal["live", "restart", "page"] = Field(description="At once, with a restart of the daemon, or with one of the page.")
    waits_because: str
    description: str


class ProblemAnswer(Model):
    name: str = Field(description="`section.key`, `targets[1].key`, a section alone, or empty: the file as a whole.")
    sentence: str
    line: int | None


class SettingsAnswer(Model):
    etag: str
    file: str
    usable: bool
    problems: list[ProblemAnswer] = Field(description="Why the file cannot be used; it is then mended as text.")
    values: dict[str, Any] = Field(description="Every key by section, defaults too; a secret is a mask.")
    written: list[str] = Field(description="The keys that stand in the file.")
    keys: list[KeyAnswer]
    sections: dict[str, str] = Field(description="What each is for.")
    has_previous: bool = Field(description="There is an earlier file to go back to.")


class ChangeBody(Model):
    name: str = Field(max_length=100, description="`section.key`; `targets` to add; `targets[0]` to remove, move or set as a table; `targets[0].key`.")
    action: Literal["set", "unset", "add", "remove", "move"] = "set"
    value: Any = Field(default=None, description="As TOML has it, or the text that a form would hold. A mask keeps the secret that it stands for.")


class CheckBody(Model):
    changes: list[ChangeBody] = Field(max_length=200)


class CheckAnswer(Model):
    problems: list[ProblemAnswer]


class SaveBody(CheckBody):
    etag: str | None = Etag


class TextBody(Model):
    text: str = Field(max_length=LARGEST_TEXT)


class SaveTextBody(TextBody):
    etag: str | None = Etag


class RestoreBody(Model):
    etag: str | None = Etag


class TextAnswer(Model):
    etag: str
    text: str = Field(description="With a mask for each secret.")
    problems: list[ProblemAnswer]


class SavedAnswer(Model):
    etag: str
    changed: list[str]
    restart: list[str] = Field(description="Of these, what waits for a restart of the daemon.")
    page: list[str] = Field(description="Of these, what waits for a restart of the page.")
    in_force: bool
    sentence: str = Field(description="What the daemon said of it.")
