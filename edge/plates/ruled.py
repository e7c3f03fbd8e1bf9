"""What a plate says, given whose plate it is: the country's formats decide where the reader wavers, and only there.

The reader's own text stays where it fits. Where it does not, the most probable text that fits takes its place, if it costs little evidence (an O
for a 0 costs little, a character that nobody saw costs much), if no other text that fits comes near it, and if it is the better explanation: a plate
of the country's formats against a stray one that says just what was read. Where the country is only guessed the last must be clear.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.plates.automaton import automaton
from edge.plates.choice import AUTO, Choice, choice
from edge.plates.ctc import UNSEEN, Steps, log_likelihoods, search, steps_of
from edge.plates.guess import format_of, log_prior, name
from edge.records import Character, PlateRead

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a ruled text must keep to, in nats.

    cost     at most so much less probable than what was read
    margin   at least so far before the next text that fits
    odds     at least so much the better explanation than a stray plate that says what was read
    """

    cost: float
    margin: float
    odds: float


TOLD = Bounds(cost=3.5, margin=2.0, odds=1.0)
GUESSED = Bounds(cost=3.5, margin=3.0, odds=6.0)
"""Where somebody named the countries, and where all are possible. Measured: docs/country-rules.md."""
LEAST_LOG_P = -5.5
"""A text less probable than this under the reader is no reading, whatever it fits."""
CANDIDATES = 16
"""So many of the texts that fit are weighed against one another."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A read under the rules. Natural logarithms throughout.

    text, confidence, characters   what the plate says; `confidence` is the product over the characters
    raw_text                       what the reader alone says
    country                        whose plate it is, where that is sure
    format                         the pattern that the text fits: of `country` or, where none is sure, of the likeliest
    log_p, raw_log_p               of the two texts under the reader; nan where the text fitted and nothing had to be weighed
    margin                         how far a changed text lies before the next one that fits, at least; nan where nothing was changed
    """

    text: str
    confidence: float
    characters: tuple[Character, ...]
    raw_text: str
    country: str | None
    format: str | None
    log_p: float = math.nan
    raw_log_p: float = math.nan
    margin: float = math.nan

    @property
    def changed(self) -> bool:
        return self.text != self.raw_text

    @property
    def cost(self) -> float:
        """Nats of evidence that the change gave up."""
        return self.raw_log_p - self.log_p


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A text, its log-probability under the reader, and its score: that and how likely a plate says it."""

    text: str
    log_p: float
    score: float


def apply_rules(read: PlateRead, country: str | None = AUTO) -> Ruled:
    """A read under the rules of `country` (`auto`, `none`, `de`, `de,fr`). Raises ConfigError for a code that is not known.

    Without logits the text stays as it is.
    """
    return rule_looks([] if read.logits is None else [(read.logits, 1.0)], read, country)


def rule_looks(looks: Sequence[tuple[Logits, float]], read: PlateRead, country: str | None = AUTO) -> Ruled:
    """The same on several looks at one plate, (logits, weight > 0) each: `read` is what they say together, as `edge.tracking.voting` finds it.

    A text's log-probability is the weighted mean over the looks: all see one and the same print, so ten that take a bolt for a dot are hardly more
    evidence than one, and the bounds stay those of a single look.
    """
    wanted = choice(country)
    if not (looks and read.text and wanted.codes) or automaton(wanted.codes).accepts(read.text):
        return _as_read(read, wanted)
    seen = [(steps_of(logits), weight) for logits, weight in looks]
    (raw,) = _weigh([read.text], seen, wanted)
    bounds = TOLD if wanted.told else GUESSED
    least = max(raw.log_p - bounds.cost, LEAST_LOG_P) - bounds.margin
    texts = {one.text for steps, _ in seen for one in search(steps, automaton(wanted.codes), least)[:CANDIDATES]}
    fitting = _weigh(sorted(texts), seen, wanted)
    if not fitting:
        return _as_read(read, wanted, raw.log_p)
    best = fitting[0]
    margin = best.score - fitting[1].score if len(fitting) > 1 else best.log_p - least  # the search looked no further than `least`
    if not _believable(best, raw, margin, bounds):
        return _as_read(read, wanted, raw.log_p)
    belief = 1.0 / sum(math.exp(other.score - best.score) for other in (raw, *fitting))
    characters = _characters(read, best.text, belief)
    country, pattern = _name(best.text, wanted)
    return Ruled(best.text, math.prod(c.confidence for c in characters), characters, read.text, country, pattern, best.log_p, raw.log_p, margin)


def _weigh(texts: Sequence[str], seen: Sequence[tuple[Steps, float]], wanted: Choice) -> list[_Candidate]:
    """The texts as candidates, the best score first."""
    each = [[weight * max(log_p, UNSEEN) for log_p in log_likelihoods(texts, steps)] for steps, weight in seen]
    whole = sum(weight for _, weight in seen)
    means = [sum(column) / whole for column in zip(*each, strict=True)]
    candidates = [_Candidate(text, log_p, log_p + log_prior(text, wanted.codes)) for text, log_p in zip(texts, means, strict=True)]
    return sorted(candidates, key=lambda one: -one.score)


def _believable(best: _Candidate, raw: _Candidate, margin: float, bounds: Bounds) -> bool:
    return best.log_p >= max(raw.log_p - bounds.cost, LEAST_LOG_P) and margin >= bounds.margin and best.score - raw.score >= bounds.odds


def _as_read(read: PlateRead, wanted: Choice, log_p: float = math.nan) -> Ruled:
    country, pattern = _name(read.text, wanted)
    return Ruled(read.text, read.confidence, read.characters, read.text, country, pattern, log_p, log_p)


def _name(text: str, wanted: Choice) -> tuple[str | None, str | None]:
    """Whose plate the text is, where that is sure, and the pattern that it fits."""
    likeliest, sure = name(text, wanted)
    form = format_of(text, likeliest) if likeliest else None
    # Where nobody asked for a region, a region's plate is its country's.
    country = likeliest if wanted.told or likeliest is None else likeliest.partition("-")[0]
    return country if sure else None, form.pattern if form else None


def _characters(read: PlateRead, text: str, belief: float) -> tuple[Character, ...]:
    """The characters that were read keep their confidence, the others share what is left: the product is `belief`, or less."""
    blocks = difflib.SequenceMatcher(None, read.text, text, autojunk=False).get_matching_blocks()
    kept = {block.b + place: read.characters[block.a + place] for block in blocks for place in range(block.size) if block.a + place < len(read.characters)}
    left = min(1.0, belief / max(math.prod(one.confidence for one in kept.values()), 1e-9))
    own = left ** (1 / max(1, len(text) - len(kept)))
    return tuple(kept.get(place, Character(char, own)) for place, char in enumerate(text))
