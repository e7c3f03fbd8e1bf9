"""One look at the device, ready for JSON: the page's first paint, `/api/status` and the stream all show this."""

from __future__ import annotations

from typing import Any

from edge import status
from edge.web import words
from edge.web.daemon_files import DaemonFiles
from edge.web.language import ENGLISH, Language


def snapshot(files: DaemonFiles, language: Language = ENGLISH) -> dict[str, Any]:
    """`daemon` is the status file as it stands, or None; `now` lets a page with a wrong clock count on the device's.

    `word`, `sentence`, `pattern` and the other words are in `language`; where `quoted`, the sentence is the daemon's own, in English.
    """
    daemon, now = files.status(), files.utc_now()
    alive = files.is_alive(daemon)
    head, summary = words.headline(daemon, alive, language), files.summary()
    if files.trouble:
        head = words.Headline("bad", language("daemon.state.safe_mode.word"), words.closed(files.trouble), is_quoted=True)
    return {
        "v": 1,
        "now": status.utc_iso(now),
        "version": status.version(),
        "camera": files.camera_name,
        "alive": alive,
        "tone": head.tone,
        "word": head.word,
        "sentence": head.sentence(now, language),
        "quoted": head.is_quoted,
        "also": head.also,
        "pattern": head.pattern,
        "since": head.since,
        "picture": alive and files.picture_at() is not None,
        "events": summary["events"],
        "store": {"readable": summary["readable"], "problem": summary["problem"]},
        "reasons": [{"reason": reason, "count": count, "words": words.reason(reason, language)} for reason, count in summary["reasons"].items()],
        "machine": words.machine(daemon, language),
        "daemon": daemon,
    }
