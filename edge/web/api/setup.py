"""The setup aid: what the plates in view look like, where they count, and what the camera is set to."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from flask import abort

from edge.web.api.declare import Link, endpoint
from edge.web.api.given import errand, files, settings_file
from edge.web.api.setup_models import (
    AidAnswer,
    AidBody,
    CameraBody,
    KeptAnswer,
    SetupAnswer,
    ShutterAnswer,
    ShutterQuery,
    StillAnswer,
    TryAnswer,
    TryBody,
    ViewBody,
)
from edge.web.scopes import caller
from edge.web.setup.needs import aided
from edge.web.setup.optics import Shot, seen
from edge.web.speech import spoken, t
from edge.web.words import headline

ETAG = {"etag": "$response.body#/etag"}
NEXT = Link("set_view", body=ETAG), Link("keep_camera", body=ETAG)
look, change = partial(endpoint, scope="setup:read", tag="setup"), partial(endpoint, scope="setup:write", tag="setup")


@look("GET", "/api/setup", summary="How the camera is set up", answer=SetupAnswer, links=NEXT)
def get_setup() -> dict[str, Any]:
    """503 where the page was started without a config file, 409 where that cannot be used."""
    from edge.web.setup.keeping import told

    opened = settings_file().open()
    if opened.config is None:
        abort(503, "The config file cannot be used as it is; mend it under Settings.")
    return told(opened.config) | {"etag": opened.etag, "profile": profile()}


@change("PUT", "/api/setup/view", summary="Say where plates count", body=ViewBody, answer=KeptAnswer, errors=(409,), links=NEXT)
def set_view(body: ViewBody) -> dict[str, Any]:
    """Written into the config file, whose comments stay, and in force at once."""
    from edge.web.setup.keeping import as_json, keep_view

    return as_json(keep_view(settings_file(), body.etag, body.include, body.exclude, body.min_plate_px, runtime(), caller().name))


@look("GET", "/api/setup/aid", summary="What the plates in view look like, and what would help", answer=AidAnswer)
def get_aid() -> dict[str, Any]:
    """Told while somebody asks for it by POST."""
    files().watch()
    daemon = files().status()
    alive = files().is_alive(daemon)
    head = headline(daemon, alive, spoken())
    return aided(daemon if alive else None, spoken()) | {"tone": head.tone, "word": head.word}


@look("POST", "/api/setup/aid", summary="Ask for the aid, or for a walk test", body=AidBody, answer=AidAnswer, errors=(409,))
def ask_aid(body: AidBody) -> dict[str, Any]:
    """A walk test lists each plate that comes by, what became of it and why."""
    errand("aid", {"seconds": body.seconds} | ({} if body.walk is None else {"walk": body.walk}))
    return get_aid()


@look("POST", "/api/setup/still", summary="Take one picture at full resolution", answer=StillAnswer, errors=(409,))
def take_still() -> dict[str, Any]:
    """What is excluded, or may not be seen, is blacked out."""
    told = errand("still").more or {}
    return {"path": f"/setup-aid/still.jpg?at={told['at']}".replace("+", "%2B"), "width": told["width"], "height": told["height"], "at": told["at"]}


@change("POST", "/api/setup/camera", summary="Try other camera settings for a while", body=TryBody, answer=TryAnswer, errors=(409,))
def try_camera(body: TryBody) -> dict[str, Any]:
    """The config's come back by themselves when the time is over. Without values it tells what can be turned."""
    answer = errand("camera", {"values": body.values, "seconds": body.seconds})
    told = answer.more or {}
    return {"controls": told.get("controls", []), "trying": told.get("trying", {}), "sentence": answer.sentence}


@change("PUT", "/api/setup/camera", summary="Keep camera settings", body=CameraBody, answer=KeptAnswer, errors=(409,), links=NEXT)
def keep_camera(body: CameraBody) -> dict[str, Any]:
    """Written into [camera], or into [night] for the profile `night`."""
    from edge.web.setup import keeping

    return keeping.as_json(keeping.keep_camera(settings_file(), body.etag, body.profile, body.values, runtime(), caller().name))


@look("GET", "/api/setup/shutter", summary="Pixels on the plate, and the longest shutter", query=ShutterQuery, answer=ShutterAnswer)
def get_shutter(query: ShutterQuery) -> dict[str, Any]:
    return shutter(Shot(**query.model_dump()))


def shutter(shot: Shot) -> dict[str, Any]:
    """With words in the viewer's language."""
    found, language = seen(shot), spoken()
    words = [
        t(f"setup.shot.{found.tone}", px=round(found.plate_px), metres=language.number(found.farthest_m, 1)),
        t("setup.shot.shutter", good=fraction(found.good_us), longest=fraction(found.longest_us), good_us=round(found.good_us)),
    ]
    return {
        "plate_px": round(found.plate_px, 1),
        "tone": found.tone,
        "good_us": round(found.good_us, 1),
        "longest_us": round(found.longest_us, 1),
        "farthest_m": round(found.farthest_m, 2),
        "words": words,
    }


def fraction(us: float) -> str:
    """1/500 s, rounded to what cameras have."""
    parts = 1e6 / us
    step = 10 ** max(0, len(str(int(parts))) - 2)
    return f"1/{max(1, round(parts / step) * step)} s"


def profile() -> str:
    """Which set of camera settings holds now."""
    return str(((files().status() or {}).get("camera") or {}).get("profile") or "day")


def runtime() -> Path:
    return Path(files().config.runtime.directory)
