"""Texts under the reader's CTC distribution: how probable a given text is, and which of those that an automaton accepts are the most probable.

Probabilities of a text are sums over all its alignments. Forward algorithm and prefix search: Graves et al. 2006, Connectionist temporal
classification, section 4.1 and 3.2; the search with a beam and a constraint: Hannun et al. 2014, First-pass large vocabulary continuous speech
recognition using bi-directional recurrent DNNs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edge.vision.alphabet import ALPHABET, BLANK, CLASSES
from edge.vision.quant import softmax

Steps = npt.NDArray[np.float64]
"""(n, 37) probabilities of the classes, step by step; rows may add to less than 1 where steps were folded into one."""
NEGLIGIBLE = 1e-4
"""Steps in which anything but a blank is less probable than this are one blank: no search goes down 9.2 nats. Half of all steps are."""
WIDTH = 24
"""Beams kept after each step. Measured: from 8 on no more than one text in a thousand differs from a beam of 200."""

UNSEEN = -14.0
"""The least log-probability that one look of several gives a text: a look that cut a character off has no veto."""


RESCALE = 4
"""Steps after which the forward variables are scaled up again (Graves 2006): probabilities in 32 bits do not underflow 64 bits within so many."""


class Grammar(Protocol):
    """What the search asks of an automaton; state 0 is the start, a negative state is dead."""

    def step(self, state: int, char: str) -> int: ...

    def accepting(self, state: int) -> bool: ...


class Scored(NamedTuple):
    """A text and the natural logarithm of its probability."""

    text: str
    log_p: float


def steps_of(logits: npt.NDArray[np.float32]) -> Steps:
    """Logits (steps, 37) of codec `ctc-rows-v1` -> probabilities, with a certain blank between the plate's rows: no character runs across."""
    probabilities = softmax(np.asarray(logits, np.float32)).astype(np.float64)
    between = np.zeros((1, CLASSES))
    between[0, BLANK] = 1.0
    half = len(probabilities) // 2
    rows = np.concatenate([probabilities[:half], between, probabilities[half:]])
    idle = rows[:, BLANK] > 1.0 - NEGLIGIBLE
    starts = np.flatnonzero(~(idle & np.concatenate([[False], idle[:-1]])))
    steps = np.where(idle[starts, None], 0.0, rows[starts])
    steps[:, BLANK] = np.multiply.reduceat(rows[:, BLANK], starts)
    return steps


def log_likelihoods(texts: Sequence[str], steps: Steps) -> list[float]:
    """log P(text) of each text, summed over its alignments; -inf where it does not fit into the steps. Raises ValueError on a foreign character."""
    states = 2 * max(map(len, texts), default=0) + 1
    labels = np.full((len(texts), states), BLANK)
    written = np.zeros((len(texts), states))
    for row, text in enumerate(texts):
        labels[row, 1 : 2 * len(text) : 2] = [1 + ALPHABET.index(char) for char in text]
        written[row, : 2 * len(text) + 1] = 1.0
    emitted = steps[:, labels] * written
    # moves[text, s, t]: whether state t follows state s: itself, the one before, and from two back only into a character that differs.
    places = np.arange(states)
    moves = np.zeros((len(texts), states, states))
    moves[:, places, places] = moves[:, places[:-1], places[1:]] = 1.0
    moves[:, places[1:-2:2], places[3::2]] = labels[:, 3::2] != labels[:, 1:-2:2]
    alpha = np.zeros((len(texts), 1, states))
    alpha[:, 0, :2] = emitted[0, :, :2]
    log_scale = np.zeros(len(texts))
    for number, row_p in enumerate(emitted[1:, :, None], start=1):
        alpha = alpha @ moves * row_p
        if number % RESCALE == 0:
            total = alpha.sum(axis=(1, 2))
            total[total <= 0.0] = 1.0
            alpha /= total[:, None, None]
            log_scale += np.log(total)
    alpha = alpha[:, 0]
    ends = [float(alpha[row, max(0, 2 * len(text) - 1) : 2 * len(text) + 1].sum()) for row, text in enumerate(texts)]
    return [float(scale) + math.log(end) if end > 0.0 else -math.inf for scale, end in zip(log_scale, ends, strict=True)]


def search(steps: Steps, grammar: Grammar, least: float = -30.0, width: int = WIDTH) -> list[Scored]:
    """The texts that `grammar` accepts, those of log P above `least`, the most probable first.

    A prefix below `least` is dropped, and of the others the best `width` are kept: so a hopeless read costs little. The probabilities leave out the
    alignments through what was dropped; `log_likelihoods` gives them in full.
    """
    beams: dict[str, tuple[float, float, int]] = {"": (1.0, 0.0, 0)}
    """Prefix -> probability of ending in a blank, of ending in its last character, and the grammar's state."""
    step, floor = grammar.step, math.exp(least)
    for row, active in zip(steps, steps > floor, strict=True):
        blank = float(row[BLANK])
        chars = [(ALPHABET[kind - 1], float(row[kind])) for kind in np.flatnonzero(active).tolist() if kind != BLANK]
        grown: dict[str, list[float]] = {}
        states: dict[str, int] = {}
        for prefix, (in_blank, in_char, state) in beams.items():
            whole, last = in_blank + in_char, prefix[-1:]
            own = grown.setdefault(prefix, [0.0, 0.0])
            states[prefix] = state
            own[0] += whole * blank
            for char, p in chars:
                if char == last:
                    own[1] += in_char * p
                gain = p * (in_blank if char == last else whole)
                if gain > floor and (after := step(state, char)) >= 0:
                    longer = prefix + char
                    grown.setdefault(longer, [0.0, 0.0])[1] += gain
                    states[longer] = after
        alive = [prefix for prefix, pair in grown.items() if sum(pair) > floor]
        best = sorted(alive, key=lambda prefix: sum(grown[prefix]), reverse=True)[:width]
        beams = {prefix: (grown[prefix][0], grown[prefix][1], states[prefix]) for prefix in best}
    found = [Scored(text, math.log(in_blank + in_char)) for text, (in_blank, in_char, state) in beams.items() if grammar.accepting(state)]
    return sorted(found, key=lambda one: -one.log_p)
