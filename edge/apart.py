"""Work that would hold up the frames is done beside them: a generator yields what may take its time, and goes on between two frames with what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

Steps = Generator[Callable[[], Any], Any, None]
"""What stands between two `yield` runs in the main thread, between two frames; what is yielded is called in another thread, and answered or raised."""


class Apart:
    """Works one generator at a time."""

    def __init__(self) -> None:
        self._steps: Steps | None = None
        self._thread: threading.Thread | None = None
        self._answer: Any = None
        self._error: Exception | None = None

    @property
    def busy(self) -> bool:
        return self._steps is not None

    def begin(self, steps: Steps) -> None:
        """Must not be busy. What the generator raises is raised here and by `tend`."""
        assert self._steps is None
        self._steps, self._answer, self._error = steps, None, None
        self._go_on(steps)

    def tend(self) -> None:
        """To be called between two frames."""
        if self._steps is not None and self._thread is not None and not self._thread.is_alive():
            self._go_on(self._steps)

    def close(self, within_s: float) -> None:
        """Wait a little for what is under way, and go no further."""
        if self._thread is not None:
            self._thread.join(within_s)
        if self._steps is not None and (self._thread is None or not self._thread.is_alive()):
            self._steps.close()
        self._steps = None

    def _go_on(self, steps: Steps) -> None:
        answer, error, self._answer, self._error = self._answer, self._error, None, None
        try:
            work = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration:
            self._steps = self._thread = None
            return
        except BaseException:
            self._steps = self._thread = None
            raise
        self._thread = threading.Thread(target=self._work, args=(work,), name="reload", daemon=True)
        self._thread.start()

    def _work(self, work: Callable[[], Any]) -> None:
        try:
            self._answer = work()
        except Exception as error:
            self._error = error
