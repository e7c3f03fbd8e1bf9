"""All settings: key by key, target by target, or the whole file as text. Everything works without script; with it, what is typed is tried at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import ConfigError, PlatewatchError
from edge.publish.dialects import DIALECTS
from edge.publish.settings import KINDS
from edge.settings_file import forms
from edge.settings_file.draft import Change
from edge.settings_file.keys import MANY, keys
from edge.settings_file.problems import Problem
from edge.settings_file.settings import Saved, SettingsFile, Wrong
from edge.web import configuring, nursing
from edge.web.api.settings import LARGEST, LARGEST_AS_JSON, checked_text
from edge.web.limits import takes
from edge.web.rooms.room import Room
from edge.web.scopes import caller, needs
from edge.web.setting_rows import rows, target_rows
from edge.web.speech import t
from edge.web.words import closed

pages = Blueprint("settings", __name__)
pages.register_error_handler(ConfigError, configuring.nothing)
ROOM = Room(
    "settings",
    pages,
    path="/settings",
    scope="settings:read",
    group="device",
    icon="M4 7h9M17 7h3M4 17h3M11 17h9M13 4.500v5M11 14.500v5M15 4.500v5M9 14.500v5",
)


def show(
    problems: Sequence[Problem] = (),
    outcome: configuring.Outcome | None = None,
    said: str = "",
    code: int = 200,
    typed: Mapping[str, str] | None = None,
    tone: str = "bad",
) -> ResponseReturnValue:
    """The form; or the text, where the file cannot be used as it is. `said` is a sentence in English."""
    file = configuring.settings_file()
    opened = file.open()
    if opened.config is None:
        return show_text(opened.shown_text(), opened.problems, outcome, said, code)
    asked = request.args.get("q", "")[:60]
    page = render_template(
        "settings.html",
        etag=opened.etag,
        sections=rows(opened, typed or {}, problems, asked),
        loose=[one for one in problems if forms.key_of(one.name) is None],
        outcome=outcome,
        said_so=said,
        tone=tone,
        asked=asked,
        wrong={one.name.partition(".")[0] for one in problems},
        has_previous=file.has_previous(),
        file=str(file.path),
    )
    return page, code


def tried(write: Callable[[SettingsFile], Saved], again: Callable[..., ResponseReturnValue] = show, **kept: Any) -> ResponseReturnValue:
    """The page with what was saved, or with why it was not and what was typed."""
    try:
        return again(outcome=configuring.saved(write))
    except Wrong as error:
        return again(problems=error.problems, code=409, **kept)
    except PlatewatchError as error:
        return again(said=configuring.in_words(error), code=409, **kept)


@pages.get("/settings")
@needs("settings:read")
def page() -> ResponseReturnValue:
    return show()


@pages.post("/settings")
@takes(LARGEST)
@needs("settings:write")
def save() -> ResponseReturnValue:
    """What differs from the file as it was when the form was made."""
    values = configuring.settings_file().open().values()
    typed = {name: sent[-1].replace("\r\n", "\n") for name, sent in request.form.lists()}
    changes, problems = list[Change](), list[Problem]()
    for key in keys():
        if key.section == MANY or key.name not in typed or forms.is_hidden(key) or typed[key.name] == forms.shown(key, values[key.section][key.key]):
            continue
        try:
            changes.append(forms.change(key.name, typed[key.name]))
        except ConfigError as error:
            problems.append(Problem(key.name, str(error)))
    if problems:
        return show(problems, code=409, typed=typed)
    return tried(lambda file: file.save(changes, typed.get("etag", "")), typed=typed)


@pages.post("/settings/restore")
@needs("settings:write")
def restore() -> ResponseReturnValue:
    return tried(lambda file: file.restore(file.open().etag))


@pages.post("/settings/restart")
@needs("settings:write")
def restart() -> ResponseReturnValue:
    answer = nursing.restart(caller().name)
    return show(said=closed(answer.sentence), tone="good" if answer.ok else "bad")


def show_text(
    text: str = "", problems: Sequence[Problem] = (), outcome: configuring.Outcome | None = None, said: str = "", code: int = 200
) -> ResponseReturnValue:
    opened = configuring.settings_file().open()
    shown = text or opened.shown_text()
    return render_template("settings_text.html", etag=opened.etag, text=shown, problems=problems, outcome=outcome, said_so=said, usable=opened.config), code


@pages.get("/settings/text")
@needs("settings:read")
def text() -> ResponseReturnValue:
    return show_text(problems=configuring.settings_file().open().problems)


@pages.post("/settings/text")
@takes(LARGEST_AS_JSON)
@needs("settings:write")
def save_text() -> ResponseReturnValue:
    typed = request.form.get("text", "").replace("\r\n", "\n")
    if problems := checked_text(configuring.settings_file(), typed).problems:
        return show_text(typed, problems, code=409)
    return tried(lambda file: file.save_text(typed, request.form.get("etag", "")), show_text)


# Targets: each has the keys of its kind alone.


def show_targets(
    problems: Sequence[Problem] = (), outcome: configuring.Outcome | None = None, said: str = "", tone: str = "bad", code: int = 200
) -> ResponseReturnValue:
    opened = configuring.settings_file().open()
    if opened.config is None:
        return show_text(problems=opened.problems)
    said = said or "; ".join(one.sentence for one in problems)
    targets = opened.values()[MANY]
    return render_template("settings_targets.html", etag=opened.etag, targets=targets, kinds=KINDS, outcome=outcome, said_so=said, tone=tone), code


def show_target(
    number: int | None, kind: str, problems: Sequence[Problem] = (), typed: Mapping[str, str] | None = None, said: str = "", code: int = 200
) -> ResponseReturnValue:
    opened = configuring.settings_file().open()
    found = {} if number is None else opened.values()[MANY][number]
    loose = [one.sentence for one in problems if forms.key_of(one.name) is None]
    page = render_template(
        "settings_target.html",
        etag=opened.etag,
        number=number,
        kind=kind,
        dialects=[dialect for dialect, about in DIALECTS.items() if kind in about.kinds],
        name=found.get("name", ""),
        rows=target_rows(kind, found, typed or {}, problems),
        said_so=said or "; ".join(loose),
    )
    return page, code


@pages.get("/settings/targets")
@needs("settings:read")
def targets() -> ResponseReturnValue:
    return show_targets()


def _at(number: int) -> dict[str, Any]:
    found = configuring.settings_file().open().values()[MANY]
    if number >= len(found):
        abort(404, t("settings.no_target"))
    return dict(found[number])


@pages.get("/settings/targets/new")
@needs("settings:read")
def new_target() -> ResponseReturnValue:
    kind = request.args.get("kind", "")
    return show_target(None, kind) if kind in KINDS else redirect("/settings/targets")


@pages.get("/settings/targets/<int:number>")
@needs("settings:read")
def target(number: int) -> ResponseReturnValue:
    return show_target(number, str(_at(number).get("kind")))


@pages.post("/settings/targets/new")
@needs("settings:write")
def add_target() -> ResponseReturnValue:
    return keep_target(None, request.form.get("kind", ""), {})


@pages.post("/settings/targets/<int:number>")
@needs("settings:write")
def save_target(number: int) -> ResponseReturnValue:
    found = _at(number)
    return keep_target(number, str(found.get("kind")), found)


def keep_target(number: int | None, kind: str, found: Mapping[str, Any]) -> ResponseReturnValue:
    typed = {name: "\n".join(sent).replace("\r\n", "\n") if name == "stages" else sent[-1].replace("\r\n", "\n") for name, sent in request.form.lists()}
    wanted = {row.key.key: row.text for row in target_rows(kind, found, typed) if row.written or not row.is_default}
    value = {name: text for name, text in wanted.items() if text or name in found} | {"kind": kind}
    try:
        change = forms.change(MANY if number is None else f"{MANY}[{number}]", value, "add" if number is None else "set")
        return show_targets(outcome=configuring.saved(lambda file: file.save([change], typed.get("etag", ""))))
    except Wrong as error:
        return show_target(number, kind, error.problems, typed, code=409)
    except PlatewatchError as error:
        return show_target(number, kind, [], typed, configuring.in_words(error), 409)


@pages.post("/settings/targets/<int:number>/<any(up,down,remove):what>")
@needs("settings:write")
def arrange_target(number: int, what: str) -> ResponseReturnValue:
    _at(number)
    change = Change(f"{MANY}[{number}]", "remove") if what == "remove" else Change(f"{MANY}[{number}]", "move", number + (1 if what == "down" else -1))
    return tried(lambda file: file.save([change], request.form.get("etag", "")), show_targets)


@pages.post("/settings/targets/<int:number>/test")
@needs("settings:write")
def test_target(number: int) -> ResponseReturnValue:
    answer = nursing.try_target(str(_at(number)["name"]))
    return show_targets(said=closed(answer.sentence), tone="good" if answer.ok else "bad")
