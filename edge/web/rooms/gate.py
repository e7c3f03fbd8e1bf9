"""The gate: what it is ready for, why it opened or did not, and a test."""

from __future__ import annotations

from typing import cast, get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from edge.errors import StoreError
from edge.gate.decide import REASONS
from edge.gate.decisions import Decided, Which
from edge.web.api.gate import ask_test
from edge.web.config_now import config_now
from edge.web.gate import told
from edge.web.gate.chapter import chapter
from edge.web.rooms.room import Room
from edge.web.scopes import needs
from edge.web.speech import t

pages = Blueprint("gate", __name__)
ROOM = Room(
    "gate", pages, path="/gate", scope="gate:read", group="gate", icon="M4 20V6M20 20V6M4 9.500h16M4 15.500h16M8.500 9.500v6M12 9.500v6M15.500 9.500v6", thumb=4
)
ON_PAGE = 20
CHAPTER = ("gate.md", "What is protected, and what is not")


@pages.get("/gate")
@needs("gate:read")
def page() -> ResponseReturnValue:
    """`which` of the decisions, and `before` which of them."""
    return show()


def show(outcome: tuple[bool, str, bool] | None = None, code: int = 200) -> ResponseReturnValue:
    """`outcome` of a test: whether it was done, a sentence, and whether that is in the viewer's language."""
    asked = request.args.get("which", "")
    which = cast(Which, asked) if asked in get_args(Which) else ""
    config, problem, found, last = config_now(), "", list[Decided](), None
    try:
        rows = told.decisions()
        found = rows.some(which, ON_PAGE + 1, max(0, request.args.get("before", 0, type=int)))
        last = rows.last_pass()
    except StoreError as error:
        problem = str(error)
    events, pictures = told.pictured([*found, *([last] if last else [])])
    page = render_template(
        "gate.html",
        now=told.now(),
        config=config.gate,
        last=told.decided(last, config) if last else None,
        rows=[told.decided(one, config) for one in found[:ON_PAGE]],
        following=found[ON_PAGE - 1].seq if len(found) > ON_PAGE else None,
        which=which,
        before=request.args.get("before"),
        problem=problem,
        events=events,
        pictures=pictures,
        known=REASONS,
        outcome=outcome,
        has_chapter=bool(chapter(*CHAPTER)),
    )
    return page, code


@pages.post("/gate/test")
@needs("gate:test")
def test() -> ResponseReturnValue:
    """Only with the word typed, which no stray finger does."""
    if request.form.get("word", "").strip().casefold() != t("gate.test.word").casefold():
        return show((False, t("gate.test.mistyped", word=t("gate.test.word")), True), 400)
    done, said = ask_test()
    return show((done, f"{said[:1].upper()}{said[1:].rstrip('.')}.", False), 200 if done else 409)


@pages.get("/gate/test")
@needs("gate:read")
def back() -> ResponseReturnValue:
    """Where a reload after a test, or another language, leads."""
    return redirect(url_for("gate.page"), 303)


@pages.get("/gate/protection")
@needs("gate:read")
def protection() -> ResponseReturnValue:
    """The chapter of the documents."""
    blocks = chapter(*CHAPTER)
    if not blocks:
        abort(404, t("gate.no_chapter"))
    return render_template("gate_protection.html", blocks=blocks, title=CHAPTER[1])
