"""Results as tables for the console."""

from __future__ import annotations

from rich.table import Table

from edge.bench.result import STAGES, Cell, Result


def device_table(result: Result) -> Table:
    """Stages by thread count: median / 95th percentile, ms. What could not be measured is a dash, and why stands below."""
    counts = sorted({cell.setting.threads for cell in result.cells})
    found = {(cell.what, cell.scene, cell.setting.threads): cell for cell in result.cells}
    rows = sorted(dict.fromkeys((cell.what, cell.scene) for cell in result.cells), key=lambda row: STAGES.index(row[0]))
    about = f"{result.cells[0].scene} for the stages; " if result.cells else ""
    table = Table(title=f"{about}median / 95th percentile, ms")
    table.add_column("stage")
    for count in counts:
        table.add_column(f"{count} thread{'s' if count > 1 else ''}", justify="right")
    for place, (what, scene) in enumerate(rows):
        cells = [in_words(found.get((what, scene, count))) for count in counts]
        last_stage = what != "whole frame" and place + 1 < len(rows) and rows[place + 1][0] == "whole frame"
        table.add_row(f"{what}: {scene}" if what == "whole frame" else what, *cells, end_section=last_stage)
    reasons = dict.fromkeys(cell.why for cell in result.cells if cell.why)
    if reasons:
        table.caption = "; ".join(str(reason) for reason in reasons)
    return table


def in_words(cell: Cell | None) -> str:
    """Median and 95th percentile, or a dash."""
    return "-" if cell is None or cell.ms is None else f"{cell.ms.median:.3f} / {cell.ms.p95:.3f}"
