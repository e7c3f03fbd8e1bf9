"""However it is ended, what lies beside is removed: a copy of the boot partition with passwords in it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = ("SIGHUP", "SIGTERM")
"""A terminal's window that is shut, and a kill; both would end Python on the spot."""


@contextlib.contextmanager
def ending_well() -> Iterator[None]:
    """They end it as Ctrl-C does; one that is ignored (nohup) stays so."""
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)] if threading.current_thread() is threading.main_thread() else []
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
