"""What belongs together: two replays of one recording, or a replay and what is known to be on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Generic, TypeVar

from edge.errors import ConfigError
from edge.plates.text import edit_distance
from edge.replay.play import Seen

SLACK_S = 1.0
"""Times may differ by so much: two configurations lose a plate at different frames."""
Left = TypeVar("Left", bound=Seen)
Right = TypeVar("Right", bound=Seen)


@dataclass(frozen=True, slots=True)
class Pairs(Generic[Left, Right]):
    """`same` text, `differing` text but in view at the same time, and what has no partner."""

    same: list[tuple[Left, Right]]
    differing: list[tuple[Left, Right]]
    only_left: list[Left]
    only_right: list[Right]


def pair(left: Sequence[Left], right: Sequence[Right]) -> Pairs[Left, Right]:
    """The nearest texts first, each at most once. Texts of which more than half differ are two plates that were in view together, no pair."""
    candidates = sorted(
        (edit_distance(one.text, other.text), -overlap_s(one, other), i, j)
        for i, one in enumerate(left)
        for j, other in enumerate(right)
        if overlap_s(one, other) > -SLACK_S
    )
    free, partners = set(range(len(left))), dict[int, int]()
    for distance, _, i, j in candidates:
        if i in free and j not in partners and 2 * distance <= max(len(left[i].text), len(right[j].text)):
            free.discard(i)
            partners[j] = i
    found = sorted((i, j) for j, i in partners.items())
    return Pairs(
        [(left[i], right[j]) for i, j in found if left[i].text == right[j].text],
        [(left[i], right[j]) for i, j in found if left[i].text != right[j].text],
        [left[i] for i in sorted(free)],
        [one for j, one in enumerate(right) if j not in partners],
    )


def overlap_s(one: Seen, other: Seen) -> float:
    """Seconds that both were in view; negative: so far apart."""
    return min(one.to_s, other.to_s) - max(one.from_s, other.from_s)


@dataclass(frozen=True, slots=True)
class Score:
    """A replay against the truth. `repeated` are passes without an event that should have none: the same plate came back too soon to be another pass."""

    right: list[Seen]
    wrong: list[tuple[Seen, Seen]]
    missed: list[Seen]
    invented: list[Seen]
    repeated: list[Seen]


def score(truth: Sequence[Seen], events: Sequence[Seen], repeat_after_s: float) -> Score:
    """Which of the true passes were told rightly, and which events no pass stands behind."""
    pairs = pair(truth, events)
    repeated = [one for one in pairs.only_left if any(0 < one.from_s - other.to_s < repeat_after_s for other in truth if other.text == one.text)]
    missed = [one for one in pairs.only_left if one not in repeated]
    return Score([one for one, _ in pairs.same], pairs.differing, missed, pairs.only_right, repeated)


def load_truth(path: Path) -> list[Seen]:
    """[{"text", "from_s", "to_s"}, ...], other keys are of no matter. ConfigError names what is wrong."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--truth {path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"--truth {path}: is not JSON") from None
    if not isinstance(rows, list):
        raise ConfigError(f"--truth {path}: must be a list of objects with text, from_s and to_s")
    return [_row(path, number, row) for number, row in enumerate(rows, start=1)]


def _row(path: Path, number: int, row: Any) -> Seen:
    try:
        text, from_s, to_s = row["text"], float(row["from_s"]), float(row["to_s"])
    except (KeyError, OverflowError, TypeError, ValueError):
        raise ConfigError(f"--truth {path}: entry {number} has no text, from_s and to_s (seconds)") from None
    if not isinstance(text, str) or not text or not -inf < from_s <= to_s < inf:
        raise ConfigError(f"--truth {path}: entry {number} needs a text, and to_s not before from_s")
    return Seen("".join(char for char in text.upper() if char.isalnum()), from_s, to_s)
