"""The page's end of the errands: lay a file down, wait for the daemon's answer beside it."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge import status
from edge.errands import FOLDER, MOST, MOST_BYTES, Answer, Refused, open_folder, plain_name, write_whole

WAIT_S = 4.0
"""Less than an errand lives (`edge.errands.STALE_S`): what was given up is never run afterwards."""
ASK_EVERY_S = 0.03


class Errands:
    """`directory` is the runtime folder. Safe to use from many threads."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._directory, self._folder = directory, directory / FOLDER
        self._clock, self._sleep, self._wall = clock, sleep, wall

    def ask(self, kind: str, args: Mapping[str, Any] | None = None, *, who: str = "", wait_s: float = WAIT_S) -> Answer:
        """The daemon's answer, or one that says why there is none; it never raises. An errand without an answer is withdrawn."""
        told = status.read(self._directory)
        if told is None or not status.is_alive(told, self._wall()):
            return Answer(False, "the daemon does not run, so that nobody can do this; start it: sudo systemctl start platewatch")
        id = secrets.token_hex(16)
        errand = {"v": 1, "id": id, "kind": kind, "args": dict(args or {}), "who": plain_name(who), "at": status.utc_iso(self._wall())}
        if len(json.dumps(errand)) > MOST_BYTES:
            return Answer(False, f"this is more than the {MOST_BYTES // 1024} KiB that an errand may hold")
        path, answer = self._folder / f"{id}.json", self._folder / f"{id}.answer.json"
        try:
            open_folder(self._folder)
            if sum(name.endswith(".json") and ".answer." not in name for name in os.listdir(self._folder)) >= MOST:
                return Answer(False, f"{MOST} errands wait for the daemon already; see its log")
            write_whole(path, errand)
            return self._await(path, answer, min(wait_s, WAIT_S) if kind == "gate test" else wait_s)
        except Refused as why:
            return Answer(False, str(why))
        except OSError as error:
            return Answer(False, f"{self._folder}: the page cannot write there ({error.strerror}); run it as the daemon's user")

    def _await(self, path: Path, answer: Path, wait_s: float) -> Answer:
        end = self._clock() + wait_s
        while self._clock() < end:
            if (found := _fetched(answer)) is not None:
                return found
            self._sleep(ASK_EVERY_S)
        path.unlink(missing_ok=True)
        if (found := _fetched(answer)) is not None:
            return found
        return Answer(False, f"the daemon has not answered within {wait_s:.0f} s; its log says why")


def _fetched(path: Path) -> Answer | None:
    """None while it is not there."""
    try:
        told = json.loads(path.read_bytes())
        path.unlink(missing_ok=True)
        return Answer(bool(told.pop("ok")), str(told.pop("sentence")), told)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, AttributeError):
        return Answer(False, "the daemon's answer cannot be read; page and daemon may be of two versions: restart both")
