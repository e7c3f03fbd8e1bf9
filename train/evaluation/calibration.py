"""Making the confidence honest: the temperature on the logits and the map of the plate's confidence that make what was right most probable.

Chosen by cross-validation, all pictures of one text in one fold: the map, or even the temperature, is taken only where it helps on plates that it was not
fitted on. Guo et al. 2017, On calibration of modern neural networks; Platt 1999.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.model.confidence import LIMIT, Calibration
from edge.records import PlateRead
from train.evaluation.curves import each_log_loss, expected_calibration_error, negative_log_likelihood
from train.evaluation.outcomes import Outcome

Floats = npt.NDArray[np.float64]
TEMPERATURES = tuple(round(float(t), 3) for t in np.geomspace(0.6, 2.0, 13))
CEILINGS = (1.0, 0.998, 0.995, 0.99, 0.985, 0.98, 0.97, 0.96)
FOLDS = 10
LEAST = 200
"""Fewer judged reads, or fewer than LEAST_WRONG wrong ones among them, say too little."""
LEAST_WRONG = 20
Decode = Callable[[npt.NDArray[np.float32]], PlateRead]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the manifest carries. The default changes nothing."""

    temperature: float = 1.0
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """`chosen` of the candidates by cross-validation; `rows` has for each candidate its figures on plates that it was not fitted on."""

    reads: int
    wrong: int
    chosen: Setting
    name: str
    rows: dict[str, dict[str, float]]

    def as_json(self) -> dict[str, Any]:
        """For the manifest and the report."""
        before, after = self.rows["as it is"], self.rows[self.name]
        return {
            "reads": self.reads,
            "wrong": self.wrong,
            "chosen": self.name,
            "temperature": self.chosen.temperature,
            "calibration": self.chosen.calibration and [round(value, 4) for value in self.chosen.calibration],
            "ece_before": round(before["ece"], 4),
            "ece_after": round(after["ece"], 4),
            "candidates": {name: {key: round(value, 4) for key, value in row.items()} for name, row in self.rows.items()},
        }


CANDIDATES = {"as it is": (False, False), "map": (False, True), "temperature": (True, False), "temperature and map": (True, True)}
"""Name -> (is there a temperature, is there a map), the preferred first: a map leaves the logits alone, in whose nats the country rules count."""
ALIKE = 0.005


@dataclass(frozen=True, slots=True)
class _Table:
    """Confidence of each read at each temperature, whether it was right, its fold and its source."""

    confidence: dict[float, Floats]
    right: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.intp]
    source: npt.NDArray[np.intp]


def study(ones: Sequence[Outcome], decode: Decode) -> Study | None:
    """Of reads as the network gives them: no temperature, no map. None where too few can be judged, or too few are wrong, to say anything."""
    said = [one for one in ones if one.claims]
    right = np.array([one.right for one in said], bool)
    if len(said) < LEAST or (~right).sum() < LEAST_WRONG:
        return None
    as_read = np.array([one.read.confidence for one in said])
    logits = [one.read.logits for one in said if one.read.logits is not None]
    decoded = np.array([decode(values).confidence for values in logits])
    # A read that several looks agreed on has the confidence of all of them: one look's logits, or none, cannot tell what another temperature
    # would have made of it.
    pooled = len(logits) < len(said) or bool(np.abs(decoded - as_read).max() > 1e-4)
    temperatures = {1.0: as_read}
    if not pooled:
        temperatures |= {t: np.array([decode(values / np.float32(t)).confidence for values in logits]) for t in TEMPERATURES}
    keys = [zlib.crc32((one.truth or str(one.path)).encode()) % FOLDS for one in said]
    names = sorted({one.source for one in said})
    table = _Table(temperatures, right, np.array(keys), np.array([names.index(one.source) for one in said]))
    rows, losses, settings = {}, {}, {}
    for name, (heated, mapped) in CANDIDATES.items():
        if heated and pooled:
            continue
        settings[name] = _fit(table, np.ones(len(said), bool), heated, mapped)
        unseen = _unseen(table, table.fold, heated, mapped)
        losses[name] = each_log_loss(unseen, right)
        foreign = _unseen(table, table.source, heated, mapped) if len(names) > 1 else unseen
        rows[name] = {
            "nll": negative_log_likelihood(unseen, right),
            "ece": expected_calibration_error(unseen, right),
            "ece_other_sources": expected_calibration_error(foreign, right),
        }
    name = choose(losses, {name: row["ece"] for name, row in rows.items()})
    return Study(len(said), int((~right).sum()), settings[name], name, rows)


