"""All sides over the same photographs, taking turns photograph by photograph, so that a busy minute or a warm processor meets them alike."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from convert.peers.base import About, Answer
from convert.peers.judge import is_asked
from edge.errors import ConfigError
from train.data.formats.native import LabelledImage
from train.evaluation.cases import labelled

SETTLE_S = 0.02
"""Between two sides with more than one thread: the workers of the one before still spin for a moment."""


class Asked(Protocol):
    """What the run needs of a side."""

    name: str
    about: About

    def ask(self, path: str, crop: bool) -> Answer: ...


def photographs(folders: Sequence[Path]) -> list[LabelledImage]:
    """Those that ask something, in the labels' order. Raises DataError, or ConfigError for a missing file."""
    images = [image for image in labelled(folders) if is_asked(image)]
    if not images:
        raise ConfigError(f"{', '.join(map(str, folders))}: cut-out plates without a text alone; nobody can be asked anything")
    for image in images:
        if not image.path.is_file():
            raise ConfigError(f"{image.path}: no such file, but labels.jsonl names it; copy the pictures or take the row out")
    return images


def chosen(images: Sequence[LabelledImage], sides: Sequence[About], at_most: int | None = None, seed: int = 0) -> list[LabelledImage]:
    """Those that all sides can be asked about: cut-out plates alone where one has no detector; `at_most` of them, drawn by the seed."""
    readers = [side.name for side in sides if not side.finds]
    kept = [image for image in images if image.crop or not readers]
    if not kept:
        raise ConfigError(f"{', '.join(readers)}: a reader alone is asked on cut-out plates, and --data has none with a text")
    if at_most is None or at_most >= len(kept):
        return kept
    return [kept[place] for place in np.sort(np.random.default_rng(seed).choice(len(kept), at_most, replace=False))]


class Book:
    """The answers so far, by photograph; kept in a file where there is one, so that a run that was stopped goes on."""

    def __init__(self, sides: Sequence[About], threads: int, file: Path | None = None) -> None:
        self.answers: dict[str, tuple[Answer, ...]] = {}
        self._file = file
        header = json.loads(json.dumps({"v": 1, "threads": threads, "sides": [asdict(side) for side in sides]}))
        if file is None:
            return
        try:
            rows = [json.loads(row) for row in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
        except (ValueError, OSError) as error:
            raise ConfigError(f"{file}: cannot be gone on with ({error}); delete it or name another --out") from None
        if rows and rows[0] != header:
            raise ConfigError(f"{file}: holds answers of other sides, models or threads; delete it or name another --out")
        if not rows:
            file.write_text(json.dumps(header) + "\n", encoding="utf-8")
        for row in rows[1:]:
            self.answers[row["image"]] = tuple(map(Answer.from_json, row["answers"]))

    def add(self, image: LabelledImage, answers: Sequence[Answer]) -> None:
        """Answers in the order of the sides."""
        self.answers[_key(image)] = tuple(answers)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"image": _key(image), "answers": [one.as_json() for one in answers]}) + "\n")

    def of(self, image: LabelledImage) -> tuple[Answer, ...] | None:
        """The answers of all sides, or None."""
        return self.answers.get(_key(image))


def _key(image: LabelledImage) -> str:
    return str(image.path.resolve())


def ask_all(
    images: Sequence[LabelledImage],
    sides: Sequence[Asked],
    book: Book,
    threads: int = 1,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    warn: Callable[[str, str], None] = print,
) -> None:
    """Fills the book, in an order of chance (always the same), so that a run that is stopped early has seen some of everything.

    Who is asked first changes with every photograph; a failure is told through `warn` and the run goes on.
    """
    todo = [images[place] for place in np.random.default_rng(0).permutation(len(images))]
    for number, image in progress([pair for pair in enumerate(todo) if book.of(pair[1]) is None]):
        answers: dict[int, Answer] = {}
        for place in _turns(number, len(sides)):
            answers[place] = sides[place].ask(str(image.path), bool(image.crop))
            if answers[place].failure is not None:
                warn(sides[place].name, f"{image.path}: {answers[place].failure}")
            if threads > 1:
                time.sleep(SETTLE_S)
        book.add(image, [answers[place] for place in range(len(sides))])


def _turns(number: int, sides: int) -> Iterator[int]:
    return ((number + place) % sides for place in range(sides))
