"""The networks at work: what they are worth, others to take their place, and two of them compared. All of it works by plain forms."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge.errands import Answer
from edge.errors import PlatewatchError
from edge.model.arrival import STEPS
from edge.model.unpacking import MOST_ARCHIVE
from edge.web import bundles
from edge.web.api.model import get_arrival
from edge.web.limits import takes
from edge.web.rooms.room import Room
from edge.web.scopes import caller, may, needs
from edge.web.speech import t

pages = Blueprint("model", __name__)
ROOM = Room(
    "model",
    pages,
    path="/model",
    scope="model:read",
    group="device",
    icon="M12 3 3.500 7.500v9L12 21l8.500-4.500v-9zM3.500 7.500 12 12l8.500-4.500M12 12v9",
)
AMOUNTS = (("100", "100"), ("500", "500"), ("2000", "2000"))
FORM_BYTES = 64 * 1024
"""What a form adds to its file."""


@pages.get("/model")
@needs("model:read")
def page() -> ResponseReturnValue:
    told = bundles.told()
    readers = [one["name"] for one in told["bundles"] if one.get("kind") == "reader" and not one["trouble"] and not one["foreign"]]
    comparison = bundles.compared(with_plates=False)
    return render_template(
        "model.html",
        told=told,
        readers=readers,
        amounts=AMOUNTS,
        arrival=get_arrival(),
        steps=STEPS,
        comparison=comparison,
        largest=MOST_ARCHIVE,
        busy=comparison["state"] == "running",
    )


@pages.get("/model/comparison")
@needs("model:read")
def differences() -> ResponseReturnValue:
    """Plates are shown to who may see them."""
    return render_template("model_comparison.html", comparison=bundles.compared(with_plates=may("events:read")))


@pages.post("/model/upload")
@takes(MOST_ARCHIVE + FORM_BYTES)
@needs("model:write")
def upload() -> ResponseReturnValue:
    file = request.files.get("bundle")
    if file is None or not file.filename:
        return _done(lambda: Answer(False, t("model.no_file")))

    with closing(file):
        return _done(lambda: bundles.receive(file.stream, str(file.filename)), "#upload")


@pages.post("/model/use")
@needs("model:write")
def use() -> ResponseReturnValue:
    return _done(lambda: bundles.use(request.form.get("name", "")[:80], caller().name))


@pages.post("/model/rollback")
@needs("model:write")
def roll_back() -> ResponseReturnValue:
    return _done(lambda: bundles.roll_back(request.form.get("kind", ""), caller().name))


@pages.post("/model/delete")
@needs("model:write")
def delete() -> ResponseReturnValue:
    return _done(lambda: bundles.depot().delete(request.form.get("name", "")[:80]))


@pages.post("/model/compare")
@needs("model:write")
def compare() -> ResponseReturnValue:
    form = request.form
    most = form.get("most", "500")
    return _done(lambda: bundles.compare(form.get("one", ""), form.get("other", ""), int(most) if most.isdecimal() and len(most) < 6 else 500), "#compare")


@pages.post("/model/cancel")
@needs("model:write")
def cancel() -> ResponseReturnValue:
    return _done(bundles.clear, "#compare")


def _done(act: Callable[[], Answer | None], place: str = "") -> ResponseReturnValue:
    """Back to the room, which says how it went."""
    try:
        answer = act()
    except PlatewatchError as error:
        answer = Answer(False, str(error))
    if answer is not None:
        flash(f"{answer.sentence[:1].upper()}{answer.sentence[1:400].rstrip('.')}.", "good" if answer.ok else "bad")
    return redirect(f"/model{place}", 303)
