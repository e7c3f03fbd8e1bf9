"""What one layer's int8 alone does to the outputs, with all else in float: where the loss is born, as far as anybody will notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.layers.matching import Pair
from convert.layers.measure import Floats, Sums, decibels, fake_quantized
from convert.layers.surgery import with_noise, with_weights
from convert.layers.taps import Open, float_input
from edge.records import Luma


@dataclass(frozen=True, slots=True)
class Harm:
    """SQNR at the outputs, dB, the worst output's, None where nothing is lost. By a fold of layers (all steps of a recurrence together).

    `activations`: only their results are rounded and clipped to int8. `weights`: only their weights are int8's; None for those without any too.
    """

    fold: str
    members: int
    activations: float | None
    weights: float | None


def folds(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Pairs by fold, in order of their first."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.fold, []).append(pair)
    return found


def harms(
    floats: bytes, pairs: Sequence[Pair], weights: dict[int, tuple[Floats, Floats]], pictures: Sequence[Luma], progress: Any = iter
) -> tuple[list[Harm], float | None]:
    """Of every fold that computes something, and the SQNR at the outputs with all weights int8 and all activations float.

    The noise of a fold is that of the clean float network's results: what its first steps do to its later ones is not rounded again.
    """
    grouped = folds([pair for pair in pairs if not pair.moves])
    content, noises = with_noise(floats)
    noisy, clean = Open(content, "the float file", keep=False), Open(floats, "the float file")
    for one in noisy.entries[1:]:
        noisy.put(int(one["index"]), np.zeros(one["shape"], np.float32))
    results, outputs = [], []
    for luma in pictures:
        _outputs(clean, luma)
        outputs.append(_outputs(noisy, luma))
        results.append({pair.floats: clean.get(pair.floats) for pair in pairs})
    signal = _powers(outputs)
    found: list[Harm] = []
    for name, members in progress(list(grouped.items())):
        errors = np.zeros(len(signal))
        for luma, kept, expected in zip(pictures, results, outputs, strict=True):
            for pair in members:
                if pair.floats in noises:
                    noisy.put(noises[pair.floats], fake_quantized(kept[pair.floats], pair.scale, pair.zero_point) - kept[pair.floats])
            errors += _errors(_outputs(noisy, luma), expected)
        for pair in members:
            if pair.floats in noises:
                noisy.put(noises[pair.floats], np.zeros(pair.shape, np.float32))
        found.append(Harm(name, len(members), _worst(signal, errors), _of_weights(floats, members, weights, pictures, outputs)))
    return found, _of_weights(floats, pairs, weights, pictures, outputs)


def _of_weights(
    floats: bytes, members: Sequence[Pair], weights: dict[int, tuple[Floats, Floats]], pictures: Sequence[Luma], outputs: list[list[Floats]]
) -> float | None:
    changed = {pair.weights[0]: weights[pair.int8][1] for pair in members if pair.weights is not None}
    if not changed:
        return None
    net = Open(with_weights(floats, changed), "the float file", keep=False)
    errors = np.zeros(len(outputs[0]))
    for luma, expected in zip(pictures, outputs, strict=True):
        errors += _errors(_outputs(net, luma), expected)
    return _worst(_powers(outputs), errors)


def _outputs(net: Open, luma: Luma) -> list[Floats]:
    net.put(net.entry["index"], float_input(luma))
    net.run()
    return [net.get(index) for index in net.exits]


def _errors(values: list[Floats], expected: list[Floats]) -> Sums:
    return np.array([np.square(one - other, dtype=np.float64).sum() for one, other in zip(values, expected, strict=True)])


def _powers(outputs: list[list[Floats]]) -> Sums:
    return np.array([sum(float(np.square(values, dtype=np.float64).sum()) for values in one) for one in zip(*outputs, strict=True)])


def _worst(signal: Sums, errors: Sums) -> float | None:
    said = [one for one in map(decibels, signal.tolist(), errors.tolist()) if one is not None]
    return min(said, default=None)


def worst_first(found: Sequence[Harm]) -> list[Harm]:
    """The most harmful first."""
    return sorted(found, key=lambda one: min((said for said in (one.activations, one.weights) if said is not None), default=999.0))
