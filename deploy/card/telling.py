"""What the owner sees: numbered steps, the changes of files with secrets masked, a bar while something takes long."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from deploy.card.amounts import size

if TYPE_CHECKING:
    from rich.console import Console

    from deploy.card.plan import Plan


class Telling:
    """Numbers its steps. Progress goes to the terminal alone."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._step = 0

    def step(self, words: str) -> None:
        self._step += 1
        self.line(f"{self._step}. {words}")

    def line(self, words: str) -> None:
        """As it is: no markup, no wrapping that a copy would break."""
        self.console.print(words, markup=False, highlight=False, soft_wrap=True)

    def note(self, words: str) -> None:
        self.line(f"   note: {words}")

    def plan(self, made: Plan, secrets: tuple[str, ...]) -> None:
        """Every file that will be written, with its change."""
        from deploy.card.plan import shown

        self.line(f"   platewatch/: {', '.join(sorted((*made.kit.files, 'kit.json')))} ({size(made.kit.length)}), release {made.kit.release}")
        for change in made.changes:
            self.line(f"   {change.name}: {'changed' if change.before is not None else 'new'}")
            for line in shown(change, secrets):
                self.line(f"      {line}")

    @contextlib.contextmanager
    def bar(self, words: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Bytes that were done are handed in."""
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

        columns = (TextColumn("   {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            task = progress.add_task(words, total=total)
            yield lambda amount: progress.update(task, advance=amount)
