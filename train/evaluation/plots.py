"""The evaluation as pictures: PNG files by name."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from edge.vision.alphabet import ALPHABET
from train.evaluation.confusion import matrix
from train.evaluation.curves import auc, expected_calibration_error, precision_recall, reliability, roc, steps
from train.evaluation.evaluation import Evaluation
from train.evaluation.outcomes import Claims
from train.evaluation.slices import TRAITS, label

BLUE, ORANGE, GREY = "#1f6fb4", "#c4570c", "#8a8f98"


def draw_plots(found: Evaluation) -> dict[str, bytes]:
    """Name -> PNG, those that there is something to draw for. White ground."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    drawn: dict[str, bytes] = {}
    with plt.rc_context(
        {"font.size": 9, "axes.grid": True, "grid.color": "#e4e6ea", "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False}
    ):
        for name, draw in _PLOTS.items():
            figure = draw(found, plt)
            if figure is not None:
                file = BytesIO()
                figure.savefig(file, format="png", dpi=130)
                plt.close(figure)
                drawn[name] = file.getvalue()
    return drawn


def _mixed(said: Claims) -> bool:
    return bool(said.right.any() and not said.right.all())


def _roc(found: Evaluation, plt: Any) -> Any:
    if not _mixed(found.plates):
        return None
    figure, axes = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
    for name, said, colour in (("plates", found.plates, BLUE), ("characters", found.characters, ORANGE)):
        if _mixed(said):
            axes.plot(*roc(said.confidence, said.right), color=colour, label=f"{name}: AUC {auc(said.confidence, said.right):.3f}")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    axes.set(xlabel="wrong reads accepted", ylabel="right reads accepted", xlim=(0, 1), ylim=(0, 1.005), title="ROC: accepting by confidence")
    axes.legend(loc="lower right")
    return figure


def _precision_recall(found: Evaluation, plt: Any) -> Any:
    said = found.plates
    if not len(said.right) or not said.plates.sum():
        return None
    figure, axes = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
    precision, recall = precision_recall(said.confidence, said.right, said.plates.sum())
    axes.plot(recall, precision, color=BLUE)
    axes.set(xlabel="recall: read right and accepted, of all plates", ylabel="precision: right among accepted", title="Precision and recall by confidence")
    axes.set(xlim=(0, 1), ylim=(max(0.0, float(precision.min()) - 0.02), 1.005))
    return figure


def _coverage(found: Evaluation, plt: Any) -> Any:
    said = found.plates
    if not _mixed(said) or not said.plates.sum():
        return None
    figure, axes = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
    at = steps(said.confidence, said.right)
    wrong = at.wrong / (at.right + at.wrong)
    axes.plot(100 * at.right / said.plates.sum(), 100 * wrong, color=BLUE)
    for one in found.coverages:
        if one.share:
            axes.plot(100 * one.share, 100 * one.wrong, "o", color=ORANGE)
            axes.annotate(f"{100 * one.wrong:g} %", (100 * one.share, 100 * one.wrong), textcoords="offset points", xytext=(6, -3), color=ORANGE)
    axes.set(xlabel="coverage: read right and accepted, % of all plates", ylabel="wrong among the accepted, %", title="Coverage and risk", xlim=(0, 100))
    axes.set_ylim(0, min(100.0, 1.05 * max(3.0, float(100 * wrong[-1]))))
    return figure


def _reliability(found: Evaluation, plt: Any) -> Any:
    if not len(found.plates.right):
        return None
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 4.2), layout="constrained")
    for (name, said), place in zip((("plates", found.plates), ("characters", found.characters)), axes, strict=True):
        bins = reliability(said.confidence, said.right, equal_width=True)
        error = expected_calibration_error(said.confidence, said.right)
        place.plot([0, 1], [0, 1], color=GREY, linestyle=":")
        if len(bins.weight):
            edge = 1.96 * np.sqrt(np.maximum(bins.right * (1 - bins.right), 0.25 / bins.weight) / bins.weight)
            low, high = np.minimum(edge, bins.right), np.minimum(edge, 1 - bins.right)
            place.errorbar(bins.confidence, bins.right, yerr=[low, high], color=BLUE, marker="o", markersize=4, linewidth=1, capsize=2)
            place.set_title(f"{name}: ECE {100 * error:.1f} % of {len(said.right)} reads")
        place.set(xlabel="confidence", ylabel="right", xlim=(0, 1.01), ylim=(0, 1.02))
    return figure


