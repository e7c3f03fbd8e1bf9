"""The daemon as `platewatch run` starts it, with a note of each frame: `python -m edge.bench.probe CONFIG` writes NOTES beside it when the recording ends.

Notes are {"seen_at", "done_at" (monotonic s: one clock for all processes), "reads": [[track, text]], "previews": [[id, text, raw text, agreeing]]}.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from edge.pipeline import Pipeline
from edge.records import Event, Frame

NOTES = "notes.json"


def watched(notes: list[dict[str, Any]]) -> None:
    """From now on every frame of every pipeline is noted."""
    step = Pipeline.step

    def noted(self: Pipeline, frame: Frame) -> list[Event]:
        events = step(self, frame)
        notes.append({
            "seen_at": frame.seen_at,
            "done_at": time.monotonic(),
            "reads": [[track.id, track.last.read.text] for track in self.seen if track.last_seen_at == frame.seen_at],
            "previews": [[event.id, event.text, event.raw_text, event.agreeing] for event in events if event.preview],
        })  # fmt: skip
        return events

    Pipeline.step = noted  # type: ignore[method-assign]


def main(path: str) -> int:
    from edge import config, logs, wiring

    logs.set_up(verbose=False)
    notes = list[dict[str, Any]]()
    watched(notes)
    code = wiring.build(config.load(Path(path))).run()
    Path(path).with_name(NOTES).write_text(json.dumps(notes), encoding="utf-8")
    return code


if __name__ == "__main__":
    from edge.errors import PlatewatchError

    try:
        sys.exit(main(sys.argv[1]))
    except PlatewatchError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
