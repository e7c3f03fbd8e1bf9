"""How the device is, what needs somebody, and what can be done. All of it works without script; with it the figures run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge.errands import Answer
from edge.errors import PlatewatchError, StoreError
from edge.status import utc_iso
from edge.web import nursing, vitals
from edge.web.api.given import files
from edge.web.api.health import get_health, zipped
from edge.web.examination import examination
from edge.web.rooms.room import Room
from edge.web.scopes import caller, may, needs
from edge.web.speech import spoken
from edge.web.words import closed, named

pages = Blueprint("wellbeing", __name__)  # `health` holds what programs ask
ROOM = Room("health", pages, path="/health", scope="health:read", group="device", icon="M3 12h4l2.500-6 4 13 3-9 1.500 2h3")
LOOKS = 50


@pages.get("/health")
@needs("health:read")
def page() -> ResponseReturnValue:
    found, now, writes = get_health(), files().utc_now(), may("health:write")
    uptime = found["board"]["uptime_s"]
    return render_template(
        "health.html",
        found=found,
        curves=curves(vitals.curves(nursing.directory())),
        rounds=vitals.rounds_days(found["written"], found["disk"]),
        losses=[(named("daemon.loss.", why, spoken()) or why, count) for why, count in found["camera"]["losses"].items()],
        hot=(vitals.WARM_C, vitals.HOT_C),
        system_since=None if uptime is None else utc_iso(now - timedelta(seconds=uptime)),
        page_since=utc_iso(now - timedelta(seconds=found["page"]["uptime_s"])),
        doctor=examination(nursing.directory()) if writes else None,
        looks=looks() if may("access:write") else None,
    )


def curves(told: dict[str, list[float | None]]) -> dict[str, dict[str, Any]]:
    """What a curve is drawn and said by; none where fewer than two values are known. It shows the way, and its words the height."""
    found = {}
    for name, least in (("temperature_c", 10.0), ("fps", 2.0), ("free_mb", 100.0)):
        values = [value for value in told[name] if value is not None]
        if len(values) > 1:
            low, high = min(values), max(values)
            margin = max(0.0, least - (high - low)) / 2
            found[name] = {"d": vitals.path_of(told[name], low - margin, high + margin), "low": low, "high": high}
    return found


def looks() -> list[tuple[str, str, str, int]]:
    try:
        return files().store().accesses(LOOKS)
    except StoreError:
        return []


@pages.post("/health/doctor")
@needs("health:write")
def call_doctor() -> ResponseReturnValue:
    return _done(lambda: nursing.call_doctor(caller().name), "#doctor", quiet=True)


@pages.post("/health/restart")
@needs("health:write")
def restart() -> ResponseReturnValue:
    return _done(lambda: nursing.restart(caller().name))


@pages.post("/health/support")
@needs("health:write")
def support() -> ResponseReturnValue:
    try:
        return zipped(nursing.support(caller().name))
    except PlatewatchError as error:
        flash(closed(str(error)), "bad")
        return redirect("/health", 303)


@pages.post("/health/target")
@needs("health:write")
def target() -> ResponseReturnValue:
    """The button that was pressed says what: `test` or `retry`."""
    act = nursing.retry_target if "retry" in request.form else nursing.try_target
    return _done(lambda: act(request.form.get("name", "")[:100]), "#targets")


def _done(act: Callable[[], Answer], place: str = "", *, quiet: bool = False) -> ResponseReturnValue:
    """Back to the room, which says how it went; `quiet` where the room shows it anyway."""
    answer = act()
    if not (answer.ok and quiet):
        flash(closed(answer.sentence[:400]), "good" if answer.ok else "bad")
    return redirect(f"/health{place}", 303)
