"""Which keys of the config take effect in a running daemon, and which wait for a restart. The documents are made from this."""

from __future__ import annotations

from collections.abc import Mapping

from edge.config import sections

LIVE = (
    "camera", "models", "night", "view", "motion", "governor", "tracking", "store", "privacy", "country", "unread", "lists", "gate", "outbox", "targets",
)  # fmt: skip
"""These are handed on whole to the part that goes by them, so that a new key of theirs is live too. But for:"""
RESTART: Mapping[str, str] = {
    "store.path": "the page, and whatever else reads the events, has the same file open",
    "privacy.key_file": "with another key every pseudonym would be another one from this moment on",
    "unread.directory": "the page shows the pictures from there",
    "runtime.directory": "the page looks for the status there",
    "web.*": "the page is a process of its own, and is restarted alone",
}
"""`section.key`, or `section.*` for all of them -> why."""


def why(name: str) -> str:
    """Why `section.key` waits for a restart; empty for one that is live."""
    section = name.partition(".")[0]
    known = RESTART.get(name) or RESTART.get(f"{section}.*")
    return known or ("" if section in LIVE else "it is read once, at the start")


def needs_restart(section: str, key: str) -> bool:
    return why(f"{section}.{key}") != ""


def restart_keys() -> list[str]:
    """Every `section.key` that waits for a restart, in the order of the config."""
    return [f"{section}.{key}" for section, kind in sections().items() for key in kind.model_fields if needs_restart(section, key)]
