"""Many reads of one plate, one text: each character is put to the vote.

Reads are lined up with their weighted medoid (the read nearest to all others) by edit distance, so one that lost or invented a character
still votes on the rest, and no read wins by being longer: an extra character needs the majority behind it. After ROVER (Fiscus 1997).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from edge.plates.text import edit_distance
from edge.records import Character, PlateRead, Sighting

FULL_CHARACTER_PX = 16.0
"""Wider characters are not easier to read."""
LEAST_WEIGHT = 0.5
"""The worst look still has half a vote, so that no single look, however good it seems, outvotes three that agree."""


@dataclass(frozen=True, slots=True)
class Look:
    """One read and its weight in the vote, LEAST_WEIGHT..1."""

    read: PlateRead
    weight: float


@dataclass(frozen=True, slots=True)
class Vote:
    """The winning text. `confidence` is the product over its characters; `looks` were put to the vote and `agreeing` said exactly this."""

    text: str
    confidence: float
    characters: tuple[Character, ...]
    looks: int
    agreeing: int


NO_VOTE = Vote("", 0.0, (), 0, 0)


def weigh(sighting: Sighting, sharpest: float) -> float:
    """A look's weight by the reader's and the detector's confidence, its sharpness against the track's `sharpest`, and its pixels per character."""
    sharpness = sighting.sharpness / sharpest if sharpest > 0 else 1.0
    character_px = sighting.detection.box.width * max(1, sighting.read.lines) / max(1, len(sighting.read.text))
    quality = sighting.read.confidence * sighting.detection.score * min(1.0, sharpness) * min(1.0, character_px / FULL_CHARACTER_PX)
    return LEAST_WEIGHT + (1 - LEAST_WEIGHT) * float(quality**0.25)  # the geometric mean: one poor quality of four does not sink a look


def similarity(a: str, b: str) -> float:
    """1 for equal texts, 0 for texts that share nothing."""
    return 1.0 - edit_distance(a, b) / max(len(a), len(b), 1)


def vote(looks: Sequence[Look]) -> Vote:
    """The text that the looks together support; looks that read nothing have no vote."""
    looks = [look for look in looks if look.read.text]
    if not looks:
        return NO_VOTE
    ballots = _ballots(looks, _medoid(looks))
    characters = tuple(winner for ballot in ballots if (winner := ballot.winner()).char)
    text = "".join(character.char for character in characters)
    agreeing = sum(look.read.text == text for look in looks)
    return Vote(text, prod(character.confidence for character in characters), characters, len(looks), agreeing)


def runners_up(looks: Sequence[Look], text: str, most: int = 3) -> tuple[tuple[Character, ...], ...]:
    """For each character of a text what else the looks saw in its place, with its share of the votes, best first; "" is no character at all."""
    ballots = _ballots([look for look in looks if look.read.text], text)
    return tuple(ballots[2 * place + 1].others(char)[:most] for place, char in enumerate(text))


def _ballots(looks: Sequence[Look], middle: str) -> list[_Ballot]:
    """One by place: 2 * i + 1 is the character i of `middle`, 2 * i the gap before it."""
    ballots = [_Ballot() for _ in range(2 * len(middle) + 1)]
    for look in looks:
        # Of several characters invented in one gap only the last can be believed: a place has one character.
        said = {place: index for index, place in enumerate(align(look.read.text, middle))}
        for place, ballot in enumerate(ballots):
            ballot.cast(look, said.get(place))
    return ballots


class _Ballot:
    """The votes on one place; "" stands for no character there."""

    def __init__(self) -> None:
        self._votes: dict[str, float] = defaultdict(float)
        self._first: dict[str, list[tuple[float, float]]] = defaultdict(list)
        """Character -> (weight, confidence) of the looks that read it as their best."""

    def cast(self, look: Look, index: int | None) -> None:
        """A look's vote by its character at `index`, and in small by that character's runners-up."""
        if index is None:
            self._votes[""] += look.weight
            return
        best, *others = _candidates(look.read, index)
        self._first[best.char].append((look.weight, best.confidence))
        for candidate in (best, *others):
            self._votes[candidate.char] += look.weight * candidate.confidence

    def others(self, winner: str) -> tuple[Character, ...]:
        """What else was voted for, with its share of all votes."""
        total = max(sum(self._votes.values()), 1e-9)
        ranked = sorted(self._votes.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Character(char, votes / total) for char, votes in ranked if char != winner)

    def winner(self) -> Character:
        """The character with the most votes.

        Its confidence is that of the looks that read it, times its share by the cube of the votes: looks err independently, so that two
        against one are far better than 2/3.
        """
        char, votes = max(self._votes.items(), key=lambda item: (item[1], item[0]))
        share = votes**3 / max(sum(other**3 for other in self._votes.values()), 1e-9)
        read_by = self._first[char]
        own = sum(weight * confidence for weight, confidence in read_by) / sum(weight for weight, _ in read_by) if read_by else share
        return Character(char, min(1.0, own * share))


def _medoid(looks: Sequence[Look]) -> str:
    """The text with the least weighted distance to all reads; of equals the one with more weight behind it, then the smaller one."""
    behind: dict[str, float] = defaultdict(float)
    for look in looks:
        behind[look.read.text] += look.weight
    return min(behind, key=lambda text: (sum(weight * edit_distance(text, other) for other, weight in behind.items()), -behind[text], text))


def align(text: str, middle: str) -> list[int]:
    """For each character of `text` its place: 2 * i + 1 beside `middle[i]`, 2 * i in the gap before it. Places never go back."""
    rows = [list(range(len(middle) + 1))]
    for i, char in enumerate(text, start=1):
        row = [i]
        for j, other in enumerate(middle, start=1):
            row.append(min(rows[i - 1][j - 1] + (char != other), rows[i - 1][j] + 1, row[j - 1] + 1))
        rows.append(row)
    places, i, j = [0] * len(text), len(text), len(middle)
    while i > 0:
        if j > 0 and rows[i][j] == rows[i - 1][j - 1] + (text[i - 1] != middle[j - 1]):
            i, j = i - 1, j - 1
            places[i] = 2 * j + 1
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            places[i] = 2 * j
        else:
            j -= 1
    return places


def _candidates(read: PlateRead, index: int) -> tuple[Character, ...]:
    """A character and its runners-up."""
    best = read.characters[index] if index < len(read.characters) else Character(read.text[index], read.confidence)
    return (best, *(read.alternatives[index] if index < len(read.alternatives) else ()))
