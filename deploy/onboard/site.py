"""Where it is done, by what, and who is told: handed to every function that changes something."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.onboard import disk, state
from deploy.onboard.errors import BusyError
from deploy.onboard.layout import Layout
from deploy.onboard.machine import Machine
from deploy.onboard.state import State


def no_step(name: str) -> None:
    """The hook at which tests cut the power."""


def tell(words: str) -> None:
    """On the terminal; one that is gone is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        try:
            print(words, flush=True)
        except UnicodeEncodeError:  # a terminal of before UTF-8
            print(words.encode("ascii", "backslashreplace").decode(), flush=True)


@dataclass(frozen=True, slots=True)
class Site:
    """`step(name)` is called after each thing that was changed; `say(sentence)` is for the owner."""

    layout: Layout
    machine: Machine
    step: Callable[[str], None] = no_step
    say: Callable[[str], None] = tell

    @property
    def state(self) -> State:
        return state.load(self.layout)

    def note(self, **changes: object) -> State:
        """Remember: load, change, save."""
        found = self.state.but(**changes)
        state.save(self.layout, found)
        return found

    def write(self, path: Path, content: bytes | str, mode: int = 0o644, *, theirs: bool = False) -> None:
        """A whole file; `theirs`: it belongs to the user that Platewatch runs as."""
        raw = content.encode(errors="replace") if isinstance(content, str) else content
        disk.write_whole(path, raw, mode, self.machine.give if theirs else self.machine.keep)

    def report(self, words: str) -> None:
        """The last thing that happened, for `status` and for who comes by SSH."""
        self.say(words)
        disk.make_folder(self.layout.own, 0o700)
        self.write(self.layout.report, words + "\n", 0o600)

    @contextlib.contextmanager
    def alone(self, *, wait: bool = False) -> Iterator[None]:
        """One at a time; the lock is the process's and goes with it. Raises BusyError where another one is at it; told to `wait`, it says so and does."""
        disk.make_folder(self.layout.own, 0o700)
        file = os.open(self.layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    raise BusyError("another update, rollback or trial is under way, or a backup; wait for it (platewatch-deploy status tells)") from None
                self.say("Waiting for the update, trial or backup that is under way.")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)
