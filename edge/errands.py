"""What the page asks of the daemon: a small file for each errand in `<runtime.directory>/errands/`, answered beside it within a second.

`ID.json` holds {"v": 1, "id", "kind", "args", "who", "at" (UTC)}, `ID.answer.json` {"ok", "sentence"} and what else the kind gives. An errand is taken
away before it is run, so that none is run twice, and one that is older than `STALE_S` is refused: a gate must never open a minute after somebody asked.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = "errands"
KINDS = ("reload", "restart", "detect", "still", "aid", "camera", "gate test", "doctor")
STALE_S = 5.0
"""Older ones, and those of the future, are refused."""
LOOK_EVERY_S = 0.25
MOST, MOST_BYTES = 32, 64 * 1024
"""So many may wait at once, each so large."""
ANSWERS_LIVE_S = 30.0
"""An answer that nobody has fetched is thrown away."""
RACY_S = 0.1
"""A folder that changed so shortly before we looked may have changed once more without another time stamp."""
_ERRAND = re.compile(r"([0-9a-f]{32})\.json")
_OURS = re.compile(r"\.?[0-9a-f]{32}(\.answer)?(\.json|\.new)")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Errand:
    """`who` is the user's name, for the audit."""

    id: str
    kind: str
    args: Mapping[str, Any]
    who: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`sentence` is for the person who asked; `more` is what the kind gives besides."""

    ok: bool
    sentence: str
    more: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return dict(self.more or {}) | {"ok": self.ok, "sentence": self.sentence}


Clerk = Callable[[Errand], Answer | None]
"""Runs errands of one kind, quickly; None where it will call `Errands.answer` itself, soon."""


class Refused(ValueError):
    """An errand that cannot be run as it is, in one sentence."""


class Errands:
    """The daemon's end. Used in one thread but for `answer`. A folder that cannot be used is told in the log and costs no frame."""

    def __init__(
        self,
        directory: Path,
        clerks: Mapping[str, Clerk],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder, self._clerks, self._clock, self._wall = directory / FOLDER, clerks, clock, wall
        self._look_at = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._told: deque[tuple[float, Path]] = deque()
        self._ready = False
        self.looked = 0
        """How often the folder was read, and not only its time stamp."""

    def tend(self) -> None:
        """Run what is there; to be called at every turn. While nothing happens it costs one stat of the folder each `LOOK_EVERY_S`."""
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY_S
        try:
            self._forget(now)
            if not self._ready:
                open_folder(self._folder)
                self._ready = True
            about = self._folder.stat()
            stamp = (about.st_ino, about.st_mtime_ns)
            if stamp == self._stamp:
                return
            age_s = self._wall().timestamp() - about.st_mtime
            self._stamp = stamp if age_s > RACY_S else None
            self._read()
        except Refused as why:
            self._give_up(str(why))
        except OSError as error:
            self._give_up(f"{self._folder}: cannot be used ({error.strerror})")

    def answer(self, id: str, answer: Answer) -> None:
        """From any thread. What cannot be written is logged: the page tells that no answer came."""
        try:
            write_whole(path := self._folder / f"{id}.answer.json", answer.as_json())
            self._told.append((self._clock() + ANSWERS_LIVE_S, path))
        except OSError as error:
            log.warning("an errand's answer cannot be written: %s", error)

    def _read(self) -> None:
        self.looked += 1
        names = sorted(os.listdir(self._folder))
        waiting = [found[1] for name in names if (found := _ERRAND.fullmatch(name))]
        for place, id in enumerate(waiting):
            if (errand := self._take(id, place < MOST)) is not None and (answer := self._run(errand)) is not None:
                self.answer(id, answer)
        ours = {path.name for _, path in list(self._told)}
        for name in names:  # what a page or a daemon of before has left
            if _OURS.fullmatch(name) and not _ERRAND.fullmatch(name) and name not in ours and self._is_old(self._folder / name):
                (self._folder / name).unlink(missing_ok=True)

    def _take(self, id: str, room: bool) -> Errand | None:
        """The errand, its file gone; None where it was withdrawn or refused."""
        path = self._folder / f"{id}.json"
        try:
            content = _content(path)
            path.unlink()
            if not room:
                raise Refused(f"more than {MOST} errands wait; ask again")
            return self._checked(id, content)
        except FileNotFoundError:  # whoever asked has lost patience
            return None
        except Refused as why:
            path.unlink(missing_ok=True)
            self.answer(id, Answer(False, str(why)))
            return None

    def _checked(self, id: str, content: bytes) -> Errand:
        try:
            told = json.loads(content)
            at = datetime.fromisoformat(told["at"])
            if told["v"] != 1 or told["id"] != id or not isinstance(told["args"], dict) or not isinstance(told["kind"], str) or at.tzinfo is None:
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused("the errand cannot be understood; page and daemon may be of two versions: restart both") from None
        age_s = (self._wall() - at).total_seconds()
        if abs(age_s) > STALE_S:
            raise Refused(f"the errand was {age_s:.0f} s old and was not run; ask again")
        if told["kind"] not in self._clerks:
            raise Refused(f"this daemon runs no errand {told['kind'][:40]!r}; it knows {', '.join(sorted(self._clerks))}")
        return Errand(id, told["kind"], told["args"], plain_name(told.get("who")))

    def _run(self, errand: Errand) -> Answer | None:
        log.info("errand %s of %s", errand.kind, errand.who)
        try:
            return self._clerks[errand.kind](errand)
        except Refused as why:
            return Answer(False, str(why))
        except Exception as error:  # plates are read whatever becomes of an errand
            log.exception("the errand %s failed", errand.kind)
            return Answer(False, f"{errand.kind}: the daemon could not do it ({type(error).__name__}); its log says more")

    def _forget(self, now: float) -> None:
        while self._told and self._told[0][0] <= now:
            self._told.popleft()[1].unlink(missing_ok=True)

    def _is_old(self, path: Path) -> bool:
        try:
            return abs(self._wall().timestamp() - path.stat().st_mtime) > ANSWERS_LIVE_S
        except OSError:
            return False

    def _give_up(self, why: str) -> None:
        """Until the next minute."""
        self._ready, self._stamp, self._look_at = False, None, self._clock() + 60.0
        log.error("the page cannot ask anything: %s", why)


def open_folder(folder: Path) -> None:
    """Make it, for this user alone. Raises Refused where it is no folder of ours, OSError where it cannot be made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise Refused(f"{folder}: is no folder of this user; delete it, and run daemon and page as the same user")
    if stat.S_IMODE(about.st_mode) != 0o700:
        folder.chmod(0o700)


def write_whole(path: Path, content: Mapping[str, Any]) -> None:
    """Readers see all of it or nothing, and no other user sees it."""
    fresh = path.with_name(f".{path.stem}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, default=float)
    os.replace(fresh, path)


def plain_name(name: object) -> str:
    """A user's name as it may stand in a log."""
    return "".join(char for char in str(name or "") if char.isprintable()).strip()[:40] or "somebody"


def _content(path: Path) -> bytes:
    """Of an ordinary file of reasonable size."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_BYTES:
                raise Refused(f"an errand is a file of at most {MOST_BYTES // 1024} KiB")
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError:
        raise Refused("an errand is an ordinary file that the daemon can read") from None
