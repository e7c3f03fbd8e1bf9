"""The table of all endpoints for people who read docs/api.md, made from the declarations themselves."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from pydantic import BaseModel, RootModel

from edge.errors import ConfigError
from edge.web.api.declare import ENDPOINTS, Endpoint
from edge.web.api.openapi import TAGS
from edge.web.scopes import ANYONE

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BEGIN, END = "<!-- endpoints: made by python -m edge.web.api --into docs/api.md -->\n", "<!-- end of the endpoints -->\n"


def table() -> str:
    """Markdown: a heading and a table for each tag. Needed arguments are bold."""
    parts = []
    for tag, found in groupby(sorted(ENDPOINTS, key=_place), key=lambda one: one.tag):
        rows = [f"| `{one.method} {one.path}` | {_scope(one)} | {one.summary} | {_takes(one)} | {_gives(one)} |" for one in found]
        parts += [f"### {tag.capitalize()}", "", TAGS[tag], "", "| endpoint | scope | what it does | takes | answers |", "|---|---|---|---|---|", *rows, ""]
    return "\n".join(parts)


def put_into(document: Path) -> None:
    """Between the two marks of a document."""
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f"{document}: has no place for the table; it stands between {BEGIN.strip()!r} and {END.strip()!r}")
    document.write_text(f"{before}{begin}\n{table()}\n{end}{after}", encoding="utf-8")


def _place(one: Endpoint) -> tuple[int, str, int]:
    """The same whichever module was imported first."""
    return list(TAGS).index(one.tag), one.path, METHODS.index(one.method)


def _scope(one: Endpoint) -> str:
    return "anyone" if one.scope == ANYONE else f"`{one.scope}`"


def _takes(one: Endpoint) -> str:
    query, body = _keys(one.query), _keys(one.body)
    picture = one.accepts if one.body is None and one.accepts != "application/json" else ""
    return "; ".join(filter(None, (query and f"`?` {query}", body and f"body {body}", picture and f"body: {picture}")))


def _keys(model: type[BaseModel] | None) -> str:
    fields = model.model_fields.items() if model else ()
    return ", ".join(f"**{field.alias or name}**" if field.is_required() else field.alias or name for name, field in fields)


def _gives(one: Endpoint) -> str:
    """The good answer with its keys, and the errors that are its own."""
    keys = "a list" if one.answer and issubclass(one.answer, RootModel) else _keys(one.answer).replace("**", "")
    good = f"{one.code}{f': {keys}' if keys else '' if one.code == 204 else f': {one.media}'}"
    return "; ".join(filter(None, (good, ", ".join(map(str, one.errors)))))