def _confidences(found: Evaluation, plt: Any) -> Any:
    said = found.plates
    if not len(said.right):
        return None
    figure, axes = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
    axes.hist([said.confidence[said.right], said.confidence[~said.right]], bins=20, range=(0, 1), stacked=True, color=[BLUE, ORANGE], label=["right", "wrong"])
    axes.set(xlabel="confidence", ylabel="reads", yscale="symlog", title="How sure the reads are")
    axes.legend()
    return figure


def _confusion(found: Evaluation, plt: Any) -> Any:
    table = matrix(found.confusions)
    if not table.sum():
        return None
    wrong = table.astype(float)
    np.fill_diagonal(wrong, 0.0)
    names = [*ALPHABET, "none"]
    figure, axes = plt.subplots(figsize=(8.6, 8.8), layout="constrained")
    axes.grid(False)
    axes.set_xticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.grid(which="minor", color="#eceef1")
    axes.tick_params(which="minor", length=0)
    axes.imshow(np.ma.masked_equal(wrong, 0), cmap="YlOrRd", vmin=0)
    for row, column in np.argwhere(wrong > 0):
        number = int(wrong[row, column])
        axes.text(column, row, str(number), ha="center", va="center", fontsize=6, color="white" if number > 0.6 * wrong.max() else "black")
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.tick_params(axis="x", labelrotation=0)
    right, total = int(np.trace(table)), int(table.sum())
    axes.set(xlabel="read", ylabel="there", title=f"Characters taken for others ({right} of {total} right; the diagonal is left out)")
    return figure


def _slices(found: Evaluation, plt: Any) -> Any:
    if not found.slices:
        return None
    units = {trait.name: trait.unit for trait in TRAITS}
    figure, places = plt.subplots(2, 2, figsize=(8.6, 6.2), layout="constrained")
    for axes, name in zip(places.flat, units, strict=True):
        bins = [one for one in found.slices.get(name, []) if one.texts or one.plates]
        if not bins:
            axes.set_axis_off()
            continue
        across = np.arange(len(bins))
        exact = np.array([one.right / one.texts if one.texts else np.nan for one in bins])
        low, high = np.array([one.interval for one in bins]).T
        axes.bar(across, exact, 0.55, color=BLUE, label="read exactly")
        reach = [np.nan_to_num(np.maximum(exact - low, 0)), np.nan_to_num(np.maximum(high - exact, 0))]
        axes.errorbar(across, np.nan_to_num(exact), yerr=reach, fmt="none", ecolor="#30343b", capsize=3, linewidth=1)
        recall = [one.found / one.plates if one.plates else np.nan for one in bins]
        axes.plot(across, recall, "D", color=ORANGE, markersize=5, label="found (scenes)")
        axes.set_xticks(across, [f"{label(one)}\nn={one.texts}" for one in bins], fontsize=7)
        axes.set(ylim=(0, 1.02), title=f"{name}, {units[name]}" if units[name] else f"{name} (quarters)")
    places.flat[0].legend(loc="lower right", fontsize=7)
    return figure


_PLOTS: dict[str, Callable[[Evaluation, Any], Any]] = {
    "reliability": _reliability,
    "coverage": _coverage,
    "roc": _roc,
    "precision-recall": _precision_recall,
    "confidences": _confidences,
    "slices": _slices,
    "confusion": _confusion,
}
