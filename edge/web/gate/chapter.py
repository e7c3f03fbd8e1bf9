"""A chapter of the documents for the page: paragraphs and tables, with bold words. The text is English, as all documents are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import edge

Words = list[tuple[str, bool]]
"""Pieces of a line, and whether they are bold."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a table: then `rows` has its lines, the first with the headings."""

    words: Words
    rows: list[list[Words]]


@cache
def chapter(document: str, title: str) -> list[Block]:
    """Of docs/NAME.md; empty where Platewatch was installed without its documents."""
    try:
        text = (Path(next(iter(edge.__path__))).parent / "docs" / document).read_text(encoding="utf-8")
    except OSError:
        return []
    _, _, rest = text.partition(f"\n## {title}\n")
    return [_block(block) for block in re.split(r"\n## ", rest)[0].strip().split("\n\n") if block.strip()]


def _block(text: str) -> Block:
    if not text.startswith("|"):
        return Block(_words(" ".join(text.split())), [])
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines()]
    return Block([], [[_words(cell) for cell in row] for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)])


def _words(text: str) -> Words:
    return [(part, bool(number % 2)) for number, part in enumerate(text.replace("`", "").split("**")) if part]
