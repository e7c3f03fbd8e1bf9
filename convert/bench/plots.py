"""A result as pictures: PNG by name, white ground."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

from convert.bench.tables import label, settings_of, speedups_in_order
from edge.bench.result import Result, Setting, Speedup

COLOURS = ("#1f6fb4", "#c4570c", "#2a8f5c", "#8a4fb0", "#b08a12", "#5d6672", "#c23a6b", "#37a0b8")
Point = tuple[float, float, float]
"""Middle, and the ends of its whisker."""
Series = Mapping[str, Mapping[str, Point]]
"""Name of the series -> row -> point."""


def draw(plots: Mapping[str, Callable[[Any], Any]]) -> dict[str, bytes]:
    """Each plot that there is something to draw for."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    style = {"font.size": 9, "axes.grid": True, "grid.color": "#e4e6ea", "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False}
    drawn = {}
    with plt.rc_context(style):
        for name, make in plots.items():
            figure = make(plt)
            if figure is not None:
                file = BytesIO()
                figure.savefig(file, format="png", dpi=130)
                plt.close(figure)
                drawn[name] = file.getvalue()
    return drawn


def result_plots(result: Result) -> dict[str, bytes]:
    """Of one result."""
    return draw(
        {
            "frames": lambda plt: dots(plt, frame_series(result), "Whole frames as the daemon does them", "ms, median and quartiles", log=True),
            "networks": lambda plt: dots(plt, network_series(result), "Each network alone", "ms, median and quartiles", log=True),
            "speedups": lambda plt: dots(plt, speedup_series(result.speedups), "How many times faster, 95 % intervals", "times", log=True, line=1.0),
            "memory": lambda plt: dots(plt, memory_series(result), "What both models hold in memory", "MiB", log=False),
            "threads": lambda plt: dots(plt, fan_out(result), "Waiting and working: whole frame, fullest scene", "ms", log=True),
        }
    )


def frame_series(result: Result) -> Series:
    """By scene."""
    series: dict[str, dict[str, Point]] = {}
    for setting in settings_of(result.cells):
        for cell in result.cells:
            if cell.setting == setting and cell.what == "whole frame" and cell.ms:
                series.setdefault(str(cell.scene), {})[label(setting)] = (cell.ms.median, cell.ms.q1, cell.ms.q3)
    return series


def network_series(result: Result) -> Series:
    """Detector and reader."""
    series: dict[str, dict[str, Point]] = {"detector": {}, "reader": {}}
    names = {"detect": "detector", "read": "reader"}
    for setting in settings_of(result.cells):
        for cell in result.cells:
            if cell.setting == setting and cell.what in names and cell.ms:
                series[names[cell.what]][label(setting)] = (cell.ms.median, cell.ms.q1, cell.ms.q3)
    return series


def speedup_series(found: Sequence[Speedup]) -> Series:
    """By what was measured; a row is a setting."""
    series: dict[str, dict[str, Point]] = {}
    for one in speedups_in_order(found):
        name = {"detect": "detector", "read": "reader"}.get(one.what, str(one.scene))
        series.setdefault(name, {})[label(one.setting)] = (one.ratio.value, one.ratio.low, one.ratio.high)
    return series


def memory_series(result: Result) -> Series:
    """Resident growth."""
    found = {one.setting: one.growth_mb for one in result.loading if one.growth_mb is not None}
    order = [setting for setting in settings_of(result.cells) if setting in found]
    return {"resident growth": {label(setting): (found[setting],) * 3 for setting in order}}


def fan_out(result: Result) -> Series:
    """Time on the wall beside time of all processors; only where more than one count of threads was measured."""
    if len({cell.setting.threads for cell in result.cells if cell.ms}) < 2:
        return {}
    last = result.scenes[-1].name
    series: dict[str, dict[str, Point]] = {"waiting": {}, "working, all threads": {}}
    order: list[Setting] = sorted(settings_of(result.cells), key=lambda one: (one.runtime, one.variant, one.threads))
    for setting in order:
        for cell in result.cells:
            if cell.setting == setting and (cell.what, cell.scene) == ("whole frame", last) and cell.ms and cell.ms.cpu is not None:
                series["waiting"][label(setting)] = (cell.ms.median,) * 3
                series["working, all threads"][label(setting)] = (cell.ms.cpu,) * 3
    return series


def dots(plt: Any, series: Series, title: str, unit: str, log: bool, line: float | None = None) -> Any:
    """A row a name, a coloured dot with its whisker a series (bars from nothing where the axis is no logarithm); None where there is nothing."""
    rows = list(dict.fromkeys(row for points in series.values() for row in points))
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(8.6, max(1.5 + 0.3 * len(rows), 1.2 + 0.19 * len(series))), layout="constrained")
    shift = 0.5 / max(1, len(series))
    for place, (name, points) in enumerate(series.items()):
        across = [rows.index(row) + shift * (place - (len(series) - 1) / 2) for row in points]
        values = [point[0] for point in points.values()]
        reach = [[max(0.0, middle - low) for middle, low, _ in points.values()], [max(0.0, high - middle) for middle, _, high in points.values()]]
        colour = COLOURS[place % len(COLOURS)]
        if log:
            axes.errorbar(values, across, xerr=reach, fmt="o", color=colour, markersize=4.5, linewidth=1, capsize=2, label=name)
        else:
            axes.barh(across, values, 0.5, color=colour, label=name)
    if line is not None:
        axes.axvline(line, color="#8a8f98", linestyle=":")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set(title=title, xlabel=unit)
    axes.grid(axis="y", visible=False)
    for place in range(1, len(rows), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#f4f5f7", zorder=0)
    if log:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high > 10 * low else (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(left=0)
    if len(series) > 1:
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure
