"""What the doctor said: the lines that the daemon's, or the page's own, examination left in the runtime folder. No Flask in here."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.desk.physician import NAME, PATIENCE_S
from edge.status import utc_iso

STATES = ("good", "note", "bad")
KEYS = ("state", "what", "words", "mend")


def examination(directory: Path) -> dict[str, Any]:
    """{"state": "" | "running" | "done" | "broken off", "at": UTC of its last word or None, "findings": [{"state", "what", "words", "mend"}]}."""
    try:
        path = directory / NAME
        changed, lines = path.stat().st_mtime, path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {"state": "", "at": None, "findings": []}
    findings, done = list[dict[str, str]](), False
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:  # half a line: it is being written
            continue
        if not isinstance(told, dict):
            continue
        done = done or bool(told.get("done"))
        if told.get("state") in STATES:
            findings.append({key: str(told.get(key) or "") for key in KEYS})
    state = "done" if done else "running" if abs(time.time() - changed) < PATIENCE_S else "broken off"
    return {"state": state, "at": utc_iso(datetime.fromtimestamp(changed, UTC)), "findings": findings}
