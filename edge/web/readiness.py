"""Is the device fit for its work? Part by part, in words. No Flask in here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.web import words
from edge.web.daemon_files import DaemonFiles

LEAST_FREE = 0.5
"""Of the floor under which old events go: the daemon clears up to the floor every few minutes, so that a little less is no trouble yet."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that must be so. `words` say what is wrong, '' when nothing is."""

    name: str
    words: str = ""

    @property
    def ok(self) -> bool:
        return not self.words


def parts(files: DaemonFiles) -> Iterator[Part]:
    """Daemon, camera, models, store, disk. Of a daemon that does not run, neither camera nor models are asked for."""
    daemon = files.status()
    if daemon is None or not files.is_alive(daemon):
        yield Part("daemon", f"The daemon does not run.{_since(files, daemon)}")
    elif daemon.get("state") == "safe mode":
        yield Part("daemon", f"Safe mode: {daemon.get('detail') or 'the configuration cannot be used'}.")
    else:
        yield Part("daemon")
        yield Part("camera", _camera(daemon))
        yield Part("models", _models(daemon))
    summary = files.summary()
    yield Part("store", "" if summary["readable"] else f"The event store cannot be read: {summary['problem']}.")
    yield Part("disk", _disk(files))


def _since(files: DaemonFiles, daemon: dict[str, Any] | None) -> str:
    if daemon is None or not daemon.get("updated_at"):
        return ""
    return f" It last spoke {words.ago(words.seconds_since(str(daemon['updated_at']), files.utc_now()))}."


def _camera(daemon: dict[str, Any]) -> str:
    why = f" ({daemon['detail']})" if daemon.get("detail") else ""
    return "" if daemon.get("state") == "watching" else f"The camera does not watch: {daemon.get('state')}{why}."


def _models(daemon: dict[str, Any]) -> str:
    """A daemon that never says which bundles it has is an older one, and would not run without them."""
    bundles = daemon.get("bundles", {"detector": {}, "reader": {}})
    missing = [kind for kind in ("detector", "reader") if kind not in (bundles or {})]
    return f"The models are not loaded: {' and '.join(missing)} missing." if missing else ""


def _disk(files: DaemonFiles) -> str:
    free = files.free_bytes()
    if free is None or free >= max(LEAST_FREE * files.floor_mb, 5) * 1e6:
        return ""
    return f"The disk is almost full: {free / 1e6:.0f} MB free, and {files.floor_mb} MB are to stay free."
