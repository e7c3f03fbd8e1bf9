"""After the saving: the daemon is told to read its config again."""

from __future__ import annotations

from pathlib import Path

from edge.errands import Answer

PATIENCE_S = 15.0
"""New models and a new camera need their time."""


def put_in_force(directory: Path, who: str) -> Answer:
    """The daemon's answer, or why there is none; `directory` is the runtime folder. Never raises."""
    from edge.web.errands import Errands

    return Errands(directory).ask("reload", who=who, wait_s=PATIENCE_S)
