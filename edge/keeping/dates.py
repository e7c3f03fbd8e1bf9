"""Events that a wrong clock has dated: one from the future would be kept for ever, one from 1970 would go at once.

The order in which they were written down is beyond doubt. So one that cannot be of its time is counted as of the time of its neighbour there, for how long
it is kept and for searching; what the event itself says stays as it was told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from edge.keeping.belief import FAR, UNSET
from edge.status import utc_iso

if TYPE_CHECKING:
    from edge.store import Store


def redated(rows: Iterable[tuple[int, str]], now: datetime) -> dict[int, str]:
    """{seq: when it counts as of} for those rows (seq, last_seen; by seq) whose time cannot be.

    Later than tomorrow: as of the next one after it, or now. More than a day earlier than one before it: as of that one. Before clocks were set: as of the
    one before, or the next.
    """
    soon, unset = utc_iso(now + FAR), utc_iso(UNSET)
    found, waiting = dict[int, str](), list[int]()
    newest = ""
    for seq, at in rows:
        if at > soon or (at < unset and not newest):
            waiting.append(seq)
            continue
        if at < unset or (newest and at < _earlier(newest)):
            found[seq] = newest
        else:
            newest = max(newest, at)
        found |= dict.fromkeys(waiting, found.get(seq, at))
        waiting.clear()
    return found | dict.fromkeys(waiting, utc_iso(now))


def _earlier(at: str) -> str:
    return utc_iso(datetime.fromisoformat(at) - FAR)


def redate(store: Store, now: datetime, *, thorough: bool = False) -> int:
    """Do so; how many were redated. Unless `thorough` nothing is looked through where the oldest and the newest are as they should be. Raises StoreError."""
    (oldest, newest) = store.rows("SELECT coalesce(min(last_seen), ''), coalesce(max(last_seen), '') FROM events")[0]
    if not newest or not (thorough or oldest < utc_iso(UNSET) or newest > utc_iso(now + FAR)):
        return 0
    found = redated(store.rows("SELECT seq, last_seen FROM events ORDER BY seq"), now)
    if found:
        with store.batch() as db:
            db.executemany("UPDATE events SET last_seen = ? WHERE seq = ?", [(at, seq) for seq, at in found.items()])
    with store.batch() as db:
        db.execute("DELETE FROM reasons WHERE minute > ?", (utc_iso(now + FAR),))
    return len(found)