def choose(losses: dict[str, Floats], errors: dict[str, float]) -> str:
    """The least negative log-likelihood decides; between those that differ from it by less than two standard errors, the least calibration error;
    between those that differ from that by less than ALIKE, the first.

    `losses` read by read; both on plates that were not fitted on.
    """
    best = min(losses.values(), key=lambda loss: float(loss.mean()))
    level = [name for name, loss in losses.items() if (loss - best).mean() <= 2 * (loss - best).std() / np.sqrt(len(best))]
    least = min(errors[name] for name in level)
    return next(name for name in level if errors[name] <= least + ALIKE)


def _unseen(table: _Table, folds: npt.NDArray[np.intp], heated: bool, mapped: bool) -> Floats:
    """The confidence of each read after the fit on all other folds."""
    out = np.zeros(len(folds))
    for fold in np.unique(folds):
        setting = _fit(table, folds != fold, heated, mapped)
        out[folds == fold] = apply(table.confidence[setting.temperature][folds == fold], setting.calibration)
    return out


def _fit(table: _Table, chosen: npt.NDArray[np.bool_], heated: bool, mapped: bool) -> Setting:
    """The setting with the least negative log-likelihood on the chosen reads."""
    best, setting = np.inf, Setting()
    for temperature in TEMPERATURES if heated else (1.0,):
        p, right = table.confidence[temperature][chosen], table.right[chosen]
        calibration = fit_map(p, right) if mapped else None
        loss = negative_log_likelihood(apply(p, calibration), right)
        if loss < best:
            best, setting = loss, Setting(temperature, calibration)
    return setting


def fit_map(p: Floats, right: npt.NDArray[np.bool_]) -> Calibration:
    """Slope, offset and ceiling with the least negative log-likelihood."""
    fits = [_fit_below(p, right, ceiling) for ceiling in CEILINGS]
    return min(fits, key=lambda fitted: negative_log_likelihood(apply(p, fitted), right))


def _fit_below(p: Floats, right: npt.NDArray[np.bool_], ceiling: float, ridge: float = 0.1) -> Calibration:
    """Slope and offset under a ceiling, by Fisher scoring; the ridge pulls them to 1 and 0, where nothing is changed."""
    p = np.clip(p, LIMIT, 1 - LIMIT)
    x = np.stack([np.log(p / (1 - p)), np.ones(len(p))], axis=1)
    rest = np.array([1.0, 0.0])
    w = rest.copy()
    for _ in range(40):
        share = np.clip(0.5 * (1 + np.tanh(0.5 * (x @ w))), 1e-9, 1 - 1e-9)
        q, grows = np.clip(ceiling * share, 1e-9, 1 - 1e-9), ceiling * share * (1 - share)
        slope = x.T @ (grows * (q - right) / (q * (1 - q))) + ridge * (w - rest)
        curve = x.T @ (x * (grows**2 / (q * (1 - q)))[:, None]) + ridge * np.eye(2)
        step = np.linalg.solve(curve, slope)
        w = w - step * min(1.0, 1.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-6:
            break
    return max(float(w[0]), 0.05), float(w[1]), ceiling


def apply(p: Floats, calibration: Calibration | None) -> Floats:
    """`edge.model.confidence.plate_confidence`, for many."""
    if calibration is None:
        return p
    p = np.clip(p, LIMIT, 1 - LIMIT)
    slope, offset, ceiling = calibration
    return np.asarray(ceiling * 0.5 * (1 + np.tanh(0.5 * (slope * np.log(p / (1 - p)) + offset))))
