"""The layers as pictures: PNG files by name, white ground."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from convert.layers.harm import worst_first
from convert.layers.measure import BARS, BIN, FIRST, HIGH, LOW, Tally
from convert.layers.run import Report

BLUE, ORANGE, GREY, RED = "#1f6fb4", "#c4570c", "#8a8f98", "#b3261e"
NAMED = 40
"""Up to so many layers the axis names each."""
MOST_DB = 60.0
"""Errors this small are drawn on the upper edge."""
HISTOGRAMS, WORST = 6, 16


def draw_plots(found: Report) -> dict[str, bytes]:
    """Name -> PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    style = {"font.size": 9, "axes.grid": True, "grid.color": "#e4e6ea", "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False}
    drawn: dict[str, bytes] = {}
    with plt.rc_context(style):
        for name, draw in _PLOTS.items():
            figure = draw(found, plt)
            file = BytesIO()
            figure.savefig(file, format="png", dpi=130)
            plt.close(figure)
            drawn[name] = file.getvalue()
    return drawn


def _sqnr(found: Report, plt: Any) -> Any:
    """Whole, alone and rounding by layer."""
    figure, axes = plt.subplots(figsize=(11, 4.6), layout="constrained")
    shown = [layer for layer in found.layers if not layer.moves]
    many = len(shown) > NAMED
    places = list(range(len(shown)))
    line: dict[str, Any] = {"linestyle": "none", "markersize": 2.5, "alpha": 0.7} if many else {"linewidth": 1.2, "markersize": 4}
    series: tuple[tuple[str, str, Callable[[Any], float | None]], ...] = (
        ("rounding: its result rounded and clipped, nothing else", GREY, lambda layer: layer.rounding),
        ("alone: its int8 kernel on the float network's inputs", ORANGE, lambda layer: layer.alone),
        ("whole: everything lost up to here", BLUE, lambda layer: layer.whole),
    )
    for label, colour, value in series:
        axes.plot(places, [_upto(value(layer)) for layer in shown], marker="o", color=colour, label=label, **line)
    if many:
        axes.set_xlabel("layer, in order; those that move numbers and compute none are left out")
    else:
        axes.set_xticks(places, [layer.name for layer in shown], rotation=55, ha="right", rotation_mode="anchor")
    for layer, place in zip(shown, places, strict=True):
        if layer.output:
            axes.axvline(place, color=BLUE, linewidth=0.8, linestyle=":")
    axes.set(ylabel="signal to quantization noise, dB", title="Error by layer: higher is better (dotted: outputs)")
    figure.legend(loc="outside lower center", ncols=3, markerscale=2 if many else 1, frameon=False)
    return figure


def _upto(value: float | None) -> float:
    return MOST_DB if value is None else min(MOST_DB, value)


def _harm(found: Report, plt: Any) -> Any:
    """What each layer's int8 alone does to the worst output, as a share of the output's rms."""
    worst = worst_first(found.harms)[:WORST][::-1]
    figure, axes = plt.subplots(figsize=(8.2, 0.8 + 0.3 * max(4, len(worst))), layout="constrained")
    places = np.arange(len(worst))
    for label, colour, shift, values in (
        ("its results in int8", BLUE, 0.2, [_percent(one.activations) for one in worst]),
        ("its weights in int8", ORANGE, -0.2, [_percent(one.weights) for one in worst]),
    ):
        axes.barh(places + shift, values, height=0.38, color=colour, label=label)
    axes.set_yticks(places, [f"{one.fold}{f' ({one.members} times)' if one.members > 1 else ''}" for one in worst])
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="error at the worst output, % of its rms, when this layer alone is int8", title="Where the loss is born")
    axes.legend(loc="lower right")
    return figure


def _percent(value: float | None) -> float:
    return 0.0 if value is None else float(100.0 * 10.0 ** (-value / 20.0))


def _histograms(found: Report, plt: Any) -> Any:
    """Where the float values of the layers that clip most, or use their range least well, lie in int8's range."""
    chosen = most_clipped(found)
    figure, axes = plt.subplots(2, 3, figsize=(11, 5), layout="constrained", sharey=True)
    edges = FIRST + BIN * np.arange(BARS)
    for one, place in zip(chosen, axes.flat, strict=False):
        share = one.histogram / max(1, one.values)
        inside = (edges >= LOW - 0.5) & (edges < HIGH + 0.5)
        place.axvspan(LOW - 0.5, HIGH + 0.5, color="#eef3f8", zorder=0)
        place.bar(edges[inside], share[inside], width=BIN, align="edge", color=BLUE)
        place.bar(edges[~inside], share[~inside], width=BIN, align="edge", color=RED)
        place.axvline(one.pair.zero_point, color=GREY, linewidth=0.8, linestyle=":")
        place.set(yscale="log", ylim=(1e-7, 1), xlim=(-200, 200))
        place.set_title(f"{one.pair.name}: {100 * one.clipped / max(1, one.values):.4f} % clipped", fontsize=9)
    for place in axes.flat[len(chosen) :]:
        place.set_axis_off()
    figure.supylabel("share of the float values")
    figure.supxlabel("float value in int8 steps; shaded: what int8 can say; red: beyond; dotted: zero")
    return figure


def most_clipped(found: Report) -> list[Tally]:
    """One of a fold, those first whose clipping costs most of their signal, then those whose rounding does."""
    best: dict[str, Tally] = {}
    costs = {layer.operation: (999.0 if layer.clipping is None else layer.clipping, _upto(layer.rounding)) for layer in found.layers}
    for one in sorted((one for one in found.tallies if not one.pair.moves), key=lambda one: costs[one.pair.operation]):
        best.setdefault(one.pair.fold, one)
    return list(best.values())[:HISTOGRAMS]


_PLOTS: dict[str, Callable[[Report, Any], Any]] = {"sqnr": _sqnr, "harm": _harm, "histograms": _histograms}
