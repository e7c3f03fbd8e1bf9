"""Why a pass gave no event: the reasons, and the measured facts that stand beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:  # the page reads its words without what they are said of
    import numpy as np
    import numpy.typing as npt

    from edge.records import Sighting
    from edge.tracking.settings import TrackingConfig
    from edge.tracking.tracker import Track
    from edge.tracking.verdict import Verdict

Reason = Literal[
    "too small", "blurred", "glare", "low detection", "nothing legible", "too few reads", "reads disagree", "low confidence", "too short",
    "does not fit the country", "ignored", "same pass", "excluded",
]  # fmt: skip
REASONS: tuple[str, ...] = get_args(Reason)
SURER = 0.12
"""One of the looks that vote must be found more surely than any of them must be: lettering on boards and vans seldom is (docs/soak.md)."""
SUREST = 0.3
"""The same for digits alone and letters alone where no country is told that has such plates: numbers and words on vans, walls and shirts are more frequent."""
SURELY = 0.95
"""With so much confidence letters alone must then be read; telephone numbers are read as surely as plates, so that this would not tell them apart."""
GLARE = 0.35
"""Burnt out by this share of its pixels, a plate that could not be read owes it to glare."""
UNREADABLE: tuple[Reason, ...] = ("nothing legible", "too few reads", "reads disagree", "low confidence")


@dataclass(frozen=True, slots=True)
class Unread:
    """A pass that gave no event; `crop` (H, W) or (H, W, 3) is its best picture, None where none may be shown."""

    reason: Reason
    facts: dict[str, Any]
    crop: npt.NDArray[np.uint8] | None


def flaw(look: Sighting, config: TrackingConfig) -> Reason | None:
    """Why a look has no vote."""
    if look.excluded:
        return "excluded"
    if look.detection.box.width < config.min_plate_px:
        return "too small"
    if look.detection.score < config.min_detection_score:
        return "low detection"
    return "blurred" if look.sharpness < config.min_sharpness else None


def doubt(track: Track, verdict: Verdict, config: TrackingConfig, strict: bool = False, told: bool = False) -> Reason | None:
    """Why a verdict is not believed, or None when it is. `strict` believes no text that does not fit the country; `told`: the countries are named."""
    found = _doubt(track, verdict, config, strict, told)
    if found in UNREADABLE and median(look.glare for look in track.looks) > GLARE:
        return "glare"
    return found


def _doubt(track: Track, verdict: Verdict, config: TrackingConfig, strict: bool, told: bool) -> Reason | None:
    if verdict.agreeing >= config.min_reads:
        if len(verdict.text) < config.min_characters:
            return "too short"
        plain = _is_plain(verdict.text) and not (told and verdict.fits)
        surest = max((look.detection.score for look in track.looks if flaw(look, config) is None), default=0.0)
        if surest < config.min_detection_score + (SUREST if plain else SURER):
            return "low detection"
        if verdict.confidence < config.min_confidence:
            return "low confidence"
        if strict and not verdict.fits:
            return "does not fit the country"
        return "low confidence" if plain and verdict.text.isalpha() and verdict.confidence < SURELY else None
    flaws = Counter(found for look in track.looks if (found := flaw(look, config)))
    if verdict.looks < config.min_reads and flaws and flaws.total() >= len(track.looks) / 2:
        return flaws.most_common(1)[0][0]
    if verdict.looks == 0:
        return "nothing legible"
    return "too few reads" if verdict.looks < config.min_reads else "reads disagree"


def _is_plain(text: str) -> bool:
    """Not letters and digits together, as nearly all plates are."""
    return text.isdigit() or text.isalpha()


def facts(track: Track, verdict: Verdict, pictured: Sighting | None = None) -> dict[str, Any]:
    """What was measured on the way, ready for `json.dumps`: medians of widths and glare, the best of sharpness and score.

    `corners` are those of the plate in the picture of the look `pictured`, in pixels of that crop, and `lines` what the detector took it for.
    """
    looks = track.looks
    shown: dict[str, Any] = {}
    if pictured is not None:
        x, y = pictured.crop_at
        shown = {"corners": [[round(px - x, 1), round(py - y, 1)] for px, py in pictured.detection.quad.points], "lines": pictured.detection.lines}
    return shown | {
        "text": verdict.text,
        "width_px": round(float(median(look.detection.box.width for look in looks)), 1),
        "sharpness": round(float(max(look.sharpness for look in looks)), 4),
        "score": round(float(max(look.detection.score for look in looks)), 3),
        "glare": round(float(median(look.glare for look in looks)), 3),
        "frames": track.sightings,
        "reads": verdict.looks,
        "agreeing": verdict.agreeing,
        "confidence": round(float(verdict.confidence), 3),
        "seconds": round(track.last_seen_at - track.first_seen_at, 2),
        "direction": track.motion.direction(),
    }


def best_look(track: Track) -> Sighting | None:
    """Of the looks with a picture the surest, then the sharpest."""
    pictured = [look for look in track.looks if look.crop is not None]
    return max(pictured, key=lambda look: (look.read.confidence * look.detection.score, look.sharpness)) if pictured else None
