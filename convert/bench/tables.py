"""A result as rows of words, for the console and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from edge.bench.figures import Timing, geometric_mean
from edge.bench.result import Cell, Result, Setting, Speedup

if TYPE_CHECKING:
    from rich.console import Console

Rows = list[list[str]]
NETWORKS = {"detect": "detector", "read": "reader"}
WANTED = 2.5
"""So many times faster than float32 int8 is to be: whole frames, x86, one thread."""
ROOM_MB = 80e6 / (1 << 20)
"""MiB that a process which reads plates is to stay below."""


def label(setting: Setting) -> str:
    """In few words."""
    name = f"{setting.side}: {setting.variant}" if setting.side else setting.variant
    return f"{name}, {setting.runtime}, {setting.threads} thread{'' if setting.threads == 1 else 's'}"


def settings_of(cells: Iterable[Cell]) -> list[Setting]:
    """Each once, by runtime, then threads, then in the order in which they were measured."""
    return in_order(dict.fromkeys(cell.setting for cell in cells))


def in_order(settings: Iterable[Setting]) -> list[Setting]:
    """By runtime, then threads."""
    found = list(settings)
    runtimes = list(dict.fromkeys(setting.runtime for setting in found))
    return sorted(found, key=lambda one: (runtimes.index(one.runtime), one.threads))


def speedups_in_order(found: Sequence[Speedup]) -> list[Speedup]:
    """As the settings."""
    order = in_order(dict.fromkeys(one.setting for one in found))
    return sorted(found, key=lambda one: order.index(one.setting))


def ms(value: float) -> str:
    """Three figures that matter."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(timing: Timing | None) -> str:
    """Median, 95th percentile and number of runs."""
    return "-" if timing is None else f"{ms(timing.median)} / {ms(timing.p95)} ({timing.runs})"


def frame_rows(result: Result) -> tuple[list[str], Rows]:
    """Whole frames: settings by scenes."""
    cells = {(cell.setting, cell.scene): cell for cell in result.cells if cell.what == "whole frame"}
    names = list(dict.fromkeys(scene for _, scene in cells))
    heads = ["setting", *(str(name) for name in names)]
    measured = settings_of(cell for cell in cells.values() if cell.ms)
    return heads, [[label(setting), *(spread(cells[setting, name].ms) for name in names)] for setting in measured]


def network_rows(result: Result) -> tuple[list[str], Rows]:
    """Each network alone, with everything that is known of its spread."""
    rows = []
    for setting in settings_of(result.cells):
        for what, name in NETWORKS.items():
            for cell in result.cells:
                if cell.setting == setting and cell.what == what and cell.ms:
                    one = cell.ms
                    figures = (one.median, one.q1, one.q3, one.p95, one.minimum)
                    rows.append([f"{name}: {label(setting)}", *(ms(value) for value in figures), "-" if one.cpu is None else ms(one.cpu), str(one.runs)])
    return ["network", "median", "lower quarter", "upper quarter", "95 %", "least", "processor ms", "runs"], rows


