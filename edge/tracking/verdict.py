"""What the looks at one plate say together: the vote, weighed on their evidence, and then the country's rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.plates.choice import choice
from edge.plates.ruled import Ruled, rule_looks
from edge.records import Character, PlateRead, Rule, Sighting
from edge.tracking.pooled import Memo, pool
from edge.tracking.voting import Look, Vote, vote, weigh

RULED_LOOKS = 8
"""The rules weigh the best looks alone: each costs a search, and the ninth changes nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The text, and what speaks for it.

    raw_text   what the vote alone says
    looks      so many were put to the vote
    agreeing   so many of them said exactly this, before the rules or after
    country    whose plate it is, where that is sure
    fits       whether the text is a plate of the countries that are expected; true where none are
    """

    text: str
    raw_text: str
    confidence: float
    characters: tuple[Character, ...]
    looks: int
    agreeing: int
    country: str | None = None
    rule: Rule | None = None
    fits: bool = True


NO_VERDICT = Verdict("", "", 0.0, (), 0, 0)


def conclude(
    sightings: Sequence[Sighting], country: str | None = None, before: Verdict = NO_VERDICT, ruled_looks: int = 0, memo: Memo | None = None
) -> Verdict:
    """The verdict on all looks, in whatever order they come.

    The rules are the costly part: a verdict of `before` on the same vote is taken over while its `ruled_looks` looks have not grown by half.
    `memo` keeps what is known of each look from one call to the next.
    """
    sharpest = max((one.sharpness for one in sightings), default=0.0)
    weighed = [(one, weigh(one, sharpest)) for one in sightings if one.read.text]
    # Sums of floats depend on their order by a hair, and a hair may decide: the order of the looks must not.
    weighed.sort(key=lambda pair: (-pair[1], pair[0].read.text, pair[0].read.confidence, pair[0].seen_at))
    voted = pool(weighed, vote([Look(one.read, weight) for one, weight in weighed]), {} if memo is None else memo)
    if not voted.text:
        return NO_VERDICT
    if before.raw_text == voted.text and len(weighed) < 1.5 * ruled_looks:
        if before.rule is None:
            return _verdict(voted, Ruled(voted.text, voted.confidence, voted.characters, voted.text, before.country, None), weighed, before.fits)
        return _verdict(voted, _again(before), weighed, before.fits)
    read = PlateRead(voted.text, voted.confidence, voted.characters)
    evidence = [(one.read.logits, weight) for one, weight in weighed if one.read.logits is not None]
    ruled = rule_looks(evidence[:RULED_LOOKS], read, country)
    return _verdict(voted, ruled, weighed, ruled.format is not None or not choice(country).codes)


def _verdict(voted: Vote, ruled: Ruled, weighed: Sequence[tuple[Sighting, float]], fits: bool) -> Verdict:
    agreeing = sum(one.read.text in (voted.text, ruled.text) for one, _ in weighed)
    rule = Rule(ruled.format or "", ruled.cost, ruled.margin) if ruled.changed else None
    return Verdict(ruled.text, voted.text, ruled.confidence, ruled.characters, voted.looks, agreeing, ruled.country, rule, fits)


def _again(before: Verdict) -> Ruled:
    """The rules' part of an earlier verdict."""
    rule = before.rule or Rule("", math.nan, math.nan)
    return Ruled(before.text, before.confidence, before.characters, before.raw_text, before.country, rule.format, -rule.cost, 0.0, rule.margin)
