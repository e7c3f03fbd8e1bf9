"""How many events there are, of whom, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from edge.events.query import NO_LIST, Found


def figures(found: Sequence[Found]) -> dict[str, Any]:
    """Counts, ready for JSON; days and hours are those of this device's zone."""
    events = [one.event for one in found]
    at = [datetime.fromisoformat(event.last_seen).astimezone() for event in events]
    return {
        "events": len(events),
        "plates": len({event.text for event in events}),
        "oldest": min((event.last_seen for event in events), default=None),
        "newest": max((event.last_seen for event in events), default=None),
        "cameras": dict(Counter(event.camera for event in events).most_common()),
        "lists": dict(Counter(event.match.list if event.match else NO_LIST for event in events).most_common()),
        "days": dict(sorted(Counter(moment.date().isoformat() for moment in at).items())),
        "hours": dict(sorted(Counter(moment.hour for moment in at).items())),
    }
