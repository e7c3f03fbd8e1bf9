"""How the device is: what board, disk, clock, daemon and page say just now, and what of it needs somebody. No Flask in here.

Every figure that the machine does not tell is None.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edge import history, status
from edge.attention.governor import FIRMWARE
from edge.checks.board import LEAST_MB
from edge.checks.clock import BUILT, SYNCHRONISED
from edge.errors import StoreError
from edge.firmware import ask, text_of, throttling
from edge.health import temperature_c
from edge.metrics.process import counted, footprint
from edge.web.daemon_files import DaemonFiles

HOT_C, WARM_C = 80.0, 70.0
"""A Raspberry Pi slows itself down from 80 degrees Celsius."""
BORN = time.monotonic()
ASKED_FOR_S = 15.0
"""What a program had to be asked for is remembered so long."""
MEMINFO = Path("/proc/meminfo")
LEAST_FREE_SHARE = 0.05
OFTEN_DROPPED = 0.5
"""Frames dropped of frames taken, from which it is worth a word: a device that looks only at the newest drops some by design."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`key` names its sentence in the catalogue, `values` fill it; `words` are the daemon's own, in English."""

    tone: str
    key: str
    values: dict[str, Any]
    words: str = ""


class Remembered:
    """An answer of a program, asked again only after a while."""

    def __init__(self, *command: str) -> None:
        self._command, self._asked_at, self._said = command, float("-inf"), ""

    def __call__(self) -> str | None:
        now = time.monotonic()
        if now - self._asked_at > ASKED_FOR_S:
            self._said, self._asked_at = ask(*self._command) or "", now
        return self._said or None


_firmware, _clock = Remembered("vcgencmd", "get_throttled"), Remembered("timedatectl", "show", "--property=NTPSynchronized", "--value")


def vitals(files: DaemonFiles) -> dict[str, Any]:
    """As `edge.web.api.health_models.HealthAnswer` has it."""
    told = files.status()
    alive, told = files.is_alive(told), told or {}
    camera = told.get("camera") or {}
    written = (told.get("store") or {}).get("written_bytes") or {}
    governor, oldest = told.get("governor") or {}, oldest_waiting(files)
    targets = [one for one in told.get("targets") or [] if isinstance(one, dict) and "pending" in one] if alive else []
    return {
        "now": status.utc_iso(files.utc_now()),
        "board": board(),
        "temperature_c": temperature_c(),
        "supply": supply(),
        "governor": {"step": int(governor.get("step") or 0), "words": str(governor.get("words") or "")},
        "memory": memory(),
        "disk": disk(files),
        "written": {"today": written.get("today"), "yesterday": written.get("yesterday")},
        "camera": {
            "state": str(told.get("state") or "") if alive else "",
            "detail": str(told.get("detail") or ""),
            "fps": camera.get("fps"),
            "worked_fps": told.get("fps"),
            **{key: int(camera.get(key) or 0) for key in ("frames", "dropped", "skipped", "reopened")},
            "losses": camera.get("losses") or {},
        },
        "daemon": {
            "alive": alive,
            "version": told.get("version"),
            "started_at": told.get("started_at"),
            "resident_bytes": footprint(int(told["pid"])).resident_bytes if alive else None,
            "threads": told.get("threads"),
            "threads_by": told.get("threads_by"),
            "waits": str((told.get("reload") or {}).get("words") or ""),
        },
        "page": {"version": status.version(), "uptime_s": round(time.monotonic() - BORN), "resident_bytes": footprint(os.getpid()).resident_bytes},
        "clock": clock(files.utc_now()),
        "targets": [told_of(one) | {"oldest_at": oldest.get(one["name"])} for one in targets],
    }


def board() -> dict[str, Any]:
    """What computer it is."""
    words = (text_of(Path("/proc/uptime")) or "").split()
    return {
        "model": text_of(Path("/proc/device-tree/model")) or platform.machine(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 2),
        "uptime_s": round(float(words[0])) if words else None,
    }


def supply() -> list[str] | None:
    """Troubles of power and heat in the firmware's words, each "... now" or "... since the start"; None where there is nobody to ask."""
    word = text_of(FIRMWARE)
    found = throttling(f"throttled=0x{word.removeprefix('0x')}" if word else _firmware())
    return None if found is None else list(found)


