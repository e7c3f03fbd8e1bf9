"""The metrics of a device, made from what the daemon says of itself. A plate's text is never among them.

`status` is the status file (`edge/status.py`) or None; whatever of it is missing or of another type is left out: a scrape never fails for it.
Counters begin anew with the daemon, as Prometheus expects of a restart; those of the targets live as long as the store.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from edge.camera.base import Why
from edge.metrics.exposition import Family, Kind, Sample, buckets
from edge.metrics.process import Footprint
from edge.status import State
from edge.tracking.looks import LOOKS
from edge.tracking.reasons import REASONS

PREFIX = "platewatch_"
STATES: tuple[str, ...] = get_args(State)
LOSSES: tuple[str, ...] = get_args(Why)
TROUBLES = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
TARGET_COUNTS = {
    "pending": ("outbox_pending", "gauge", "Events that wait for a target."),
    "refused": ("outbox_refused", "gauge", "Events that a target refused and that were set aside."),
    "delivered": ("outbox_delivered_total", "counter", "Events that a target has."),
    "dropped": ("outbox_dropped_total", "counter", "Events that a target never got: too many waited, or they were deleted."),
}
UNKNOWN = Footprint()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the page sees beside the status file; None where it cannot."""

    version: str
    alive: bool
    temperature_c: float | None = None
    stored_events: int | None = None
    store_bytes: int | None = None
    free_bytes: int | None = None
    daemon: Footprint = UNKNOWN


def families(status: Mapping[str, Any] | None, around: Surroundings) -> Iterator[Family]:
    """Every metric that there is something to say about."""
    told = dict(status or {}) if around.alive else _lasting(status or {})
    where = {"camera": str(_part(told, "camera").get("name") or "")}
    yield _one("up", "gauge", "1 while the daemon runs and says so.", float(around.alive))
    yield from _build(told, around.version)
    yield from _device(told, around)
    if not status:
        return
    yield from _camera(told, where, around.alive)
    yield from _passes(told, where)
    yield from _looks(told, where)
    yield from _times(told, where)
    yield from _targets(told)
    yield _labelled("reloads_total", "counter", "Configs read again while the daemon ran.", _part(told, "reload"), "result", {}, ("taken", "refused"))


def _lasting(told: Mapping[str, Any]) -> dict[str, Any]:
    """What still holds when the daemon is gone: its counts, but not how things stood just then."""
    camera, attention = ({key: value for key, value in _part(told, part).items() if key not in ("fps", "moving")} for part in ("camera", "attention"))
    return dict(told) | {"camera": camera, "attention": attention, "governor": {}, "fps": None, "plates_in_view": None}


def _build(told: Mapping[str, Any], version: str) -> Iterator[Family]:
    labels = {"version": str(told.get("version") or version)}
    for kind, bundle in _part(told, "bundles").items():
        if isinstance(bundle, dict):
            labels |= {str(kind): str(bundle.get("name") or ""), f"{kind}_sha256": str(bundle.get("sha256") or "")}
    labels = {name: value for name, value in labels.items() if name in ("version", "detector", "detector_sha256", "reader", "reader_sha256")}
    yield _one("build_info", "gauge", "Always 1; what runs is in the labels.", 1, labels)
    try:
        yield _one("start_time_seconds", "gauge", "When the daemon started, seconds since 1970.", datetime.fromisoformat(told["started_at"]).timestamp())
        yield _one("status_time_seconds", "gauge", "When the daemon last spoke, seconds since 1970.", datetime.fromisoformat(told["updated_at"]).timestamp())
    except (KeyError, TypeError, ValueError):
        return


def _device(told: Mapping[str, Any], around: Surroundings) -> Iterator[Family]:
    """The board, the store and the daemon's process."""
    governor = _part(told, "governor")
    yield _maybe("soc_temperature_celsius", "gauge", "Temperature of the processor.", around.temperature_c)
    if isinstance(troubles := governor.get("troubles"), list):
        flags = tuple(Sample(float(name in troubles), {"trouble": name}) for name in TROUBLES)
        yield Family(f"{PREFIX}throttled", "gauge", "1 while the board reports this trouble (vcgencmd get_throttled).", flags)
    yield _maybe("governor_step", "gauge", "How far the search for plates is slowed down because of heat; 0: not at all.", governor.get("step"))
    yield _maybe("store_events", "gauge", "Events in the store.", around.stored_events)
    yield _maybe("store_bytes", "gauge", "Size of the store's files.", around.store_bytes)
    yield _maybe("disk_free_bytes", "gauge", "Free space where the store is.", around.free_bytes)
    yield _maybe("process_resident_memory_bytes", "gauge", "Memory of the daemon's process.", around.daemon.resident_bytes)
    yield _maybe("process_written_bytes_total", "counter", "Bytes that the daemon's process had written to disk.", around.daemon.written_bytes)
    yield _maybe("process_cpu_seconds_total", "counter", "Processor time of the daemon's process.", around.daemon.cpu_s)


