"""All that is said about models on labelled photographs, in one value: tables, plots, the page and the JSON are made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.evaluation import calibration
from train.evaluation.bootstrap import RESAMPLES, Interval
from train.evaluation.cases import Case
from train.evaluation.confusion import confusions, worst
from train.evaluation.curves import Coverage, auc, brier, coverage, expected_calibration_error, negative_log_likelihood
from train.evaluation.figures import Figures, across_sets, grouped
from train.evaluation.outcomes import Claims, Outcome, character_claims, claims, outcomes, ruled_claims, under_rules
from train.evaluation.slices import Slice, slices
from train.evaluation.weighted import intervals

WRONG = (0.001, 0.005, 0.01, 0.02)
"""Shares of wrong ones among the accepted for which the coverage is told."""

FINDING = {"images", "scenes", "plates", "precision", "recall", "found_f1", "recall75", "ap50", "ap75", "map", "empty", "false_per_empty", "ms"}
"""What a detector alone is asked."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`models` says what was evaluated, by kind. `study` is None where too few reads can be judged."""

    models: dict[str, dict[str, Any]]
    cases: list[Case]
    ones: list[Outcome]
    groups: dict[str, dict[str, Figures]]
    sets: dict[str, dict[str, float | int]]
    intervals: dict[str, Interval]
    plates: Claims
    characters: Claims
    ruled: Claims
    coverages: list[Coverage]
    slices: dict[str, list[Slice]]
    confusions: Counter[tuple[str, str]]
    study: calibration.Study | None

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`; the groups stand at the top: "source", "country" and "all"."""
        return {
            **self.groups,
            "sets": self.sets,
            "intervals_95": {name: one.as_json() for name, one in self.intervals.items()},
            "confidence": {
                "plates": confidence_figures(self.plates),
                "characters": confidence_figures(self.characters),
                "ruled": confidence_figures(self.ruled),
            },
            "coverage": [
                {"wrong": one.wrong, "share": _number(one.share), "threshold": _number(one.threshold)} for one in self.coverages if np.isfinite(one.share)
            ],
            "slices": {name: [one.as_json() for one in bins] for name, bins in self.slices.items()},
            "confusions": [list(row) for row in worst(self.confusions, 50)],
            "calibration": self.study.as_json() if self.study else None,
        }


def evaluate(
    cases: Sequence[Case], models: dict[str, dict[str, Any]], decode: calibration.Decode | None = None, resamples: int = RESAMPLES, reads: bool = True
) -> Evaluation:
    """`decode` turns logits into a read, for the question what another temperature would do; `reads` False: finding alone was asked."""
    ones = under_rules(outcomes(cases)) if reads else []
    plates, characters = claims(ones, len(cases)), character_claims(ones, len(cases))
    groups = grouped(cases, ones)
    spans = intervals(cases, ones, plates, resamples)
    if not reads:
        groups = {kind: {name: {key: row[key] for key in row if key in FINDING} for name, row in rows.items()} for kind, rows in groups.items()}
        spans = {key: one for key, one in spans.items() if key in FINDING}
    texts = [(one.truth, one.read.text, one.country) for one in ones if one.truth is not None and one.found]
    return Evaluation(
        models,
        list(cases),
        ones,
        groups,
        across_sets(groups["source"]),
        spans,
        plates,
        characters,
        ruled_claims(ones, len(cases)),
        [coverage(plates.confidence, plates.right, plates.plates.sum(), wrong) for wrong in WRONG],
        slices(ones),
        confusions(texts),
        calibration.study(ones, decode) if decode is not None else None,
    )


def confidence_figures(said: Claims) -> dict[str, float | int]:
    """How true the confidence is; absent what cannot be told."""
    rows = {
        "right": float(said.right.mean()) if len(said.right) else float("nan"),
        "mean": float(said.confidence.mean()) if len(said.right) else float("nan"),
        "ece": expected_calibration_error(said.confidence, said.right),
        "brier": brier(said.confidence, said.right),
        "nll": negative_log_likelihood(said.confidence, said.right),
        "auc": auc(said.confidence, said.right),
    }
    return {"claims": len(said.right), **{key: value for key, value in rows.items() if np.isfinite(value)}}


def _number(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None
