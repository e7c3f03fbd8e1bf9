"""The first start: step by step to a device that reads. Each step is saved, and can be left and taken up again; all but the test works without script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import ConfigError, PlatewatchError
from edge.plates.rules import countries
from edge.settings_file import forms
from edge.settings_file.draft import Change
from edge.settings_file.settings import Opened
from edge.web import configuring, nursing
from edge.web.access import actions
from edge.web.api.given import files
from edge.web.door import door
from edge.web.first_start import STEPS, Progress, cameras, keep_secret, stream
from edge.web.rooms.room import Room
from edge.web.scopes import caller, needs
from edge.web.speech import t
from edge.web.words import closed

pages = Blueprint("start", __name__)
pages.register_error_handler(ConfigError, configuring.nothing)
ROOM = Room("start", pages, path="/start/language", scope="settings:write", group="device", icon="M5 12h14M13 6l6 6-6 6", in_navigation=False)
EXAMPLE = Path(__file__).parents[2] / "clips" / "bench-1.jpg"
RTSP = "stream"
"""The choice of a camera in the network."""
Form = Mapping[str, str]


def progress() -> Progress:
    return Progress(Path(files().config.store.path).parent)


def show(step: str, problem: str = "", said: str = "", code: int = 200, typed: Form | None = None) -> ResponseReturnValue:
    """`problem` and `said` are sentences in English."""
    opened = configuring.settings_file().open()
    if opened.config is None:
        return redirect("/settings/text")
    page = render_template(
        "start.html",
        step=step,
        steps=STEPS,
        done=progress().done(),
        following=STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)],
        previous=STEPS[max(STEPS.index(step) - 1, 0)],
        problem=problem,
        said=said,
        typed=typed or {},
        **facts(step, opened),
    )
    return page, code


def facts(step: str, opened: Opened) -> dict[str, Any]:
    """What a step shows."""
    values = opened.values()
    told: dict[str, Any] = {"values": values}
    if step == "password":
        told["locked"] = door().has_lock
    if step == "device":
        told["countries"] = sorted(((code, country.name) for code, country in countries().items()), key=lambda pair: pair[1])
    if step == "camera":
        camera = values["camera"]
        files().watch()
        told["ready"] = files().picture_at() is not None
        told |= {"found": cameras(), "chosen": RTSP if "://" in camera["source"] else f"{camera['kind']} {camera['source']}", "rtsp": RTSP}
    if step == "targets":
        told["targets"] = values["targets"]
    return told


@pages.get("/start")
@needs("settings:write")
def page() -> ResponseReturnValue:
    return redirect(f"/start/{progress().next()}")


@pages.get("/start/<any(language,password,device,camera,area,keeping,targets,gate,test):step>")
@needs("settings:write")
def at(step: str) -> ResponseReturnValue:
    return show(step)


@pages.get("/start/example.jpg")
@needs("settings:write")
def example() -> ResponseReturnValue:
    """A drawn picture with plates, which belong to nobody."""
    return Response(EXAMPLE.read_bytes(), mimetype="image/jpeg")


@pages.post("/start/<any(language,password,device,camera,area,keeping,targets,gate,test):step>")
@needs("settings:write")
def keep(step: str) -> ResponseReturnValue:
    """Saved, and on to the next one; or the step again, with what is wrong."""
    typed = {name: sent[-1] for name, sent in request.form.lists()}
    try:
        said = WORK[step](typed) if step in WORK and "skip" not in typed else ""
    except PlatewatchError as error:
        return show(step, problem=configuring.in_words(error), code=409, typed=typed)
    progress().tick(step)
    if said:
        return show(step, said=said)
    following = STEPS[STEPS.index(step) + 1] if step != STEPS[-1] else ""
    return redirect(f"/start/{following}" if following else "/", 303)


@pages.post("/start/targets/<name>/test")
@needs("settings:write")
def test_target(name: str) -> ResponseReturnValue:
    if name not in {one["name"] for one in configuring.settings_file().open().values()["targets"]}:
        abort(404, t("settings.no_target"))
    answer = nursing.try_target(name)
    return show("targets", said=closed(answer.sentence)) if answer.ok else show("targets", problem=closed(answer.sentence))


def save(*changes: Change) -> configuring.Outcome:
    return configuring.saved(lambda file: file.save(changes, file.open().etag))


def set_password(typed: Form) -> str:
    if door().has_lock:  # changed in the room Access, where the old one is asked for
        return ""
    if typed.get("new", "") != typed.get("again", ""):
        raise ConfigError(t("access.differ"))
    actions.change_own_password(door(), caller(), "", typed.get("new", ""))
    return ""


def save_device(typed: Form) -> str:
    code = typed.get("several", "").strip() or typed.get("country", "auto")
    save(Change("camera.name", "set", typed.get("name", "").strip()), Change("country.code", "set", code))
    return ""


def save_camera(typed: Form) -> str:
    """Stays on the step, to show what the camera gives."""
    chosen = typed.get("camera", "")
    if chosen == RTSP:
        kind, source = "opencv", stream(typed.get("address", ""), typed.get("user", "").strip(), typed.get("password", ""))
    else:
        kind, _, source = chosen.partition(" ")
    if not kind or not source:
        raise ConfigError(t("start.camera.none_chosen"))
    outcome = save(Change("camera.kind", "set", kind), Change("camera.source", "set", source))
    return closed(outcome.sentence)


def save_keeping(typed: Form) -> str:
    mode = typed.get("mode", "all")
    names = ("store.retention_days", "store.known_days")
    save(
        *(forms.change(name, typed.get(name.partition(".")[2], "")) for name in names),
        Change("store.crops", "set", "crops" in typed),
        Change("privacy.known_only", "set", mode == "known"),
        Change("privacy.pseudonyms", "set", mode == "pseudonyms"),
    )
    return ""


def save_target(typed: Form) -> str:
    """Adds one; without any input on to the next step. A password goes into a file of its own, never into the config."""
    host, url = typed.get("host", "").strip(), typed.get("url", "").strip()
    if not host and not url:
        return ""
    known = {one["name"] for one in configuring.settings_file().open().values()["targets"]}
    base = "homeassistant" if host and "homeassistant" in typed else "mqtt" if host else "webhook"
    name = next(one for one in (base, *(f"{base}-{number}" for number in range(2, 99))) if one not in known)
    value: dict[str, Any] = {"name": name, "kind": "mqtt" if host else "webhook"}
    if host:
        value |= {"host": host} | ({"dialect": "homeassistant"} if "homeassistant" in typed else {})
        if user := typed.get("user", "").strip():
            value |= {"user": user, "password": keep_secret(configuring.path(), name, typed.get("password", ""))}
    elif url.startswith(("http://", "https://")):
        value["url"] = url
    else:
        raise ConfigError("a web service's address begins with http:// or https://")
    return closed(save(Change("targets", "add", value)).sentence)


def save_gate(typed: Form) -> str:
    """Off, or deciding without opening: a gate that really opens is set up in its own room, with its wiring."""
    dry = typed.get("gate") == "dry"
    save(Change("gate.enabled", "set", dry), Change("gate.dry_run", "set", True))
    return ""


WORK: dict[str, Callable[[Form], str]] = {
    "password": set_password,
    "device": save_device,
    "camera": save_camera,
    "keeping": save_keeping,
    "targets": save_target,
    "gate": save_gate,
}
