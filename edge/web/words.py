"""The page's sentences: states, times and reasons as a person would say them. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from edge.records import Character

Tone = Literal["good", "wait", "bad", "off"]
"""The colour of the dot; never the only sign, since the word stands beside it."""
STATES: dict[str, tuple[Tone, str, str]] = {
    "starting": ("wait", "Starting", "Loading the models and opening the camera."),
    "watching": ("good", "Watching", "The camera is open and its pictures are being read."),
    "idle": ("wait", "Idle", "The camera is open but has sent no picture for a while."),
    "camera lost": ("bad", "Camera lost", "The camera does not answer; the daemon keeps trying to open it again."),
    "safe mode": ("bad", "Safe mode", "The configuration cannot be used; no plates are read."),
}
REASONS: dict[str, str] = {
    "too small": "Too small to read: zoom in or move the camera closer.",
    "blurred": "Blurred: a shorter shutter or more light helps.",
    "glare": "Burnt out by glare: less light on the plate, a shorter exposure, or the camera farther from its lamp helps.",
    "low detection": "Hardly looked like a plate.",
    "nothing legible": "A plate, but nothing on it could be read.",
    "too few reads": "Seen too briefly: too few looks could be read.",
    "reads disagree": "The looks disagreed about the text.",
    "low confidence": "The looks agreed, but were not sure enough.",
    "too short": "Too few characters for a plate: lettering, perhaps.",
    "does not fit the country": "Read surely, but no plate of the expected countries.",
    "ignored": "On a list of plates that are never kept.",
    "same pass": "The same vehicle, still or again in view.",
    "excluded": "Outside the part of the picture that is watched.",
}
"""The judge's reasons, with what would help."""
LOSSES: dict[str, str] = {
    "not opened": "could not be opened",
    "gone": "was gone",
    "stalled": "fell silent",
    "frozen": "repeated the same picture",
    "garbage": "sent no proper pictures",
}
"""Why the camera was lost."""
SURE, UNSURE = 0.9, 0.7
"""Characters below SURE are marked, below UNSURE more strongly."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What the daemon is doing. `{ago}` in `pattern` stands for the time since `since`, which the page lets run."""

    tone: Tone
    word: str
    pattern: str
    since: str | None = None

    def sentence(self, now: datetime) -> str:
        return self.pattern.replace("{ago}", ago(seconds_since(self.since, now))) if self.since else self.pattern


def headline(status: dict[str, Any] | None, alive: bool) -> Headline:
    if status is None:
        return Headline("off", "Not running", "No daemon has run here yet. Start it with: platewatch run")
    state, detail = str(status.get("state", "")), str(status.get("detail") or "")
    updated_at = str(status.get("updated_at") or "")
    if state == "stopped":
        return Headline("off", "Stopped", "The daemon stopped {ago}; the events below are kept.", updated_at)
    if not alive:
        return Headline("bad", "Daemon gone", "The daemon fell silent {ago}; the events below are kept.", updated_at)
    tone, word, sentence = STATES.get(state, ("wait", state.capitalize() or "Unknown", ""))
    if detail and tone == "good":  # it reads, but something else is wrong
        tone = "wait"
    return Headline(tone, word, closed(detail) or sentence)


def closed(sentence: str) -> str:
    """Begun with a capital and ended with a stop."""
    return sentence and sentence[0].upper() + sentence[1:] + ("" if sentence[-1] in ".!?" else ".")


def seconds_since(moment: str | None, now: datetime) -> float:
    """Never negative: two clocks may differ by a little. An unreadable moment counts as now."""
    try:
        return max(0.0, (now - datetime.fromisoformat(moment or "")).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def ago(seconds: float) -> str:
    """`page.js` says the same in the same words."""
    if seconds < 1:
        return "just now"
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds / size)} {unit} ago"
    return f"{int(seconds / 86400)} days ago"


def moment(iso: str) -> str:
    """Local time of the device, for pages without script."""
    try:
        found = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return iso
    return f"{found.day} {found:%b}, {found:%H:%M:%S}"


def certainty(confidence: float) -> str:
    """How a character is drawn."""
    return "sure" if confidence >= SURE else "unsure" if confidence >= UNSURE else "doubtful"


def percent(confidence: float) -> str:
    """Never 100 for what is not certain."""
    shown = round(confidence * 100)
    return f"{min(shown, 99) if confidence < 1 else shown} %"


def figure(number: object) -> str:
    """One decimal; a dash for what was not measured."""
    return f"{number:.1f}" if isinstance(number, int | float) and number else "–"


def spoken(text: str, characters: Sequence[Character]) -> str:
    """A plate for a screen reader, with the characters that are in doubt."""
    doubts = [f"{c.char} {percent(c.confidence)}" for c in characters if c.confidence < SURE]
    name = f"Plate {' '.join(text)}" if text else "Plate without text"
    return f"{name}; in doubt: {', '.join(doubts)}" if doubts else name


def reason(name: str) -> str:
    """Why a track gave no event; a reason that this page does not know is shown by its own name."""
    return REASONS.get(name) or closed(name.replace("_", " "))


def machine(status: dict[str, Any] | None) -> str:
    """What works here: camera, threads and models, as far as the daemon has told."""
    status = status or {}
    camera, bundles, threads = status.get("camera") or {}, status.get("bundles") or {}, status.get("threads")
    parts = []
    if camera.get("width"):
        parts.append(f"{camera['width']} × {camera['height']} at {camera.get('fps') or 0:.0f} frames a second")
    if bundles:
        parts.append(", ".join(f"{bundle.get('name') or kind}" for kind, bundle in bundles.items()))
    if threads is not None:
        measured = ", as measured here" if status.get("threads_by") == "measured" else ""
        parts.append("threads chosen for this device" if threads == 0 else f"{threads} thread{'' if threads == 1 else 's'}{measured}")
    if camera.get("profile", "day") != "day":
        parts.append(f"settings for {camera['profile']}")
    if camera.get("losses"):
        parts.append("camera lost: " + ", ".join(f"{LOSSES.get(why, why)} {count}×" for why, count in camera["losses"].items()))
    return " · ".join(parts)
