"""A check that hangs must not hang the doctor."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from edge.checks.outcome import Device, Outcome

PATIENCE_S = 150.0
"""Longer than any check takes by itself: the slowest, the models' self-tests and the camera, end by limits of their own."""


def within(check: Callable[[Device], Outcome | None], device: Device, seconds: float) -> Outcome | None:
    """What the check says; where it is silent for too long, that. Raises what the check raises."""
    answers: queue.SimpleQueue[Outcome | Exception | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(check(device))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, name="check", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        return Outcome("bad", f"gave no answer within {seconds:.0f} s", "something that it asks hangs: look at dmesg, and start the device anew")
    if isinstance(answer, Exception):
        raise answer
    return answer
