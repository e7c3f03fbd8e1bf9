"""The lists of known plates: looked at, tried and changed. The daemon takes a changed file by itself."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from flask import Response, abort, request

from edge.errors import ConfigError
from edge.lists.entry import spelt
from edge.lists.exchange import export, preview, take
from edge.web.api.declare import Link, endpoint
from edge.web.api.given import files
from edge.web.api.lists_models import (
    EntriesAnswer,
    EntriesQuery,
    EntryBody,
    EtagQuery,
    ImportAnswer,
    ImportQuery,
    ListChange,
    ListsAnswer,
    ListTold,
    MatchAnswer,
    MatchQuery,
    NewList,
    ReachAnswer,
    ReachQuery,
)
from edge.web.headers import attachment
from edge.web.lists import known, told
from edge.web.scopes import caller

LARGEST_IMPORT = 1_000_000
PARTS = {"list": "The list's id.", "plate": "A plate of the list, however it is spelt."}
log = logging.getLogger(__name__)
ETAG = {"etag": "$response.body#/etag"}
ASKED = {"list": "$request.path.list"}
TYPED = {"plate": "$request.body#/plate"}


def of_a_list(place: dict[str, str], plate: dict[str, str] | None = None) -> tuple[Link, ...]:
    """What can be done next with the list at `place`, of whose plates `plate` is one."""
    entry = {**place, **(plate or {})}
    looked = [Link(name, place) for name in ("get_list", "export_list", "get_reach", "drop_list")]
    changed = [Link(name, place, ETAG) for name in ("change_list", "add_entry")]
    found = Link("change_entry", entry, {**ETAG, **(plate or {})}), Link("remove_entry", {**entry, **ETAG})
    return (*looked, *changed, Link("import_list", {**place, **ETAG}), *(found if plate else ()))


look = partial(endpoint, "GET", scope="lists:read", tag="lists", parts=PARTS)
write = partial(endpoint, scope="lists:write", tag="lists", parts=PARTS)


def note(one: known.Known, did: str) -> None:
    """Into the log: who changed which list, and never a plate."""
    log.info("%s: %s by %s", one.file.path.name, did, caller().name)


def told_list(id: str) -> dict[str, Any]:
    return told.one_list(known.the_list(id), known.taken())


def the_text(text: str) -> str:
    try:
        return spelt(text)
    except ValueError as error:
        raise ConfigError(str(error)) from None


@look(
    "/api/lists",
    summary="All lists, and where they contradict each other",
    answer=ListsAnswer,
    links=(Link("get_list", {"list": "$response.body#/lists/0/id"}),),
)
def get_lists() -> dict[str, Any]:
    lists, said = known.all_lists(), known.taken()
    found, _ = told.clashes(known.plates(lists))
    return {
        "lists": [told.one_list(one, said) for one in lists],
        "clashes": [told.clash(one) for one in found],
        "daemon": said.lives,
        "trouble": said.trouble or None,
    }


@write("POST", "/api/lists", summary="Begin a list", body=NewList, answer=ListTold, code=201, errors=(409,), links=of_a_list({"list": "$response.body#/id"}))
def add_list(body: NewList) -> dict[str, Any]:
    """A new empty file in the folder `lists` beside the config, which names it from now on; one that lies there already is taken as it is."""
    from edge.lists import registry

    made = registry.add_list(known.settings(), body.name, body.kind)
    return next(told.one_list(one, known.taken()) for one in known.all_lists() if one.file.path.resolve() == made.path.resolve())


@look(
    "/api/lists/{list}",
    summary="One list and its entries",
    query=EntriesQuery,
    answer=EntriesAnswer,
    errors=(404, 409),
    links=of_a_list(ASKED, {"plate": "$response.body#/entries/0/plate"}),
)
def get_list(list: str, query: EntriesQuery) -> dict[str, Any]:
    one = known.the_list(list)
    found = told.search(known.opened(one), query.text, files().utc_now())
    shown = [{key: value for key, value in row.items() if key != "schedule"} for row in found[query.offset : query.offset + query.limit]]
    return told.one_list(one, known.taken()) | {"entries": shown, "found": len(found)}


@write("PATCH", "/api/lists/{list}", summary="Change a list's tolerance", body=ListChange, answer=ListTold, errors=(404, 409), links=of_a_list(ASKED))
def change_list(list: str, body: ListChange) -> dict[str, Any]:
    one = known.the_list(list)
    one.file.set_tolerance(body.tolerance, body.etag)
    note(one, "tolerance changed")
    return told_list(list)


@write("DELETE", "/api/lists/{list}", summary="Use a list no more", code=204, errors=(404, 409))
def drop_list(list: str) -> None:
    """The config names it no more; its file stays where it is."""
    from edge.lists import registry

    one = known.the_list(list)
    registry.drop_list(known.settings(), one.file.path)
    note(one, "used no more")


@write(
    "POST",
    "/api/lists/{list}/entries",
    summary="Add a plate",
    body=EntryBody,
    answer=ListTold,
    code=201,
    errors=(404, 409),
    links=of_a_list(ASKED, TYPED),
)
def add_entry(list: str, body: EntryBody) -> dict[str, Any]:
    one = known.the_list(list)
    one.file.add(body.model_dump(by_alias=True, exclude={"etag"}), body.etag)
    note(one, "one added")
    return told_list(list)


@write(
    "PUT",
    "/api/lists/{list}/entries/{plate}",
    summary="Change a plate's entry as a whole",
    body=EntryBody,
    answer=ListTold,
    errors=(404, 409),
    links=of_a_list(ASKED, TYPED),
)
def change_entry(list: str, plate: str, body: EntryBody) -> dict[str, Any]:
    one = known.the_list(list)
    one.file.change(plate, body.model_dump(by_alias=True, exclude={"etag"}), body.etag)
    note(one, "one changed")
    return told_list(list)


@write(
    "DELETE",
    "/api/lists/{list}/entries/{plate}",
    summary="Remove a plate",
    query=EtagQuery,
    answer=ListTold,
    errors=(404, 409),
    links=of_a_list(ASKED),
)
def remove_entry(list: str, plate: str, query: EtagQuery) -> dict[str, Any]:
    one = known.the_list(list)
    one.file.remove([plate], query.etag)
    note(one, "one removed")
    return told_list(list)


@write(
    "POST",
    "/api/lists/{list}/import",
    summary="Take plates from a CSV, or only tell what that would change",
    query=ImportQuery,
    answer=ImportAnswer,
    errors=(404, 409),
    accepts="text/csv",
    largest=LARGEST_IMPORT,
)
def import_list(list: str, query: ImportQuery) -> dict[str, Any]:
    """Adds and changes, and removes nothing. Lines that cannot be read are told of and left out."""
    one = known.the_list(list)
    opened = known.opened(one)
    found = preview(opened, "the CSV", request.get_data())
    if query.write != "1":
        return told.imported(found, opened.etag, False)
    if not query.etag:
        abort(400, "etag is missing.")
    if found.new or found.changed:
        opened = take(one.file, found, query.etag)
        note(one, f"{len(found.new)} imported, {len(found.changed)} changed")
    return told.imported(found, opened.etag, True)


@look("/api/lists/{list}/export", summary="A list as CSV", media="text/csv", errors=(404, 409))
def export_list(list: str) -> Response:
    one = known.the_list(list)
    return Response(
        export(known.opened(one)), mimetype="text/csv", headers={"Content-Disposition": attachment(f"{one.file.path.stem}.csv"), "Cache-Control": "no-store"}
    )


@look("/api/lists/{list}/reach", summary="What a list lets in beside its own plates", query=ReachQuery, answer=ReachAnswer, errors=(404, 409))
def get_reach(list: str, query: ReachQuery) -> dict[str, Any]:
    """Counted where it can be, else drawn. For thousands of plates it takes seconds."""
    return told.reach(known.opened(known.the_list(list)), query.tolerance, query.plate)


@look("/api/match", summary="Whom a plate would be taken for now", query=MatchQuery, answer=MatchAnswer, errors=(409,))
def get_match(query: MatchQuery) -> dict[str, Any]:
    """Tells of lists that can be used; nothing is kept."""
    return told.trial(known.plates(known.all_lists()), the_text(query.text), files().utc_now())
