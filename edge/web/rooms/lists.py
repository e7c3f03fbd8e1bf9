"""Who is known: the lists, what they let in beside their own plates, and a plate to try. All of it works without script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from edge.errors import ConfigError, PlatewatchError
from edge.lists.edit import faulty
from edge.lists.exchange import preview, take
from edge.lists.files import KEYS
from edge.lists.settings import KINDS
from edge.web.api.given import files
from edge.web.api.lists import note, the_text
from edge.web.limits import takes
from edge.web.lists import known, told, words
from edge.web.rooms.room import Room
from edge.web.scopes import needs
from edge.web.speech import spoken, t

pages = Blueprint("lists", __name__)
ROOM = Room(
    "lists",
    pages,
    path="/lists",
    scope="lists:read",
    group="gate",
    icon="M9 4h6v3H9zM9 5.500H5V21h14V5.500h-4M8.500 12l1.300 1.300L12 11M14 12.500h2M8.500 17l1.300 1.300L12 16M14 17.500h2",
    thumb=3,
)
ON_PAGE, QUICK = 50, 200
"""Entries on a page; and of so many plates the odds are counted without being asked for."""
WIDEST = 1.0
LARGEST_FORM, LARGEST_FILE = 480_000, 450_000
"""A form holds a CSV in memory; larger ones go through the API or the command line."""


def sentence(error: object) -> str:
    said = str(error)
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


@pages.get("/lists")
@needs("lists:read")
def page() -> ResponseReturnValue:
    """`test` is a text to try, `plate` one that is to be added to a list."""
    return overview()


def overview(problem: tuple[str, str] | None = None, typed: Mapping[str, str] | None = None, code: int = 200) -> ResponseReturnValue:
    lists, said = known.all_lists(), known.taken()
    usable = known.plates(lists)
    text, fault, trial = request.args.get("test", "")[:40], "", None
    if text:
        try:
            trial = told.trial(usable, the_text(text), files().utc_now())
        except ConfigError as error:
            fault = str(error)
    clashes, more = told.clashes(usable)
    shown = [told.one_list(one, said) | {"odds": quick_odds(one)} for one in lists]
    page = render_template(
        "lists.html",
        lists=shown,
        said=said,
        kinds=KINDS,
        text=text,
        fault=fault,
        trial=trial,
        plate=request.args.get("plate", "")[:40],
        clashes=clashes,
        more=more,
        problem=problem,
        typed=typed or {},
    )
    return page, code


def quick_odds(one: known.Known) -> str:
    if one.opened is None or not 0 < len(one.opened.rows) <= QUICK:
        return ""
    found = told.chances(told.odds_of(one.opened))
    return words.chances(found, spoken()) if found["one_in"] else ""


@pages.post("/lists")
@needs("lists:write")
def add_list() -> ResponseReturnValue:
    from edge.lists import registry

    name, kind = request.form.get("name", "").strip()[:80], next((kind for kind in KINDS if kind == request.form.get("kind")), KINDS[0])
    name = name if "." in name else f"{name}.toml"
    try:
        made = registry.add_list(known.settings(), name, kind)
    except PlatewatchError as error:
        return overview(("name", sentence(error)), request.form, 409)
    id = next(one.id for one in known.all_lists() if one.file.path.resolve() == made.path.resolve())
    return redirect(url_for("lists.one", list=id), 303)


@pages.get("/lists/<list>")
@needs("lists:read")
def one(list: str) -> ResponseReturnValue:
    """`edit` is a plate of it, `near` one whose look-alikes are shown, `plate` one to be added."""
    return show(list)


def show(
    id: str, fault: tuple[str, str] | None = None, typed: Mapping[str, str] | None = None, asked: dict[str, Any] | None = None, code: int = 200
) -> ResponseReturnValue:
    """`fault` is (key, sentence), the key '' for what belongs to no field; `typed` what stands in the form; `asked` an import that waits for a yes."""
    found, said = known.the_list(id), known.taken()
    opened, given = found.opened, request.args
    rows, reach, near = [], None, None
    if opened is not None:
        rows = told.search(opened, given.get("text", "")[:200], files().utc_now())
        wide = given.get("tolerance", type=float)
        wide = wide if wide is not None and 0 <= wide <= 3 else None
        if opened.rows and (len(opened.rows) <= QUICK or "tolerance" in given):
            reach = told.reach(opened, wide)
        try:
            near = told.reach(opened, None, given["near"][:40]) if given.get("near") else None
        except ConfigError:  # it has gone meanwhile
            near = None
    start = max(0, given.get("offset", 0, type=int))
    typed = typed if typed is not None else {"plate": given["plate"][:40]} if given.get("plate") else None
    page = render_template(
        "list.html",
        lists=[told.one_list(other, said) for other in known.all_lists()],
        one=told.one_list(found, said),
        said=said,
        rows=rows[start : start + ON_PAGE],
        count=len(rows),
        start=start,
        on_page=ON_PAGE,
        text=given.get("text", "")[:200],
        edit=given.get("edit", ""),
        typed=typed,
        fault=fault or ("", ""),
        reach=reach,
        near=near,
        asked=asked,
        has_head=found.file.path.suffix.lower() == ".toml",
        widest=max(WIDEST, opened.plates.tolerance if opened else 0.0),
        dates=lambda row: words.dates(row["schedule"], spoken()),
        times=lambda row: words.times(row["schedule"], spoken()),
        chances=lambda found: words.chances(found, spoken()),
        days=t("lists.days").split(),
    )
    return page, code


def changed(list: str, did: str, change: Any, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """Back to the list; or the list with what went wrong, at its field, and what was typed."""
    one = known.the_list(list)
    try:
        change(one)
    except PlatewatchError as error:
        said = str(error).replace(str(one.file.path), one.file.path.name)
        key, said = (typed is not None and faulty(row_of(typed))) or ("plate" if "already;" in said else "", said)
        return show(list, (key, sentence(said)), typed, code=409)
    note(one, did)
    return redirect(url_for("lists.one", list=list), 303)


def row_of(form: Mapping[str, str]) -> dict[str, str]:
    return {key: form.get(key, "").strip() for key in KEYS}


@pages.post("/lists/<list>/entries")
@needs("lists:write")
def add(list: str) -> ResponseReturnValue:
    form = request.form
    return changed(list, "one added", lambda one: one.file.add(row_of(form), form.get("etag", "")), form)


@pages.post("/lists/<list>/entries/<plate>")
@needs("lists:write")
def change(list: str, plate: str) -> ResponseReturnValue:
    form = request.form
    return changed(list, "one changed", lambda one: one.file.change(plate, row_of(form), form.get("etag", "")), form)


@pages.post("/lists/<list>/entries/<plate>/remove")
@needs("lists:write")
def remove(list: str, plate: str) -> ResponseReturnValue:
    return changed(list, "one removed", lambda one: one.file.remove([plate], request.form.get("etag", "")))


@pages.post("/lists/<list>/tolerance")
@needs("lists:write")
def tolerance(list: str) -> ResponseReturnValue:
    wanted = request.form.get("tolerance", type=float)
    return changed(list, "tolerance changed", lambda one: one.file.set_tolerance(wanted, request.form.get("etag", "")))


@pages.post("/lists/<list>/drop")
@needs("lists:write")
def drop(list: str) -> ResponseReturnValue:
    from edge.lists import registry

    one = known.the_list(list)
    try:
        registry.drop_list(known.settings(), one.file.path)
    except PlatewatchError as error:
        return show(list, ("", sentence(error)), code=409)
    note(one, "used no more")
    return redirect("/lists", 303)


@pages.post("/lists/<list>/import")
@takes(LARGEST_FORM)
@needs("lists:write")
def take_csv(list: str) -> ResponseReturnValue:
    """First a file, whose outcome is shown; then the same text once more, with a yes."""
    one, sent = known.the_list(list), request.files.get("file")
    raw = sent.read() if sent is not None else request.form.get("csv", "").encode()
    try:
        if len(raw) > LARGEST_FILE:
            raise ConfigError(f"this CSV is larger than {LARGEST_FILE // 1000} kB; take it with `platewatch lists import`")
        opened = known.opened(one)
        found = preview(opened, (sent.filename if sent is not None else "") or "CSV", raw)
        if sent is None and (found.new or found.changed):
            take(one.file, found, request.form.get("etag", ""))
            note(one, f"{len(found.new)} imported, {len(found.changed)} changed")
            return redirect(url_for("lists.one", list=list), 303)
    except PlatewatchError as error:
        return show(list, ("file", sentence(error)), code=409)
    return show(list, asked=told.imported(found, opened.etag, False) | {"csv": raw.decode("utf-8-sig")})
