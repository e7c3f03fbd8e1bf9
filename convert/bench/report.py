"""The page of a result, and that of a comparison: one HTML file each, its plots inside, and beside it as PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convert.bench import html, tables
from convert.bench.compare import Comparison, ratio_rows, side_rows
from convert.bench.plots import dots, draw, result_plots
from edge.bench.result import Result
from edge.errors import ConfigError

DRAWN_ALONE = "The variants were calibrated on drawn pictures alone: what they are worth in accuracy is another question, and python -m convert all answers it."
HOW = (
    "Everything took turns in rounds of a random order, so that noise, heat and neighbours hit all alike. Whole frame: resize, detect, look closer, cut out, "
    "read, decode, track and vote, as the daemon does it; the networks alone: quantization of the input, the run, a copy of the output."
)


def write_report(result: Result, folder: Path) -> Path:
    """`folder/report.html`. Raises ConfigError when it cannot be written."""
    plots = result_plots(result)
    about = " ".join(f"{model.name}{f' ({model.side})' if model.side else ''}" for model in {(m.name, m.side): m for m in result.models}.values())
    frames, networks, loading = tables.frame_rows(result), tables.network_rows(result), tables.loading_rows(result)
    speedups, power = tables.speedup_rows(result.speedups), tables.power_rows(result)
    pick = {name: png for name, png in plots.items() if name in ("frames", "speedups")}
    parts = [
        html.note(f"{result.machine.model}, {result.made[:16].replace('T', ' ')} UTC, {result.seconds:.0f} s. {about}"),
        *(html.warning(words) for words in result.warnings),
        html.tiles(tables.headlines(result)),
        html.note(result.advice) if result.advice else "",
        html.heading("Whole frames"),
        html.note(HOW),
        html.plots(pick, wide=tuple(pick)),
        html.table(*frames, "Median / 95th percentile (number of runs), ms"),
        html.heading("Each network alone"),
        html.plots({name: plots[name] for name in ("networks",) if name in plots}, wide=("networks",)),
        html.table(*networks, "ms"),
        html.heading("Threads") if "threads" in plots else "",
        html.note("Where the work grows and the waiting does not shrink, more threads burn the processor for nothing.") if "threads" in plots else "",
        html.plots({name: plots[name] for name in ("threads",) if name in plots}, wide=("threads",)),
        html.heading("Loading and memory"),
        html.note("Each in a process of its own. What the models hold is the growth of resident memory; the peak has the runtime's libraries in it."),
        html.plots({name: plots[name] for name in ("memory",) if name in plots}, wide=("memory",)),
        html.table(*loading),
        html.heading("Energy"),
        html.table(*power, result.power[0].source if result.power else "") or html.note(f"Not measured: {result.no_power}."),
        html.heading("How many times faster") if speedups[1] else "",
        html.table(*speedups, "Ratio of medians, 95 % bootstrap interval over the rounds"),
        html.heading("Not measured") if tables.reasons(result) else "",
        html.table(["setting", "why"], tables.reasons(result)),
        html.heading("Machine"),
        html.table(["", ""], tables.machine_rows(result)),
        html.heading("What was measured"),
        html.note(DRAWN_ALONE) if any(model.variant != "int8" for model in result.models) else "",
        html.table(
            ["model", "variant", "KiB", "sha256"],
            [[f"{m.side} {m.name} ({m.kind})".strip(), m.variant, f"{m.size / 1024:.0f}", m.sha256[:16]] for m in result.models],
        ),
        html.table(["scene", "sha256"], [[scene.name, scene.sha256[:16]] for scene in result.scenes]),
    ]
    return _write(folder, "report.html", html.page("Platewatch: how fast the models are", parts), plots)


def write_comparison(found: Comparison, folder: Path) -> Path:
    """`folder/comparison.html`. Raises ConfigError when it cannot be written."""
    first, *others = found.names
    plots = draw(
        {
            "comparison": lambda plt: dots(plt, found.series(), "Medians", "ms, median and quartiles", log=True),
            "ratios": lambda plt: dots(plt, found.ratio_series(), f"Times as long as {first}", "times", log=True, line=1.0),
        }
    )
    parts = [
        html.note(f"{first} against {', '.join(others)}: what all of them measured."),
        *(html.warning(words) for words in found.warnings),
        html.plots(plots, wide=tuple(plots)),
        html.heading(f"Times as long as {first}"),
        html.table(*ratio_rows(found)),
        html.heading("Machines"),
        html.table(["", *found.names], side_rows(found)),
    ]
    return _write(folder, "comparison.html", html.page("Platewatch: results side by side", parts), plots)


def _write(folder: Path, name: str, text: str, plots: Mapping[str, bytes]) -> Path:
    path = folder / name
    try:
        for plot, png in plots.items():
            (folder / f"{plot}.png").write_bytes(png)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be written ({error.strerror}); name another folder with --out") from None
    return path