def _camera(told: Mapping[str, Any], where: dict[str, str], alive: bool) -> Iterator[Family]:
    camera, attention, losses = _part(told, "camera"), _part(told, "attention"), _part(_part(told, "camera"), "losses")
    state = told.get("state") if alive or told.get("state") == "stopped" else None
    states = tuple(Sample(float(state == name), where | {"state": name}) for name in STATES)
    yield Family(f"{PREFIX}camera_state", "gauge", "1 for the state that the daemon is in; 0 for all when it is gone without a word.", states)
    yield _maybe("camera_fps", "gauge", "Frames that the camera sends each second.", camera.get("fps"), where)
    yield _maybe("frames_total", "counter", "Frames that the camera sent.", camera.get("frames"), where)
    gone = {"newer came": camera.get("dropped"), "broken": camera.get("skipped"), "nothing moved": attention.get("passed_over")}
    yield _labelled("frames_dropped_total", "counter", "Frames that nobody looked at.", gone, "reason", where)
    yield _maybe("camera_reopenings_total", "counter", "How often a lost camera came back.", camera.get("reopened"), where)
    yield _labelled("camera_losses_total", "counter", "How often the camera was lost.", {why: losses.get(why, 0) for why in LOSSES}, "reason", where)
    if isinstance(attention.get("moving"), bool):
        yield _one("motion", "gauge", "1 while something moves.", float(attention["moving"]), where)
    yield _maybe("frames_looked_at_total", "counter", "Frames in which plates were looked for.", attention.get("looked"), where)
    yield _maybe("worked_fps", "gauge", "Frames that are worked each second.", told.get("fps"))
    if isinstance(views := told.get("plates_in_view"), list):
        yield _one("plates_in_view", "gauge", "Plates in the newest frame.", len(views), where)


def _passes(told: Mapping[str, Any], where: dict[str, str]) -> Iterator[Family]:
    totals, reasons = _part(told, "totals"), _part(told, "reasons")
    results = {"final": told.get("events"), "preview": totals.get("previews"), "lost": totals.get("lost")}
    yield _labelled("events_total", "counter", "Events: final ones, previews, and those lost because the store took none.", results, "result", where)
    store = _part(told, "store")
    yield _labelled("events_forgotten_total", "counter", "Events deleted from the store, by reason.", _part(store, "forgotten"), "reason", {})
    yield _maybe("events_waiting", "gauge", "Events that the store has not taken yet.", store.get("waiting"))
    counts = {reason: reasons.get(reason, 0) for reason in dict.fromkeys((*REASONS, *map(str, reasons)))}
    yield _labelled("passes_without_event_total", "counter", "Passes that gave no event, by reason.", counts, "reason", where)


def _looks(told: Mapping[str, Any], where: dict[str, str]) -> Iterator[Family]:
    totals = _part(told, "totals")
    looks = _part(totals, "looks")
    yield _maybe("detections_total", "counter", "Plates found in frames, each anew in every frame.", totals.get("detections"), where)
    counts = {result: looks.get(result, 0) for result in dict.fromkeys((*LOOKS, *map(str, looks)))}
    yield _labelled("reads_total", "counter", "Single looks at plates, by what became of them.", counts, "result", where)


def _times(told: Mapping[str, Any], where: dict[str, str]) -> Iterator[Family]:
    totals = _part(told, "totals")
    took, sight = _part(totals, "took"), _part(totals, "sight")
    yield _histograms("stage_duration_seconds", "How long a frame takes by stage.", [({"stage": str(stage)}, took[stage]) for stage in took])
    words = "From the first sight of a plate to its event."
    yield _histograms("sight_to_event_seconds", words, [(where | {"result": str(stage)}, sight[stage]) for stage in sight])


def _targets(told: Mapping[str, Any]) -> Iterator[Family]:
    found = told.get("targets")
    targets = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    for key, (name, kind, words) in TARGET_COUNTS.items():
        yield _by_target(name, kind, words, {str(one.get("name")): one.get(key) for one in targets})  # type: ignore[arg-type]
    yield _by_target("target_failing", "gauge", "1 while a target is not reached.", {str(one.get("name")): one.get("failing") for one in targets})
    words = "From when a plate was last seen until a target had its event."
    yield _histograms("target_latency_seconds", words, [({"target": str(one.get("name"))}, one.get("took")) for one in targets])


def _by_target(name: str, kind: Kind, words: str, values: Mapping[str, Any]) -> Family:
    return _labelled(name, kind, words, {target: float(value) if isinstance(value, bool) else value for target, value in values.items()}, "target", {})


def _labelled(name: str, kind: Kind, words: str, values: Mapping[str, Any], label: str, where: dict[str, str], wanted: tuple[str, ...] | None = None) -> Family:
    """A sample for each value that is a number; of those that are `wanted`, where some are named."""
    named = {which: value for which, value in values.items() if (wanted is None or which in wanted) and _is_number(value)}
    return Family(PREFIX + name, kind, words, tuple(Sample(value, where | {label: which}) for which, value in named.items()))


def _histograms(name: str, words: str, found: Iterable[tuple[dict[str, str], Any]]) -> Family:
    """Of `Histogram.as_json`, with its labels; what is none is left out."""
    samples = [one for labels, told in found if _is_histogram(told) for one in buckets(labels, told["bounds"], told["counts"], told["sum"])]
    return Family(PREFIX + name, "histogram", words, tuple(samples))


def _is_histogram(told: object) -> bool:
    if not isinstance(told, dict):
        return False
    bounds, counts = told.get("bounds"), told.get("counts")
    if not isinstance(bounds, list) or not isinstance(counts, list) or not all(map(_is_number, [*bounds, *counts, told.get("sum")])):
        return False
    return len(counts) == len(bounds) + 1 and all(map(math.isfinite, bounds)) and bounds == sorted(set(bounds)) and min(counts) >= 0


def _one(name: str, kind: Kind, words: str, value: float, labels: dict[str, str] | None = None) -> Family:
    return Family(PREFIX + name, kind, words, (Sample(value, labels or {}),))


def _maybe(name: str, kind: Kind, words: str, value: Any, labels: dict[str, str] | None = None) -> Family:
    return _one(name, kind, words, value, labels) if _is_number(value) else Family(PREFIX + name, kind, words, ())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _part(told: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = told.get(key)
    return found if isinstance(found, dict) else {}
