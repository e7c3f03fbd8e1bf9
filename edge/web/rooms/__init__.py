"""The rooms of the page, one line for each, in the order of the navigation."""

from __future__ import annotations

from edge.web.rooms import access, corrections, events, gate, health, lists, live, model, privacy, settings, setup, start, unread
from edge.web.rooms.room import Room

ROOMS: tuple[Room, ...] = (
    live.ROOM,
    events.ROOM,
    unread.ROOM,
    corrections.ROOM,
    lists.ROOM,
    gate.ROOM,
    model.ROOM,
    health.ROOM,
    setup.ROOM,
    settings.ROOM,
    privacy.ROOM,
    start.ROOM,
    access.ROOM,
)
