"""docs/first-card.md as steps: what is read, what is typed into a terminal, which pictures are looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHAPTER = Path(__file__).parents[2] / "docs/first-card.md"
HEADING = re.compile(r"#{1,6} +(.+)")
ITEM = re.compile(r"(\d+)\. +(.*)")
FENCE = re.compile(r"\s*```(\w*)")
IMAGE = re.compile(r'<img src="([^"]+)"[^>]*>|!\[[^\]]*\]\(([^)]+)\)')
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
DRAWN = re.compile(r"<text\b[^>]*>([^<]+)</text>")


@dataclass(frozen=True, slots=True)
class Step:
    """`number` is that of the list's item, 0 for what stands outside of one. `text` is what is read, commands too; `commands` are the lines for a terminal."""

    section: str
    number: int
    text: str
    commands: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.section}, {self.number}" if self.number else self.section


def steps(markdown: str) -> list[Step]:
    """In the order of the page; a section without words of its own has its heading alone."""
    found: list[Step] = []
    for section, number, lines in _parts(markdown):
        found.append(_step(section, number, lines))
    return found


def _parts(markdown: str) -> Iterator[tuple[str, int, list[str]]]:
    """(section, item, lines). A heading is read with what follows it."""
    section, number, lines, fenced = "", 0, list[str](), False
    for line in markdown.splitlines():
        fenced ^= bool(FENCE.match(line))
        heading, item = (None, None) if fenced else (HEADING.fullmatch(line), ITEM.fullmatch(line))
        ended = number and not fenced and line.strip() and not line.startswith(" ") and not item
        if heading or item or ended:
            if lines:
                yield section, number, lines
            section, lines = (heading[1], []) if heading else (section, [])
            number = int(item[1]) if item else 0
        lines.append(heading[1] if heading else item[2] if item else line)
    if lines:
        yield section, number, lines


def _step(section: str, number: int, lines: list[str]) -> Step:
    language, commands, text, pictures = None, list[str](), list[str](), list[str]()
    for line in lines:
        if fence := FENCE.match(line):
            language = fence[1] if language is None else None
            continue
        if language == "sh":
            commands.append(line.strip())
        pictures += [one or other for one, other in IMAGE.findall(line)]
        text.append(line if language is not None else plain(line))
    return Step(section, number, " ".join(" ".join(text).split()), tuple(commands), tuple(pictures))


def plain(line: str) -> str:
    """Without what nobody reads: marks, a link's target, a table's rules, a picture."""
    line = LINK.sub(r"\1", IMAGE.sub("", line))
    return re.sub(r"^[\s|:-]+$|[*|`<>]", " ", line)


def programs(command: str) -> list[str]:
    """What one line calls: `a && b` are two, and count as two commands."""
    return [part.strip() for part in re.split(r"&&|\|\||;|\|", command) if part.strip()]


def drawn(picture: Path) -> str:
    """The words in a drawing; '' for a photograph of a screen, whose words are counted where they are said."""
    return " ".join(DRAWN.findall(picture.read_text(encoding="utf-8"))) if picture.suffix == ".svg" else ""
