"""Which characters are taken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from edge.vision.alphabet import ALPHABET

LOST = ""
"""Stands for no character: in the read, one that was lost; in the truth, one that was invented."""


def aligned(truth: str, read: str) -> list[tuple[str, str]]:
    """(character of the truth, character of the read) with the fewest edits; "" where one side has none."""
    rows = [list(range(len(read) + 1))]
    for i, there in enumerate(truth, start=1):
        row = [i]
        for j, said in enumerate(read, start=1):
            row.append(min(rows[i - 1][j - 1] + (there != said), rows[i - 1][j] + 1, row[j - 1] + 1))
        rows.append(row)
    pairs, i, j = [], len(truth), len(read)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (truth[i - 1] != read[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], read[j]))
        elif i and rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            pairs.append((truth[i], LOST))
        else:
            j -= 1
            pairs.append((LOST, read[j]))
    return pairs[::-1]


def confusions(texts: Iterable[tuple[str, str, str | None]]) -> Counter[tuple[str, str]]:
    """Counts of (there, read) over (truth, read, country), right ones included; O is 0 on plates of the United States."""
    counts: Counter[tuple[str, str]] = Counter()
    for truth, read, country in texts:
        if country == "us":
            truth, read = truth.replace("O", "0"), read.replace("O", "0")
        counts.update(aligned(truth, read))
    return counts


def worst(counts: Counter[tuple[str, str]], at_most: int = 20) -> list[tuple[str, str, int]]:
    """The most frequent mistakes: (there, read, how often)."""
    wrong = [(there, said, number) for (there, said), number in counts.items() if there != said]
    return sorted(wrong, key=lambda row: (-row[2], row[0], row[1]))[:at_most]


def matrix(counts: Counter[tuple[str, str]]) -> npt.NDArray[np.int64]:
    """(37, 37): a row a character of the truth, a column a character of the read, the last of each for none."""
    place = {char: number for number, char in enumerate((*ALPHABET, LOST))}
    table = np.zeros((len(place), len(place)), np.int64)
    for (there, said), number in counts.items():
        table[place[there], place[said]] += number
    return table
