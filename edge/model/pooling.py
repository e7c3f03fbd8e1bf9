"""Several looks at one plate, each cut out a little differently, as one read: the text that all looks together find the most probable.

A look that cut the first letter off is sure of its wrong text; the surest look is therefore not always the best one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge.model.confidence import with_confidence
from edge.plates.ctc import UNSEEN, log_likelihoods, steps_of
from edge.records import PlateRead


def pool(reads: Sequence[PlateRead]) -> PlateRead:
    """One read out of several at the same plate; the texts that were read are the candidates.

    Its confidence is the mean, over the looks, of the text's probability under each look's logits (CTC forward algorithm). Reads without
    logits (a layout without rows) cannot be weighed against each other: the surest is taken.
    """
    seen = [read for read in reads if read.logits is not None]
    texts = sorted({read.text for read in seen if read.text})
    if len(seen) < len(reads) or not texts:
        return max(reads, key=lambda read: read.confidence)
    log_p = np.array([log_likelihoods(texts, steps_of(read.logits)) for read in seen if read.logits is not None])
    best = int(np.maximum(log_p, UNSEEN).sum(axis=0).argmax())
    clearest = max((read for read in seen if read.text == texts[best]), key=lambda read: read.confidence)
    return with_confidence(clearest, float(np.mean([math.exp(value) for value in log_p[:, best]])))
