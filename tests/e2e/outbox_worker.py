"""What `test_targets.py` kills: a process that stores events and tells them to a file and a server, for as long as it may live.

`python -m tests.e2e.outbox_worker FOLDER KILLS PORT` starts it KILLS times and kills each within some milliseconds; one more is left to finish.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

from edge.config import Config
from edge.publish import publishing
from edge.store import Store
from tests.builders import an_event

TARGETS = 3


def config(folder: Path, port: int) -> Config:
    common = {"longest_wait_s": 0.02, "per_second": 0}
    return Config.model_validate(
        {
            "store": {"path": str(folder / "events.sqlite")},
            "runtime": {"directory": str(folder)},
            "targets": [
                common | {"name": "lines", "kind": "jsonl", "path": str(folder / "lines.jsonl"), "rotate_mb": 1000},
                common | {"name": "hook", "kind": "webhook", "url": f"http://127.0.0.1:{port}/", "stages": ["preview", "final"], "picture": "base64"},
                common | {"name": "dead", "kind": "jsonl", "path": "/dev/null/nowhere"},
            ],
        }
    )


def live(folder: Path, port: int, run: int, ready: int) -> None:
    """Until it is killed. A preview before every third event; after the first one a byte goes to `ready`."""
    found = config(folder, port)
    store = Store(found.store.path)
    told = publishing.build(found, store)
    store.settle_previews()
    assert told is not None
    told.start()
    for number in count():
        id = f"{run:04}-{number:06}"
        if number % 3 == 0:
            store.add(an_event(id, preview=True))
        store.add(an_event(id))
        told.wake()
        if number == 0:
            os.write(ready, b"x")
        time.sleep(0.001)


def main(folder: Path, kills: int, port: int) -> int:
    chance = random.Random(7)
    for run in range(kills):
        hears, tells = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                live(folder, port, run, tells)
            finally:
                os._exit(1)
        os.close(tells)
        if run % 5:  # each fifth may die while it starts
            os.read(hears, 1)
        time.sleep(chance.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
        os.close(hears)
        if not os.WIFSIGNALED(ended):
            return 1
    found = config(folder, port)
    store = Store(found.store.path)
    told = publishing.build(found, store)
    store.settle_previews()
    assert told is not None
    told.start()
    end = time.monotonic() + 120
    while any(state["pending"] for state in told.as_json() if state["name"] != "dead") and time.monotonic() < end:
        time.sleep(0.01)
    told.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
