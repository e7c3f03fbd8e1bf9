"""The rooms of a page, and the ways to them that who looks may go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, current_app, request

from edge.web import scopes
from edge.web.rooms.room import GROUPS, Group, Room
from edge.web.speech import spoken

AT_HAND = 4
"""So many rooms have a place in the bar at the bottom of a phone; the rest stand behind "More"."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The same rooms twice: by group for the rail of a wide screen, and by use for a phone."""

    groups: list[tuple[Group, list[Room]]]
    at_hand: list[Room]
    further: list[Room]


def install(app: Flask, rooms: Sequence[Room]) -> None:
    app.extensions["rooms"] = {room.pages.name: room for room in rooms}
    for room in rooms:
        app.register_blueprint(room.pages)
    app.context_processor(lambda: {"here": here(), "ways": ways, "script_words": script_words})


def here() -> Room | None:
    """The room that this request is in."""
    found = current_app.extensions["rooms"].get(request.blueprint)
    assert found is None or isinstance(found, Room)
    return found


def ways() -> Ways:
    """For who makes this request."""
    return arrange([room for room in current_app.extensions["rooms"].values() if room.in_navigation and scopes.may(room.scope)])


def arrange(rooms: Sequence[Room]) -> Ways:
    at_hand = sorted(rooms, key=lambda room: room.thumb)[:AT_HAND]
    groups = [(group, [room for room in rooms if room.group == group]) for group in GROUPS]
    return Ways([(group, found) for group, found in groups if found], at_hand, [room for room in rooms if room not in at_hand])


def script_words() -> str:
    """JSON of what the scripts of this page say: the phrases below `script` of common.toml and of the room's own file."""
    room = here()
    return json.dumps(spoken().under("common.script.", *([f"{room.name}.script."] if room else [])), ensure_ascii=False)
