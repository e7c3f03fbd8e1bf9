"""What a room is: one screen of the page, with its place in the navigation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import Blueprint

Group = Literal["watch", "gate", "device"]
GROUPS: tuple[Group, ...] = ("watch", "gate", "device")
"""What is seen, what is let in, and the device itself: so the navigation is parted where it has room."""


@dataclass(frozen=True, slots=True)
class Room:
    """`name` is also that of its words (`catalogue/NAME.toml`, with `nav`), its template and its script."""

    name: str
    pages: Blueprint
    path: str
    """Where the navigation leads."""
    scope: str
    """Who may not, does not see it in the navigation. Each endpoint asks by itself too."""
    group: Group
    icon: str
    """Outline in a square of 24: the `d` of an SVG path."""
    thumb: int = 99
    """The rooms with the least numbers stand in the bar at the bottom of a phone."""
    in_navigation: bool = True
