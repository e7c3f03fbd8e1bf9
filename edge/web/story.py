"""One event with all that led to it and came of it: the looks, the plate's past, the gate, the targets."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from edge.errors import StoreError
from edge.events.query import Found, find_one
from edge.events.seen import Seen, seen_before
from edge.evidence import Evidence
from edge.publish.filters import wants
from edge.publish.settings import TargetConfig
from edge.store import Store

MOST_DECISIONS = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """Of the gate; `at` is UTC, ISO 8601."""

    at: str
    opens: bool
    dry_run: bool
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """`state` of an event at a target: waiting, refused, unwanted, or done where nothing waits for it."""

    name: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    found: Found
    has_frame: bool
    evidence: Evidence | None
    seen: Seen
    gate: tuple[Decision, ...]
    targets: tuple[Told, ...]


def story(store: Store, id: str, audit: Path, targets: Sequence[TargetConfig]) -> Story | None:
    """None where there is no such event. Raises StoreError."""
    found, seen = find_one(store, id), seen_before(store, id)
    if found is None or seen is None:
        return None
    has_frame = bool(store.rows("SELECT 1 FROM frames WHERE event = ?", id))
    return Story(found, has_frame, looks(store, id), seen, decisions(audit, id), told(store, found, targets))


def looks(store: Store, id: str) -> Evidence | None:
    """Looks that another version kept are no reason to show nothing."""
    try:
        return store.looks(id)
    except StoreError:
        return None


def decisions(audit: Path, id: str) -> tuple[Decision, ...]:
    """What the gate decided about an event, in order; nothing where there is no gate or its file cannot be read."""
    if not audit.is_file():
        return ()
    try:
        db = sqlite3.connect(f"{audit.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            sql = "SELECT at, opens, dry_run, reason, why FROM decisions WHERE event = ? ORDER BY seq LIMIT ?"
            rows = db.execute(sql, (id, MOST_DECISIONS)).fetchall()
        finally:
            db.close()
    except sqlite3.Error:
        return ()
    return tuple(Decision(at, bool(opens), bool(dry_run), reason, why) for at, opens, dry_run, reason, why in rows)


def told(store: Store, found: Found, targets: Sequence[TargetConfig]) -> tuple[Told, ...]:
    """For each target that the page's config names."""
    if not targets:
        return ()
    waiting = dict[str, str | None]()
    if store.rows("SELECT 1 FROM sqlite_master WHERE name = 'outbox'"):
        waiting = {name: refused for name, refused in store.rows("SELECT target, refused FROM outbox WHERE event = ?", found.event.id)}
    row, has_crop = found.event.as_json(), bool(store.rows("SELECT 1 FROM crops WHERE event = ?", found.event.id))

    def state(target: TargetConfig) -> Told:
        if target.name in waiting:
            refused = waiting[target.name]
            return Told(target.name, "waiting" if refused is None else "refused", refused or "")
        return Told(target.name, "done" if wants(target, row, has_crop) else "unwanted")

    return tuple(state(target) for target in targets)


def marked(text: str, against: str) -> list[tuple[str, bool]]:
    """The characters of a text, and whether each differs from the other text."""
    same = {place for block in SequenceMatcher(None, text, against, autojunk=False).get_matching_blocks() for place in range(block.a, block.a + block.size)}
    return [(char, place not in same) for place, char in enumerate(text)]


def suggestions(text: str, evidence: Evidence | None, most: int = 4) -> list[str]:
    """What else the plate may say: texts that looks read, then the text with its most probable other character."""
    if evidence is None:
        return []
    swaps = sorted(
        (
            (other.confidence, text[:place] + other.char + text[place + 1 :])
            for place, others in enumerate(evidence.alternatives[: len(text)])
            for other in others
        ),
        reverse=True,
    )
    found = [one.text for one in evidence.candidates] + [swapped for _, swapped in swaps]
    return [one for one in dict.fromkeys(found) if one and one != text][:most]


def story_json(one: Story) -> dict[str, Any]:
    """For the API, but for the event itself."""
    return {
        "frame": one.has_frame,
        "evidence": None if one.evidence is None else one.evidence.as_json(),
        "suggestions": suggestions(one.found.event.text, one.evidence),
        "seen": one.seen.as_json(),
        "gate": [{"at": row.at, "opens": row.opens, "dry_run": row.dry_run, "reason": row.reason, "why": row.why} for row in one.gate],
        "targets": [{"name": row.name, "state": row.state, "reason": row.reason} for row in one.targets],
    }
