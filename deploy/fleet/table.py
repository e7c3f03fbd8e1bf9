"""The devices on the terminal: a live table where there is one, else a line for each change."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deploy.fleet.acts import Outcome
from deploy.fleet.inventory import Device

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STYLES = {"waiting": "dim", "at work": "cyan", "ok": "green", "failed": "bold red", "held": "yellow"}
KEPT = 200
"""Lines of a device that a report keeps."""


class Board:
    """Told from many threads what each device does. With one device every line of it is shown as it comes."""

    def __init__(self, devices: Sequence[Device], console: Console) -> None:
        self._rows = {device.name: (device.address, "waiting", "", "") for device in devices}
        self._console, self._lock, self._live = console, threading.Lock(), console.is_terminal and len(devices) > 1
        self._alone = len(devices) == 1
        self._logs: dict[str, list[str]] = {device.name: [] for device in devices}
        self._told: dict[str, str] = {}
        self._shown: object = None

    def __enter__(self) -> Self:
        if self._live:
            from rich.live import Live

            self._shown = Live(get_renderable=self.table, console=self._console, refresh_per_second=4)
            self._shown.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        from rich.live import Live

        if isinstance(self._shown, Live):
            self._shown.stop()
        elif not self._alone:
            self._console.print(self.table())

    def tell(self, name: str, words: str) -> None:
        """What it is about; said once, however often it is told."""
        with self._lock:
            address, before, release, _ = self._rows[name]
            self._rows[name] = (address, "at work", release, words)
            again, self._told[name] = self._told.get(name) == words, words
        if not self._live and not again and (before == "waiting" or not words.startswith("copying")):
            self._say(name, words)

    def hear(self, name: str, line: str) -> None:
        """A line that its installer said; the same again right after it is none."""
        with self._lock:
            if self._logs[name][-1:] == [line]:
                return
            self._logs[name] = [*self._logs[name][1 - KEPT :], line]
            address, state, release, _ = self._rows[name]
            self._rows[name] = (address, state, release, line)
        if self._alone:
            self._say(name, line)

    def done(self, outcome: Outcome) -> None:
        with self._lock:
            self._rows[outcome.device] = (self._rows[outcome.device][0], outcome.state, outcome.release, outcome.words)
        if not self._live:
            self._say(outcome.device, f"{outcome.state}: {outcome.words}" + (f" ({outcome.release})" if outcome.release else ""))

    def log(self, name: str) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._logs[name])

    def table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        made = Table("device", "address", "state")
        made.add_column("release", overflow="fold")
        made.add_column("")
        with self._lock:
            rows = list(self._rows.items())
        for name, (address, state, release, words) in rows:
            made.add_row(name, address, Text(state, STYLES[state]), release, Text(words))
        return made

    def _say(self, name: str, words: str) -> None:
        self._console.print(f"{name}: {words}", markup=False, highlight=False, soft_wrap=True)
