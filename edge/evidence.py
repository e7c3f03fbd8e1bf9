"""The looks behind an event's text: what each of them said and weighed. It is kept beside the event, and never leaves the device by itself."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.errors import StoreError
from edge.records import Character

MOST_LOOKS = 30
"""Of more looks the lightest in the vote are left out."""
VERSION = 1


@dataclass(frozen=True, slots=True)
class KeptLook:
    """One look that voted. `at_s` counts from the first look at the plate; `characters` are the confidences in the characters of its text.

    `weight` is its weight in the vote, 0.5..1; `agrees` when it said what was voted, before the rules or after.
    """

    at_s: float
    text: str
    confidence: float
    characters: tuple[float, ...]
    sharpness: float
    width_px: float
    score: float
    weight: float
    agrees: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that at least one look read: how many did, and the mean log-probability that all looks give it, None where that was not worked out."""

    text: str
    looks: int
    log_p: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`voted` looks were put to the vote, and `looks` are the weightiest of them, in order of time.

    by_character  what the vote by characters alone said; the event's raw text is what came of weighing the candidates anew
    alternatives  for each character of the event's text the runners-up with their share of the votes, best first; "" is no character at all
    """

    looks: tuple[KeptLook, ...]
    voted: int
    by_character: str = ""
    alternatives: tuple[tuple[Character, ...], ...] = ()
    candidates: tuple[Candidate, ...] = ()

    def without_texts(self) -> Evidence:
        """What may be kept of a plate whose text may not: neither letters nor their number."""
        looks = tuple(dataclasses.replace(look, text="", characters=()) for look in self.looks)
        return Evidence(looks, self.voted)

    def without(self, hidden: Callable[[str], bool]) -> Evidence:
        """The same without the texts for which `hidden` is true: another plate that a look took this one for."""
        texts = {look.text for look in self.looks} | {one.text for one in self.candidates} | {self.by_character}
        gone = {text for text in texts if text and hidden(text)}
        if not gone:
            return self
        looks = tuple(dataclasses.replace(look, text="", characters=()) if look.text in gone else look for look in self.looks)
        candidates = tuple(one for one in self.candidates if one.text not in gone)
        return dataclasses.replace(self, looks=looks, by_character="" if self.by_character in gone else self.by_character, candidates=candidates)

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return {
            "voted": self.voted,
            "looks": [
                {
                    "at_s": look.at_s, "text": look.text, "confidence": look.confidence, "characters": list(look.characters), "sharpness": look.sharpness,
                    "width_px": look.width_px, "score": look.score, "weight": look.weight, "agrees": look.agrees,
                }
                for look in self.looks
            ],
            "by_character": self.by_character,
            "alternatives": [[{"char": one.char, "confidence": one.confidence} for one in others] for others in self.alternatives],
            "candidates": [dataclasses.asdict(one) for one in self.candidates],
        }  # fmt: skip


def pack(evidence: Evidence) -> bytes:
    """Small enough for a memory card: rows instead of objects, shares in thousandths, deflated."""
    looks = [
        [
            round(1000 * look.at_s), look.text, round(1000 * look.confidence), [round(100 * share) for share in look.characters],
            round(1000 * look.sharpness), round(look.width_px), round(1000 * look.score), round(1000 * look.weight), int(look.agrees),
        ]
        for look in evidence.looks
    ]  # fmt: skip
    others = [[[one.char, round(1000 * one.confidence)] for one in place] for place in evidence.alternatives]
    texts = [[one.text, one.looks, None if one.log_p is None else round(one.log_p, 2)] for one in evidence.candidates]
    row = [VERSION, evidence.voted, looks, evidence.by_character, others, texts]
    return zlib.compress(json.dumps(row, separators=(",", ":"), default=float).encode(), 9)


def unpack(packed: bytes) -> Evidence:
    """Inverse of `pack`, but for its rounding; StoreError where it is none."""
    try:
        version, voted, looks, by_character, others, texts = json.loads(zlib.decompress(packed))
        if version != VERSION:
            raise ValueError(f"version {version}")
        return Evidence(
            tuple(
                KeptLook(at / 1000, text, sure / 1000, tuple(share / 100 for share in shares), sharp / 1000, wide, score / 1000, weight / 1000, bool(agrees))
                for at, text, sure, shares, sharp, wide, score, weight, agrees in looks
            ),
            voted,
            by_character,
            tuple(tuple(Character(char, share / 1000) for char, share in place) for place in others),
            tuple(Candidate(*one) for one in texts),
        )
    except (zlib.error, ArithmeticError, RecursionError, ValueError, TypeError) as error:
        raise StoreError(f"the looks of an event cannot be read ({error}); they were kept by another version, or are damaged") from None
