"""Several lives at once, each in a process of its own: most of a life is waiting."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from tests.powercuts.errors import CutsError

if TYPE_CHECKING:
    from tests.powercuts.course import Life, Told
    from tests.powercuts.parts import Parts

END_S = 120.0
"""Within which a life that is told to stop has let go of its card."""
Say = Callable[[str], None]
Work = Callable[["Parts", "Life", Say], "Told"]


def one(parts: Parts, life: Life, say: Say) -> Told:
    """One life in a folder of its own; the card of a device that did not come back stays there."""
    from tests.powercuts.card import Card, apart
    from tests.powercuts.lives import live

    apart()
    return live(parts, life, Card(parts.folder / f"life-{life.number}"), say)


def all_of(parts: Parts, lives: Iterable[Life], at_once: int, say: Callable[[Life, str], None], work: Work = one) -> Iterator[Told]:
    """What became of each, in the order in which they end; `say` gets their steps. Leaving it, also by an interrupt, ends those under way first.
    Raises CutsError where a life itself cannot be led."""
    todo = iter(lives)
    under_way: dict[Any, tuple[Life, BaseProcess]] = {}
    try:
        while True:
            while len(under_way) < at_once and (life := next(todo, None)) is not None:
                under_way.update([_begin(parts, life, work)])
            if not under_way:
                return
            for heard in wait(list(under_way)):
                life, process = under_way[heard]
                kind, words = _read(heard)
                if kind == "step":
                    say(life, words)
                    continue
                del under_way[heard]
                process.join()
                if kind != "told":
                    raise CutsError(f"life {life.number}: {words}")
                yield words
    finally:
        _end([process for _, process in under_way.values()])


def _begin(parts: Parts, life: Life, work: Work) -> tuple[Any, tuple[Life, BaseProcess]]:
    context = multiprocessing.get_context("spawn")  # a thread draws the progress here, and a fork would copy its locks
    ours, its = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(its, parts, life, work), daemon=False)
    process.start()
    its.close()
    return ours, (life, process)


def _child(line: Connection, parts: Parts, life: Life, work: Work) -> None:
    """A Ctrl-C goes to all programs of a terminal: here the parent's word alone counts, and only once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    try:
        line.send(("told", work(parts, life, lambda words: line.send(("step", words)))))
    except CutsError as error:
        line.send(("error", str(error)))
    except KeyboardInterrupt:
        pass


def _stop(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _read(line: Any) -> tuple[str, Any]:
    try:
        kind, words = line.recv()
        return kind, words
    except EOFError:
        return "error", "its process ended without a word"


def _end(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(END_S)
