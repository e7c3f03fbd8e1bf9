"""What somebody at the page says about a plate."""

from __future__ import annotations

from edge.labels.label import Label
from edge.web.api.given import files
from edge.web.deleting import who


def say(id: str, judgement: str, text: str, lines: int = 0) -> Label:
    """Raises LabelError, in a sentence, for what cannot be said."""
    labels, by = files().labels(), who()
    if judgement == "corrected":
        return labels.correct(id, text, by, lines)
    return labels.confirm(id, by, lines) if judgement == "confirmed" else labels.not_a_plate(id, by)
