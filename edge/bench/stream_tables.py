"""The figures of a stream for the console."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from rich.table import Table

from edge.bench.streamed import Goal, Streamed


def tables(found: Streamed) -> Iterator[Table]:
    """Runs, then how late events were."""
    yield runs_table(found)
    if found.glass:
        yield glass_table(found)


def runs_table(found: Streamed) -> Table:
    """A line for each recording and way to play it: medians of its rounds, and of memory the most."""
    table = Table(title="the daemon on recordings (cpu: ms of processor a frame; core: share of one; memory in MiB; stages in ms)")
    table.add_column("recording")
    for head in ("frames/s", "cpu", "core", "resident", "private", "dropped", "detect / read / all"):
        table.add_column(head, justify="right")
    for name, how in dict.fromkeys((run.recording, run.how) for run in found.runs):
        runs = [run for run in found.runs if (run.recording, run.how) == (name, how)]
        stages = [
            median(run.stages_ms[stage]["median"] for run in runs) for stage in ("detect", "read", "total") if all(stage in run.stages_ms for run in runs)
        ]
        most = [
            max((value for value in values if value is not None), default=None)
            for values in zip(*((run.resident_mb, run.private_mb) for run in runs), strict=True)
        ]
        cpu = median(run.cpu_ms or 0.0 for run in runs)
        dropped = f"{sum(run.dropped for run in runs)} of {sum(run.frames for run in runs)}"
        figures = [f"{median(run.fps for run in runs):.1f}", f"{cpu:.2f}", f"{median(run.core_share for run in runs):.2f}", *map(_number, most), dropped]
        table.add_row(f"{name}: {how}", *figures, " / ".join(f"{ms:.1f}" for ms in stages))
    return table


def glass_table(found: Streamed) -> Table:
    """From the frame with the last read that a preview needs."""
    table = Table(title="ms from the camera's frame with the last read that a preview needs, median / 95th percentile")
    table.add_column("recording")
    for head in ("previews", "frames later", "preview", "in the store", "in a JSONL file", "preview since first sight"):
        table.add_column(head, justify="right")
    for one in found.glass:
        times = [f"{ms.median:.0f} / {ms.p95:.0f}" if ms else "-" for ms in (one.preview, one.row, one.line, one.first_sight)]
        table.add_row(one.recording, str(len(one.frames)), str(max(one.frames, default="-")), *times)
    return table


def goal_lines(found: Streamed) -> Iterator[str]:
    """What was demanded, a line each."""
    for goal in found.goals:
        yield f"{_verdict(goal)}  {goal.what}: {_number(goal.measured, 2)} {goal.unit} (demanded: {'at most' if goal.most else 'at least'} {goal.demanded:g})"


def _verdict(goal: Goal) -> str:
    return {True: "met   ", False: "MISSED", None: "?     "}[goal.met]


def _number(value: float | None, places: int = 1) -> str:
    return "-" if value is None else f"{value:.{places}f}"
