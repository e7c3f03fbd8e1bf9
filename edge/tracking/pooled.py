"""The vote's candidates weighed once more, by how probable each is under the evidence of all looks (CTC forward algorithm, Graves et al. 2006).

Characters that were put to the vote one by one forget what a look knew as a whole. Measured: docs/deciding.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from edge.model.confidence import with_confidence
from edge.plates.ctc import log_likelihoods, steps_of
from edge.records import PlateRead, Sighting
from edge.tracking.voting import Vote

LEAST_LOG_P = -6.0
"""The least log-probability that one look gives a text: it may be wrong altogether, and has no veto."""
CANDIDATES = 8
TOGETHER = 1.3
"""Many looks are surer than each of them alone: so much is added to the log-odds of many, half of it to those of two. Fitted: 1.1 on drawn drives, 2 on
drives made of photographs."""
Memo = dict[Sighting, dict[str, float]]
"""Look -> text -> log-probability: each is worked out once."""


def pool(weighed: Sequence[tuple[Sighting, float]], voted: Vote, memo: Memo) -> Vote:
    """The vote with the most probable of the texts that were read, and an honest confidence; as it is where a look came without logits.

    A text that fewer looks read than the vote's own is no candidate: what the vote took from several is not taken back for one that is surer.
    """
    for gone in memo.keys() - {one for one, _ in weighed}:
        del memo[gone]
    reads = [one.read for one, _ in weighed]
    if not voted.text or any(read.logits is None for read in reads):
        return voted
    behind = Counter(read.text for read in reads)
    texts = [text for text, count in sorted(behind.items(), key=lambda item: (-item[1], item[0])) if count >= behind[voted.text] and text != voted.text]
    texts = [voted.text, *texts[: CANDIDATES - 1]]
    rows = [(weight, _log_p(one, texts, memo)) for one, weight in weighed]
    scores = [sum(weight * max(row[place], LEAST_LOG_P) for weight, row in rows) for place in range(len(texts))]
    best = max(range(len(texts)), key=lambda place: (scores[place], -place))
    text = texts[best]
    mean_p = sum(weight * math.exp(row[best]) for weight, row in rows) / sum(weight for weight, _ in rows)
    characters = voted.characters if best == 0 else max((read for read in reads if read.text == text), key=lambda read: read.confidence).characters
    plain = PlateRead(text, math.prod(one.confidence for one in characters), characters)
    spread = with_confidence(plain, together(mean_p, len(weighed)))
    return Vote(text, spread.confidence, spread.characters, voted.looks, behind[text])


def together(mean_p: float, looks: int) -> float:
    """Confidence in a text that so many looks give `mean_p` on average; of a single look its own."""
    p = min(max(mean_p, 1e-6), 1.0 - 1e-6)
    odds = math.log(p / (1.0 - p)) + TOGETHER * (1.0 - 1.0 / max(1, looks))
    return 1.0 / (1.0 + math.exp(-odds))


def _log_p(one: Sighting, texts: Sequence[str], memo: Memo) -> list[float]:
    known, logits = memo.setdefault(one, {}), one.read.logits
    missing = [text for text in texts if text not in known]
    if missing and logits is not None:
        known.update(zip(missing, log_likelihoods(missing, steps_of(logits)), strict=True))
    return [known[text] for text in texts]