def memory() -> dict[str, Any]:
    """Bytes."""
    total, free, swap, swap_free = (counted(MEMINFO, name) for name in ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree"))
    return {name: None if kb is None else kb * 1024 for name, kb in (("total", total), ("free", free), ("swap", swap), ("swap_free", swap_free))}


def disk(files: DaemonFiles) -> dict[str, Any]:
    """Bytes, of the disk that the store is on."""
    store = sum(size for _, size, _ in files.stamp())
    folder = Path(files.config.store.path).parent
    try:
        found = shutil.disk_usage(folder)
    except OSError:
        return {"total": None, "free": None, "store": store, "keep_free": files.floor_mb * 1_000_000}
    return {"total": found.total, "free": found.free, "store": store, "keep_free": files.floor_mb * 1_000_000}


def clock(now: datetime) -> dict[str, Any]:
    """Whether it is known to be right."""
    said = _clock()
    return {"plausible": now.year >= BUILT, "synchronised": True if SYNCHRONISED.exists() else {"yes": True, "no": False}.get(said or "")}


def told_of(target: dict[str, Any]) -> dict[str, Any]:
    """Of the status, what is worth a look."""
    texts = {key: str(target.get(key) or "") for key in ("name", "kind", "dialect", "last_error", "last_error_at", "last_delivered_at", "failing_since")}
    counts = {key: int(target.get(key) or 0) for key in ("pending", "delivered", "dropped", "refused")}
    return texts | counts | {"failing": bool(target.get("failing")), "connected": target.get("connected")}


def oldest_waiting(files: DaemonFiles) -> dict[str, str]:
    """By target: when the oldest event that waits for it was last seen."""
    sql = "SELECT outbox.target, min(events.last_seen) FROM outbox JOIN events ON events.id = outbox.event WHERE outbox.refused IS NULL GROUP BY 1"
    try:
        return {str(name): str(at) for name, at in files.store().rows(sql)}
    except StoreError:  # no store yet, or one without an outbox
        return {}


def rounds_days(written: dict[str, Any], disk: dict[str, Any]) -> float | None:
    """In how many days so much is written as the whole disk holds, by the last full day; None where there was none yet."""
    day, total = written.get("yesterday"), disk.get("total")
    return total / day if day and total else None


def troubles(found: dict[str, Any]) -> Iterator[Trouble]:
    """What needs somebody, the worst first within each part."""
    if not found["daemon"]["alive"]:
        yield Trouble("bad", "daemon", {})
    elif found["camera"]["state"] not in ("watching", "starting"):
        yield Trouble("bad", "camera", {}, found["camera"]["detail"])
    temperature, supply = found["temperature_c"], found["supply"] or []
    if "under-voltage now" in supply:
        yield Trouble("bad", "voltage_now", {})
    elif "under-voltage since the start" in supply:
        yield Trouble("wait", "voltage_once", {})
    slowed = [word for word in supply if not word.startswith("under-voltage")]
    if (temperature is not None and temperature >= HOT_C) or any(word.endswith(" now") for word in slowed):
        yield Trouble("bad", "hot", {})
    elif slowed:
        yield Trouble("wait", "was_hot", {})
    memory, disk = found["memory"], found["disk"]
    if memory["free"] is not None and memory["free"] < LEAST_MB << 20:
        yield Trouble("bad", "memory", {})
    elif memory["swap"] and memory["swap_free"] is not None and memory["swap_free"] < memory["swap"] / 2:
        yield Trouble("wait", "swap", {})
    if disk["free"] is not None and disk["free"] < disk["keep_free"] / 2:
        yield Trouble("bad", "disk", {})
    if not found["clock"]["plausible"] or found["clock"]["synchronised"] is False:
        yield Trouble("wait" if found["clock"]["plausible"] else "bad", "clock", {})
    for one in found["targets"]:
        if one["failing"]:
            yield Trouble("bad", "target_failing", {"name": one["name"], "count": one["pending"]}, one["last_error"])
        if one["refused"]:
            yield Trouble("wait", "target_refused", {"name": one["name"], "count": one["refused"]})
    if found["daemon"]["waits"]:
        yield Trouble("wait", "waits", {}, found["daemon"]["waits"])
    if found["daemon"]["alive"] and found["daemon"]["version"] not in (None, found["page"]["version"]):
        yield Trouble("wait", "versions", {"daemon": found["daemon"]["version"], "page": found["page"]["version"]})


def curves(directory: Path) -> dict[str, list[float | None]]:
    """The last day by column of `edge.history`, the oldest first."""
    rows = history.read(directory)
    return {name: [row[place] for row in rows] for place, name in enumerate(history.COLUMNS)}


def path_of(values: list[float | None], low: float, high: float) -> str:
    """The `d` of an SVG path in a box of 100 by 24; gaps where nothing was noted."""
    span, step, said, pen = max(high - low, 1e-9), 100 / max(len(values) - 1, 1), [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        said.append(f"{pen}{place * step:.1f} {23 - 22 * min(max((value - low) / span, 0.0), 1.0):.1f}")
        pen = "L"
    return "".join(said)
