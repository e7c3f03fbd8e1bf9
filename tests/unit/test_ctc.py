"""Probabilities of texts under the reader's CTC distribution."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from edge.plates.ctc import log_likelihoods, search, steps_of
from edge.vision.alphabet import ALPHABET, CLASSES
from edge.vision.reader_codec import as_logits, decode


class Anything:
    """The grammar that accepts every text."""

    def step(self, state: int, char: str) -> int:
        return 0

    def accepting(self, state: int) -> bool:
        return True


class EvenLength(Anything):
    def step(self, state: int, char: str) -> int:
        return 1 - state

    def accepting(self, state: int) -> bool:
        return state == 0


def some_steps(seed: int, length: int = 4, kinds: int = 3) -> np.ndarray:
    """Random probabilities of blank and the first characters of the alphabet."""
    steps = np.zeros((length, CLASSES))
    steps[:, :kinds] = np.random.default_rng(seed).dirichlet(np.ones(kinds), size=length)
    return steps


def by_hand(steps: np.ndarray, kinds: int = 3) -> dict[str, float]:
    """P of every text, by going through all alignments."""
    found: dict[str, float] = {}
    for path in itertools.product(range(kinds), repeat=len(steps)):
        text = "".join(ALPHABET[kind - 1] for kind, _ in itertools.groupby(path) if kind)
        found[text] = found.get(text, 0.0) + math.prod(float(steps[at, kind]) for at, kind in enumerate(path))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_texts_probability_is_the_sum_over_its_alignments(seed: int) -> None:
    steps = some_steps(seed)
    expected = by_hand(steps)
    texts = sorted(expected)
    assert np.exp(log_likelihoods(texts, steps)) == pytest.approx([expected[text] for text in texts])


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_search_finds_every_text_with_its_probability(seed: int) -> None:
    steps = some_steps(seed)
    found = search(steps, Anything(), least=-60.0, width=1000)
    assert {one.text: pytest.approx(math.exp(one.log_p)) for one in found} == by_hand(steps)
    assert found == sorted(found, key=lambda one: -one.log_p)


@pytest.mark.parametrize("seed", range(5))
def test_a_search_gives_only_what_the_grammar_accepts_and_the_best_of_it(seed: int) -> None:
    steps = some_steps(seed)
    found = search(steps, EvenLength(), least=-60.0, width=1000)
    even = {text: p for text, p in by_hand(steps).items() if len(text) % 2 == 0}
    assert {one.text for one in found} == set(even)
    assert found[0].text == max(even, key=lambda text: even[text])


def test_nothing_below_the_least_is_found() -> None:
    found = search(some_steps(1), Anything(), least=math.log(0.1))
    assert found
    assert all(one.log_p > math.log(0.1) for one in found)


def test_a_text_too_long_for_the_steps_is_impossible() -> None:
    assert log_likelihoods(["01010", "00", "000"], some_steps(0))[0] == -math.inf
    assert log_likelihoods([], some_steps(0)) == []


def test_what_the_reader_decodes_is_the_most_probable_text() -> None:
    logits = as_logits("AAB1", "1223")
    text = decode(logits).text
    assert text == "AAB11223"
    steps = steps_of(logits)
    assert search(steps, Anything(), least=-5.0)[0].text == text
    assert log_likelihoods([text], steps)[0] > -0.5


def test_a_character_does_not_run_from_the_upper_row_into_the_lower() -> None:
    logits = np.zeros((64, CLASSES), np.float32)
    logits[:, 0] = 12.0
    logits[31:33, 0], logits[31:33, 2] = 0.0, 12.0
    assert decode(logits).text == "11"
    one, two = log_likelihoods(["1", "11"], steps_of(logits))
    assert two > -0.1
    assert one < -8.0


def test_the_input_is_left_as_it_is() -> None:
    logits = as_logits("AB12")
    before = logits.copy()
    steps_of(logits)
    assert np.array_equal(before, logits)
