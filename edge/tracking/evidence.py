"""What is kept of the looks that made an event's text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean

from edge.evidence import MOST_LOOKS, Candidate, Evidence, KeptLook
from edge.records import Sighting
from edge.tracking.pooled import CANDIDATES, LEAST_LOG_P, Memo
from edge.tracking.verdict import Verdict
from edge.tracking.voting import Look, runners_up, vote, weigh


def evidence_of(sightings: Sequence[Sighting], told: Verdict, began_at: float, memo: Memo, hidden: Callable[[str], bool] = lambda text: False) -> Evidence:
    """Of the looks that had a vote; `began_at` is when the plate was first seen (monotonic seconds), `hidden` tells texts that nobody wants kept."""
    sharpest = max((one.sharpness for one in sightings), default=0.0)
    weighed = [(one, weigh(one, sharpest)) for one in sightings if one.read.text]
    looks = [Look(one.read, weight) for one, weight in weighed]
    best = sorted(weighed, key=lambda pair: (-pair[1], pair[0].seen_at))[:MOST_LOOKS]
    kept = tuple(_kept(one, weight, told, began_at) for one, weight in sorted(best, key=lambda pair: pair[0].seen_at))
    found = Evidence(kept, len(weighed), vote(looks).text, runners_up(looks, told.text), _candidates([one for one, _ in weighed], memo))
    return found.without(hidden)


def _kept(one: Sighting, weight: float, told: Verdict, began_at: float) -> KeptLook:
    read = one.read
    return KeptLook(
        at_s=one.seen_at - began_at,
        text=read.text,
        confidence=read.confidence,
        characters=tuple(character.confidence for character in read.characters),
        sharpness=one.sharpness,
        width_px=one.detection.box.width,
        score=one.detection.score,
        weight=weight,
        agrees=read.text in (told.text, told.raw_text),
    )


def _candidates(sightings: Sequence[Sighting], memo: Memo) -> tuple[Candidate, ...]:
    """The texts that were read, those of most looks first, as the pooling weighed them."""
    found = []
    for text, looks in sorted(Counter(one.read.text for one in sightings).items(), key=lambda item: (-item[1], item[0]))[:CANDIDATES]:
        known = [memo.get(one, {}).get(text) for one in sightings]
        log_ps = [max(log_p, LEAST_LOG_P) for log_p in known if log_p is not None]
        found.append(Candidate(text, looks, fmean(log_ps) if len(log_ps) == len(sightings) else None))
    return tuple(found)