def loading_rows(result: Result) -> tuple[list[str], Rows]:
    """Loading and memory."""

    def word(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    rows = [[label(one.setting), word(one.load_ms), word(one.run_ms), word(one.growth_mb), word(one.peak_mb)] for one in result.loading if one.why is None]
    return ["setting", "load both and run once, ms", "next run, ms", "models hold, MiB", "process at most, MiB"], rows


def speedup_rows(found: Sequence[Speedup]) -> tuple[list[str], Rows]:
    """How many times faster, with intervals."""
    rows = []
    for one in speedups_in_order(found):
        what = NETWORKS.get(one.what, f"{one.what}: {one.scene}")
        times = f"{one.ratio.value:.2f} ({one.ratio.low:.2f} to {one.ratio.high:.2f})"
        processor = "-" if one.processor is None else f"{one.processor:.2f}"
        rows.append([label(one.setting), label(one.than), what, times, processor, "" if one.same_work else "not the same work"])
    return ["setting", "against", "of", "times faster (95 %)", "by processor time", ""], rows


def power_rows(result: Result) -> tuple[list[str], Rows]:
    """Watts, and what a frame costs."""
    rows = [[label(one.setting), f"{one.rest_w:.2f}", f"{one.work_w:.2f}", f"{one.frame_mj:.2f}"] for one in result.power]
    return ["setting", "rest, W", "work, W", "a frame above rest, mJ"], rows


def reasons(result: Result) -> Rows:
    """What could not be measured, and why; each once."""
    found = dict.fromkeys((label(cell.setting), cell.why) for cell in result.cells if cell.why)
    return [[name, str(why)] for name, why in found]


def machine_rows(result: Result) -> Rows:
    """The machine and its state, a fact a row."""
    board, soft, before, after = result.machine, result.software, result.before, result.after

    def change(one: object, other: object, unit: str) -> str:
        return "not told" if one is None and other is None else f"{one} before, {other} after{unit}"

    def clock(speeds: tuple[float, ...] | None) -> str | None:
        return None if speeds is None else f"{max(speeds):.0f}"

    return [
        ["machine", board.model + (" (virtual)" if board.virtual else "")],
        [
            "processor",
            f"{board.processor or 'not told'}, {board.architecture}, {board.cores} cores: {' '.join(board.flags) or 'no instructions that int8 gains from'}",
        ],
        ["memory", "not told" if board.memory_mb is None else f"{board.memory_mb:.0f} MiB"],
        ["governor", board.governor or "not told"],
        ["clock", change(clock(before.frequency_mhz), clock(after.frequency_mhz), " MHz")],
        ["temperature", change(before.temperature_c, after.temperature_c, " C")],
        ["throttling", "nobody to ask" if after.throttled is None else ", ".join(after.throttled) or "none"],
        ["load", change(before.load and before.load[0], after.load and after.load[0], "")],
        ["others while measuring", "not told" if result.busy is None else f"{result.busy.others:.2f} cores, {result.busy.stolen:.2f} stolen by a host"],
        ["system", f"{soft.system}; Python {soft.python}; " + ", ".join(f"{name} {version}" for name, version in soft.packages.items())],
        ["Platewatch", f"{soft.platewatch}{f', git {soft.git}' if soft.git else ''}; seed {result.seed}; {result.command}"],
    ]


def headlines(result: Result) -> dict[str, tuple[str, str]]:
    """What is asked for first: words -> the figure and its reach."""
    told = {}
    frames = [
        one
        for one in result.speedups
        if one.what == "whole frame"
        and one.same_work
        and one.setting.variant == "int8"
        and one.than.variant == "float32"
        and (one.setting.runtime, one.setting.threads) == ("litert", 1)
    ]
    if frames:
        values = [one.ratio.value for one in frames]
        least = min(frames, key=lambda one: one.ratio.value)
        worked = [one.processor for one in frames if one.processor]
        told["int8 is so many times faster than float32: whole frames with the same work, one thread"] = (
            f"{geometric_mean(values):.1f}",
            f"least {least.ratio.value:.1f} ({least.scene}); by processor time {geometric_mean(worked or [float('nan')]):.1f}; wanted {WANTED}",
        )
    sides = [one for one in result.speedups if one.what == "whole frame" and one.setting.side == "B" and one.same_work]
    if sides:
        value = geometric_mean([one.ratio.value for one in sides])
        told["B is so many times faster than A: whole frames"] = (f"{value:.2f}", f"{len(sides)} pairs of cells")
    ours = Setting(variant="int8", runtime="litert", threads=1)
    shipped = [cell.ms.median for cell in result.cells if cell.what == "whole frame" and cell.ms and cell.setting == ours]
    if shipped:
        told["ms for a whole frame: int8, litert, one thread"] = (ms(geometric_mean(shipped)), f"{ms(min(shipped))} to {ms(max(shipped))}, by scene")
    if result.reading_peak_mb is not None:
        own = f"{result.reading_private_mb:.0f} without shared libraries; " if result.reading_private_mb is not None else ""
        told["MiB at most in a process that reads four plates in 1920x1080"] = (f"{result.reading_peak_mb:.0f}", f"{own}wanted: below {ROOM_MB:.0f} (80 MB)")
    return told


def print_result(result: Result, console: Console) -> None:
    """Headlines and the tables that matter most."""
    from rich.table import Table

    for title, (heads, rows) in {
        "Networks alone, ms": network_rows(result),
        "Whole frames as the daemon does them: median / 95th percentile (runs), ms": frame_rows(result),
        "Loading and memory, each in a process of its own": loading_rows(result),
    }.items():
        table = Table(*heads[:1], title=title)
        for head in heads[1:]:
            table.add_column(head, justify="right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for name, why in reasons(result):
        console.print(f"not measured: {name}: {why}", highlight=False)
    for words, (value, reach) in headlines(result).items():
        console.print(f"{words}: [bold]{value}[/bold] ({reach})", highlight=False)
    for said in (f"no power: {result.no_power}" if result.no_power else None, result.advice):
        if said:
            console.print(said, highlight=False)
    for words in result.warnings:
        console.print(f"WARNING: {words}", highlight=False, style="bold")
