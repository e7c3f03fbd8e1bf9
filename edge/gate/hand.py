"""The hand on the relay: a small process of its own, so that the relay goes off whatever becomes of the daemon.

It reads `pulse SECONDS` from its standard input, and answers `ready`, `on`, `off` and `failed: why`. It ends every pulse by itself; when its input
ends, because the daemon stopped, crashed or was killed, the relay goes off at once. `python -m edge.gate.hand '{"gpio": 17, ...}'`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable

from edge.errors import GateError
from edge.gate.pins import Pin, make_pin

LONGEST_S = 10.0


def serve(pin: Pin, source: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
    """Until the file descriptor `source` ends. Whatever happens, the pin is off afterwards."""
    off_at: float | None = None
    try:
        say("ready")
        while True:
            wait_s = None if off_at is None else max(0.0, off_at - clock())
            if not select.select([source], [], [], wait_s)[0]:
                pin.off()
                off_at = None
                say("off")
                continue
            order = os.read(source, 4096)
            if not order:
                return
            if off_at is None and (seconds := _seconds(order)) > 0.0:  # what comes while the relay is on is not for later
                off_at = clock() + seconds
                pin.on()
                say("on")
    except GateError as error:
        say(f"failed: {error}")
    finally:
        pin.close()


def _seconds(order: bytes) -> float:
    """Of the last whole order; 0 for anything else."""
    words = order.decode("ascii", "replace").split()
    try:
        return min(float(words[-1]), LONGEST_S) if len(words) >= 2 and words[-2] == "pulse" else 0.0
    except ValueError:
        return 0.0


def main(spec: str) -> int:
    def stop(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon; this one ends when its input does
    signal.signal(signal.SIGTERM, stop)

    def say(word: str) -> None:
        try:
            print(word, flush=True)
        except BrokenPipeError:  # nobody listens any more; the input will end too
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (kept open to the end)

    wanted = json.loads(spec)
    try:
        serve(make_pin(wanted["gpio"], wanted["active_high"], wanted["command"]), sys.stdin.fileno(), say)
    except GateError as error:
        say(f"failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
