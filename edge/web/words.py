"""The page's sentences about the device: states, reasons and plates as a person would say them, in any language. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from edge.records import Character
from edge.web.language import ENGLISH, Language
from edge.web.phrases import catalogue

Tone = Literal["good", "wait", "bad", "off"]
"""The colour of the dot; never the only sign, since the word stands beside it."""
STATES: dict[str, Tone] = {"starting": "wait", "watching": "good", "idle": "wait", "camera lost": "bad", "safe mode": "bad"}
SURE, UNSURE = 0.9, 0.7
"""Characters below SURE are marked, below UNSURE more strongly."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What the daemon is doing. `{ago}` in `pattern` stands for the time since `since`, which the page lets run."""

    tone: Tone
    word: str
    pattern: str
    since: str | None = None
    is_quoted: bool = False
    """The daemon's own sentence, which is English."""
    also: str = ""
    """What else is wrong, in the daemon's own English."""

    def sentence(self, now: datetime, language: Language = ENGLISH) -> str:
        return self.pattern.replace("{ago}", language.ago(seconds_since(self.since, now))) if self.since else self.pattern


def headline(status: dict[str, Any] | None, alive: bool, t: Language = ENGLISH) -> Headline:
    if status is None:
        return Headline("off", t("daemon.state.never.word"), t("daemon.state.never.says"))
    state, detail = str(status.get("state", "")), str(status.get("detail") or "")
    updated_at = str(status.get("updated_at") or "")
    if state == "stopped":
        return Headline("off", t("daemon.state.stopped.word"), t("daemon.state.stopped.says", ago="{ago}"), updated_at)
    if not alive:
        return Headline("bad", t("daemon.state.gone.word"), t("daemon.state.gone.says", ago="{ago}"), updated_at)
    if state not in STATES:  # a newer daemon's
        return Headline("wait", state.capitalize() or t("daemon.state.unknown.word"), closed(detail), is_quoted=True)
    tone = STATES[state]
    if tone == "good" and (found := _held_up(status, t)) is not None:
        return found
    if detail and tone == "good":  # it reads, but something else is wrong
        tone = "wait"
    return Headline(tone, t(f"daemon.state.{key(state)}.word"), closed(detail) or t(f"daemon.state.{key(state)}.says"), is_quoted=bool(detail))


def _held_up(status: dict[str, Any], t: Language) -> Headline | None:
    """Why a daemon whose camera works does not do all that it could."""
    detail, governor, reload = str(status.get("detail") or ""), status.get("governor") or {}, status.get("reload") or {}
    if status.get("detecting") is False:
        return Headline("wait", t("daemon.held.off.word"), t("daemon.held.off.says"), also=without(detail, "detection is switched off"))
    if governor.get("step"):
        also = without(detail, str(governor.get("words", "")))
        warm = governor.get("temperature_c")
        says = t("daemon.held.hot.says") if warm is None else t("daemon.held.hot.degrees", degrees=f"{warm:.0f}")
        return Headline("wait", t("daemon.held.hot.word"), says, also=also)
    if reload.get("busy"):
        return Headline("wait", t("daemon.held.taking.word"), t("daemon.held.taking.says"), also=without(detail, str(reload.get("words", ""))))
    if waiting := reload.get("waiting"):
        says = t("daemon.held.restart.says", keys=", ".join(map(str, waiting)))
        return Headline("wait", t("daemon.held.restart.word"), says, also=without(detail, str(reload.get("words", ""))))
    return None


def without(detail: str, said: str) -> str:
    """The other troubles of a detail."""
    return closed("; ".join(part for part in detail.replace(said, "").split("; ") if part)) if said else closed(detail)


def key(name: str) -> str:
    """A name of the daemon's as the catalogue has it."""
    return name.replace(" ", "_")


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
    """In English."""
    return ENGLISH.ago(seconds)


def moment(iso: str) -> str:
    """In English, local time of the device."""
    return ENGLISH.moment(iso)


def certainty(confidence: float) -> str:
    """How a character is drawn."""
    return "sure" if confidence >= SURE else "unsure" if confidence >= UNSURE else "doubtful"


def figure(number: object, t: Language = ENGLISH) -> str:
    """One decimal; a dash for what was not measured."""
    return t.number(number, 1) if isinstance(number, int | float) and number else "–"


def spoken(text: str, characters: Sequence[Character], t: Language = ENGLISH) -> str:
    """A plate for a screen reader, with the characters that are in doubt."""
    doubts = [f"{c.char} {t.percent(c.confidence)}" for c in characters if c.confidence < SURE]
    name = t("common.script.plate", text=" ".join(text)) if text else t("common.script.plate_empty")
    return t("common.script.plate_doubts", plate=name, doubts=", ".join(doubts)) if doubts else name


def named(prefix: str, name: str, t: Language) -> str | None:
    """What the catalogue says of one of the daemon's names; None for a name that this page does not know."""
    found = f"{prefix}{key(name)}"
    return t(found) if found in catalogue() else None


def reason(name: str, t: Language = ENGLISH) -> str:
    """Why a track gave no event; a reason that this page does not know is shown by its own name."""
    return named("daemon.reason.", name, t) or closed(name.replace("_", " "))


def machine(status: dict[str, Any] | None, t: Language = ENGLISH) -> str:
    """What works here: camera, threads and models, as far as the daemon has told."""
    status = status or {}
    camera, bundles, threads = status.get("camera") or {}, status.get("bundles") or {}, status.get("threads")
    parts = []
    if camera.get("width"):
        parts.append(t("daemon.machine.camera", width=str(camera["width"]), height=str(camera["height"]), fps=round(camera.get("fps") or 0)))
    if bundles:
        parts.append(", ".join(f"{bundle.get('name') or kind}" for kind, bundle in bundles.items()))
    if threads is not None:
        said = t("daemon.machine.threads", count=threads)
        parts.append(t("daemon.machine.measured", threads=said) if status.get("threads_by") == "measured" else said)
    if camera.get("profile", "day") != "day":
        parts.append(t("daemon.machine.profile", profile=camera["profile"]))
    if camera.get("losses"):
        losses = ", ".join(f"{named('daemon.loss.', why, t) or why} {count}×" for why, count in camera["losses"].items())
        parts.append(t("daemon.machine.losses", losses=losses))
    return " · ".join(parts)
