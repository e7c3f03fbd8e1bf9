"""The rooms of the page, one line for each, in the order of the navigation."""

from __future__ import annotations

from edge.web.rooms import access, events, live
from edge.web.rooms.room import Room

ROOMS: tuple[Room, ...] = (
    live.ROOM,
    events.ROOM,
    access.ROOM,
)
