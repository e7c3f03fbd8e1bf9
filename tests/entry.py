"""How the long commands among the tests begin and end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable


def ended(run: Callable[[], int], stopped: str = "") -> int:
    """Exit status: what `run` returns, 1 with a sentence for what is wrong with computer or arguments, 130 when it was stopped, after saying `stopped`."""
    from edge.errors import PlatewatchError

    for number in (signal.SIGINT, signal.SIGTERM):  # a shell that starts it with `&` has turned the first off
        signal.signal(number, _stop)
    try:
        return run()
    except PlatewatchError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if stopped:
            print(stopped, file=sys.stderr)
        return 130


def _stop(*_: object) -> None:
    raise KeyboardInterrupt
