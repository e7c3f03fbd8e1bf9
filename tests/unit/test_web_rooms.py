"""The rooms and the ways to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from edge.config import Config, RuntimeConfig, StoreConfig
from edge.web import scopes
from edge.web.app import create_app
from edge.web.rooms import ROOMS
from edge.web.rooms.navigation import AT_HAND, arrange, ways
from edge.web.rooms.room import GROUPS, Group, Room


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(Config(store=StoreConfig(path=str(tmp_path / "events.sqlite")), runtime=RuntimeConfig(directory=str(tmp_path))))
    yield app
    app.extensions["daemon_files"].close()


def a_room(name: str, group: Group = "watch", thumb: int = 99) -> Room:
    return Room(name, Blueprint(name, __name__), f"/{name}", "status:read", group, "M0 0", thumb)


def test_a_phone_has_the_rooms_with_the_least_numbers_at_hand_and_all_others_behind_more() -> None:
    rooms = [a_room("a"), a_room("b", thumb=4), a_room("c", thumb=1), a_room("d", "device"), a_room("e", thumb=3), a_room("f", thumb=2)]
    found = arrange(rooms)
    assert [room.name for room in found.at_hand] == ["c", "f", "e", "b"]
    assert [room.name for room in found.further] == ["a", "d"]
    assert [(group, [room.name for room in inside]) for group, inside in found.groups] == [("watch", ["a", "b", "c", "e", "f"]), ("device", ["d"])]


def test_who_may_little_has_few_rooms_and_all_of_them_at_hand() -> None:
    found = arrange([a_room("a"), a_room("b")])
    assert ([room.name for room in found.at_hand], found.further) == (["a", "b"], [])


def test_only_rooms_that_one_may_enter_are_shown(app: Flask) -> None:
    with app.test_request_context("/"):
        from flask import g

        g.caller = scopes.Caller("ann", frozenset({"events:read"}))
        assert {room.scope for _, rooms in ways().groups for room in rooms} - {scopes.ANYONE} == {"events:read"}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_keeps_the_agreements(app: Flask, room: Room) -> None:
    """Its scope is one, its outline a path, its address its own; and its entrance asks for the scope that the navigation goes by."""
    assert room.scope in scopes.SCOPES or room.scope == scopes.ANYONE
    assert room.group in GROUPS
    assert re.fullmatch(r"[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+", room.icon)
    endpoint, _ = app.url_map.bind("localhost").match(room.path)
    assert endpoint.startswith(f"{room.pages.name}.")
    assert scopes.scope_of(app.view_functions[endpoint]) == room.scope


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_what_a_room_loads_is_small(app: Flask, room: Room) -> None:
    """Script and style of one page, for a phone at the edge of the wireless network."""
    client = app.test_client()
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"?]+\.(?:js|css))', client.get(room.path).text))
    assert {"/static/page.css", "/static/page.js", "/static/theme.js"} <= loaded
    assert sum((Path(str(app.static_folder)) / path.removeprefix("/static/")).stat().st_size for path in loaded) < 60_000


def test_no_two_rooms_share_a_name_an_address_or_a_place_on_the_phone() -> None:
    assert len({room.name for room in ROOMS}) == len({room.path for room in ROOMS}) == len(ROOMS)
    thumbs = sorted(room.thumb for room in ROOMS if room.in_navigation)[:AT_HAND]
    assert len(set(thumbs)) == len(thumbs)


def test_the_room_that_one_is_in_is_marked_once_for_the_desk_and_once_for_the_phone(app: Flask) -> None:
    page = app.test_client().get("/events").text
    assert len(re.findall(r'<a href="/events" aria-current="page"', page)) == 2
    assert len(re.findall(r'aria-current="page"', page)) == 2
