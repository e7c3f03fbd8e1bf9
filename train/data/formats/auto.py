"""Which format a folder is in."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from train.data.formats import FORMATS
from train.data.formats.raw import FormatError
from train.data.formats.tree import Tree


@dataclass(frozen=True, slots=True)
class Recognised:
    """`name` of the format taken, how many pictures it would explain, and the same of the others that would explain some."""

    name: str
    pictures: int
    others: tuple[tuple[str, int], ...] = ()

    def told(self, root: Path) -> str:
        """One sentence for the user."""
        others = ", ".join(f"{name} ({count})" for name, count in self.others)
        return f"{root}: {self.name}, about {self.pictures} pictures" + (f"; it could also be {others}: --format chooses" if others else "")


def importer(name: str) -> ModuleType:
    """The module of a format of FORMATS."""
    return import_module(f"train.data.formats.{name.replace('-', '_')}")


def is_a_guess(name: str) -> bool:
    """Whether a format has no label files of its own: pictures that carry a text as their name may have labels in another format all the same."""
    return bool(getattr(importer(name), "IS_A_GUESS", False))


def recognise(tree: Tree, formats: tuple[str, ...] = FORMATS) -> Recognised:
    """The format that would explain the most pictures, the earlier of two that would explain as many; a guess (IS_A_GUESS) only where nothing else is.

    Raises FormatError when none would explain any.
    """
    counts = [(name, importer(name).recognise(tree)) for name in formats]
    found = sorted(((name, count) for name, count in counts if count > 0), key=lambda one: (is_a_guess(one[0]), -one[1]))
    if not found:
        known = ", ".join(formats)
        raise FormatError(f"{tree.root}: {len(tree.pictures)} pictures, but no labels in a format that we know; if it is one of {known}, say --format")
    return Recognised(*found[0], tuple(found[1:]))
