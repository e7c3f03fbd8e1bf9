"""What a daemon leaves for the page, without a daemon."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.records import Character
from edge.showing import encode
from edge.status import utc_iso
from edge.store import Store
from tests.builders import an_event

EVIL = "<img src=x onerror=document.title='broken'>"


class FakeDaemon:
    """Writes what the daemon writes, into `folder`: the store, and three times a second the status file and a watched picture."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "events.sqlite")
        self.run = folder / "run"
        self.run.mkdir()
        self.frames = 12345
        quad = [[40, 40], [80, 40], [80, 50], [40, 50]]
        self.figures: dict[str, Any] = {"number": 7, "at": "", "width": 160, "height": 90, "plates": [{"quad": quad, "text": EVIL, "confidence": 0.5}]}
        """What comes with the live picture; said before `start`."""
        self._changes: dict[str, Any] = {}
        self._stop, self._one = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._live)

    def start(self) -> None:
        self.write_status()
        self._thread.start()

    def die(self) -> None:
        self._stop.set()
        self._thread.join()
        self.write_status(age_s=12.0)

    def tell(self, **changes: Any) -> None:
        """From now on the status file says this too."""
        self._changes |= changes

    def see(self, id: str, text: str, confidence: float = 0.95, **fields: Any) -> None:
        crop = cv2.imencode(".jpg", np.full((40, 160), 200, np.uint8))[1].tobytes()
        now = utc_iso(datetime.now(UTC))
        characters = tuple(Character(char, confidence) for char in text)
        self.store.add(an_event(id, text, now, characters=characters, crop_jpeg=crop, **fields))

    def write_status(self, age_s: float = 0.0) -> None:
        told = {
            "v": 1, "pid": os.getpid(), "state": "watching", "detail": "", "updated_at": utc_iso(datetime.now(UTC) - timedelta(seconds=age_s)), "fps": 14.8,
            "camera": {"frames": self.frames, "dropped": 6}, "stages_ms": {"total": {"median": 11.2, "p95": 16.4}},
            "plates_in_view": [{"quad": [[0, 0], [9, 0], [9, 9], [0, 9]], "text": EVIL, "confidence": 0.5}],
        }  # fmt: skip
        self._replace("status.json", json.dumps(told | self._changes).encode())

    def _live(self) -> None:
        picture = encode(np.full((90, 160), 128, np.uint8), self.figures)
        while True:
            self.write_status()
            if (self.run / "watched").exists():
                self._replace("live.jpg", picture)
            if self._stop.wait(0.3):
                return

    def _replace(self, name: str, content: bytes) -> None:
        with self._one:  # a test writes the status too
            (self.run / ".new").write_bytes(content)
            os.replace(self.run / ".new", self.run / name)
