"""A daemon's desk for tests of the page: its status file is alive, and it answers errands with what the test says."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.errands import KINDS, Answer, Errand, Errands
from edge.status import utc_iso


class FakeDesk:
    """`asked` are the errands that came; `answers` says what kinds are answered with, else "done"."""

    def __init__(self, run: Path, answers: Mapping[str, Callable[[Errand], Answer]] | None = None) -> None:
        self.asked: list[Errand] = []
        self.status: dict[str, Any] = {"v": 1, "pid": os.getpid(), "state": "watching", "detail": "", "camera": {"width": 1280, "height": 720}}
        self._run, self._answers, self._stop = run, dict(answers or {}), threading.Event()
        run.mkdir(parents=True, exist_ok=True)
        self._errands = Errands(run, dict.fromkeys(KINDS, self._take))
        self._thread = threading.Thread(target=self._work)

    def tell(self, **changes: Any) -> None:
        """From now on the status says this too."""
        self.status |= changes
        self._write()

    def __enter__(self) -> Self:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _take(self, errand: Errand) -> Answer:
        self.asked.append(errand)
        return self._answers.get(errand.kind, lambda _: Answer(True, "done"))(errand)

    def _work(self) -> None:
        while not self._stop.wait(0.01):
            self._errands.tend()

    def _write(self) -> None:
        fresh = self._run / ".status.new"
        fresh.write_text(json.dumps(self.status | {"updated_at": utc_iso(datetime.now(UTC))}))
        fresh.replace(self._run / "status.json")
