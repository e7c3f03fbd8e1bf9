"""What would help a plate that gave no event to be read, from what was measured. Pure; words come from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.config import Config
from edge.web.setup.needs import NEEDS

WANTED_PX = round(next(need.good for need in NEEDS if need.name == "width"))
"""From this width on the reader has what it needs; `tracking.min_plate_px` is only where it begins to try."""
FREEZES_KMH_US = 90_000
"""As `camera.shutter_us` says: 2000 µs freeze a plate of up to about 45 km/h."""
SPEED_KMH = 30
AMPLE_LOOKS = 6
Advice = tuple[str, dict[str, object]]
"""The key below `unread.help.`, and the values of its gaps."""


def advice(told: Mapping[str, Any], config: Config) -> list[Advice]:
    """The most helpful first; nothing where there is nothing to say."""
    found = _first(str(told.get("reason", "")), told, config)
    width = _number(told, "width_px")
    if width and width < WANTED_PX and told.get("reason") in ("nothing legible", "reads disagree", "low confidence", "blurred"):
        found.append(("narrow", {"width": round(width), "wanted": WANTED_PX}))
    return found


def _first(reason: str, told: Mapping[str, Any], config: Config) -> list[Advice]:
    tracking, width = config.tracking, _number(told, "width_px")
    counts = {"looks": int(_number(told, "reads")), "agreeing": int(_number(told, "agreeing")), "least": tracking.min_reads}
    if reason == "too small" and width:
        return [("too_small", {"width": round(width), "wanted": WANTED_PX, "factor": round(WANTED_PX / width, 1)})]
    if reason == "blurred":
        return [_shutter(config)]
    if reason == "glare":
        return [("glare", {"share": _percent(told, "glare")})]
    if reason == "too few reads":
        frames, seconds = int(_number(told, "frames")), _number(told, "seconds")
        found: list[Advice] = [("few_looks", {"count": counts["looks"], "least": counts["least"], "seconds": seconds})]
        return [*found, ("few_frames", {"count": frames})] if frames < AMPLE_LOOKS else found
    if reason == "reads disagree":
        return [("disagree", {"looks": counts["looks"], "agreeing": counts["agreeing"], "least": counts["least"]})]
    if reason == "low confidence":
        return [("unsure", {"sure": _percent(told, "confidence"), "least": f"{100 * tracking.min_confidence:.0f}"})]
    if reason == "low detection":
        return [("faint", {"score": _percent(told, "score"), "least": f"{100 * tracking.min_detection_score:.0f}"})]
    if reason == "too short":
        return [("short", {"least": tracking.min_characters})]
    if reason == "does not fit the country":
        return [("country", {"country": config.country.code.upper()})]
    return []


def _shutter(config: Config) -> Advice:
    wanted: dict[str, object] = {"wanted": round(1e6 * SPEED_KMH / FREEZES_KMH_US), "speed": SPEED_KMH}
    us = config.camera.shutter_us
    if config.camera.kind != "pi":
        return "shutter_elsewhere", wanted
    if not us:
        return "shutter_auto", wanted
    if FREEZES_KMH_US / us < SPEED_KMH:
        return "shutter_long", {"now": round(1e6 / us), "freezes": round(FREEZES_KMH_US / us), **wanted}
    return "focus", {"now": round(1e6 / us), "freezes": round(FREEZES_KMH_US / us)}


def _number(told: Mapping[str, Any], name: str) -> float:
    """0 for what was not measured, or by another version otherwise."""
    value = told.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def _percent(told: Mapping[str, Any], name: str) -> str:
    return f"{100 * _number(told, name):.0f}"
