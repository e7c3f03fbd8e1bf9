"""What the reader needs of a plate, and how far the plates in view give it. Pure; words come from the catalogue.

The limits are measured: `python -m convert needs --data PHOTOS` makes plates that are read worse in one way at a time. Good is where at most
2 of 100 more are lost than at best, bad where more than 15 are (docs/page.md). A test holds these numbers to what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.web.language import Language
from edge.web.words import Tone, named


@dataclass(frozen=True, slots=True)
class Need:
    """`figure` of `edge.desk.aid.figures`; good from `good` on, bad beyond `bad`. Where `good` is the smaller of the two, less is better."""

    name: str
    figure: str
    good: float
    bad: float
    digits: int = 0

    def tone(self, value: float) -> Tone:
        sign = 1 if self.good > self.bad else -1
        return "good" if sign * value >= sign * self.good else "wait" if sign * value >= sign * self.bad else "bad"

    def percent(self, value: float) -> float:
        """Of a bar: bad ends at a third of it, good begins at two thirds, whatever the figure."""
        reach = (value - self.bad) / (self.good - self.bad)
        return round(min(100.0, max(4.0, 100 * (1 + reach) / 3)), 1)


NEEDS = (
    Need("width", "width_px", 70, 60),
    Need("height", "character_height_px", 12, 5),
    Need("sharpness", "sharpness", 0.48, 0.23, 2),
    Need("contrast", "contrast", 40, 15),
    Need("clipping", "burnt_out", 0.3, 0.6, 2),
    Need("tilt", "tilt_deg", 10, 40),
)
SMEAR_GOOD, SMEAR_BAD = 0.02, 0.04
"""How far a plate may move while the shutter is open, as a share of its own width."""


def checks(told: Mapping[str, Any], t: Language) -> list[dict[str, Any]]:
    """One for each need that was measured: {"name", "value", "tone", "percent", "words", "says"}; `says` is what to do, empty where it is good."""
    found = []
    for need in NEEDS:
        raw = told.get(need.figure)
        if not isinstance(raw, int | float):
            continue
        value = abs(float(raw))
        tone = need.tone(value)
        shown = t.percent(value) if need.name == "clipping" else t.number(value, need.digits)
        wanted = t.percent(need.good) if need.name == "clipping" else t.number(need.good, need.digits)
        words = t(f"setup.value.{need.name}", value=shown, verdict=t(f"setup.tone.{tone}"))
        says = "" if tone == "good" else t(f"setup.advice.{need.name}", value=shown, wanted=wanted)
        found.append({"name": need.name, "value": value, "tone": tone, "percent": need.percent(value), "words": words, "says": says})
    return found


def worst(found: Sequence[Mapping[str, Any]]) -> Tone:
    """Of the checks of a plate."""
    tones = {one["tone"] for one in found}
    return "bad" if "bad" in tones else "wait" if "wait" in tones else "good" if tones else "off"


def aided(daemon: Mapping[str, Any] | None, t: Language) -> dict[str, Any]:
    """What the status tells under `aid`, with words: plates with a text first, and the nearest of them."""
    told = (daemon or {}).get("aid") or {}
    plates = [dict(one) | {"checks": (found := checks(one, t)), "tone": worst(found)} for one in told.get("plates") or ()]
    plates.sort(key=lambda one: (not one.get("text"), -float(one.get("width_px") or 0)))  # what has no text yet may be a garage door
    walk = told.get("walk")
    return {
        "seconds_left": float(told.get("seconds_left") or 0),
        "plates": plates,
        "picture": told.get("picture"),
        "trying": told.get("trying") or {},
        "walk": None
        if walk is None
        else {"seconds_left": walk.get("seconds_left", 0), "flickers": walk.get("flickers", 0), "tracks": [walked(one, t) for one in walk.get("tracks") or ()]},
    }


def walked(track: Mapping[str, Any], t: Language) -> dict[str, Any]:
    """One track of a walk test, with what became of it in words."""
    outcome = str(track.get("outcome", ""))
    if outcome == "event":
        return dict(track) | {"tone": "good", "words": t("setup.walk.event"), "says": ""}
    tone = "off" if outcome in ("same pass", "ignored", "excluded") else "bad"
    says = named("daemon.reason.", outcome, t) or outcome
    return dict(track) | {"tone": tone, "words": t("setup.walk.silent" if tone == "off" else "setup.walk.lost"), "says": says}
