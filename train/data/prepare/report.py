"""What `prepare` found, as tables on the screen and as lines in files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from train.data.formats.raw import Remark
from train.data.formats.reasons import DROPPED, REASONS
from train.data.prepare.check import Sample
from train.data.prepare.gather import counted
from train.data.prepare.split import SIDES, Split
from train.data.prepare.statistics import RARE
from train.data.prepare.write import replace

COLUMNS = {
    "pictures": "pictures", "crops": "cut out", "without_plate": "empty", "plates": "plates", "with_text": "texts", "different_texts": "unique",
    "two_lines": "2 lines", "width_px": "width, px",
}  # fmt: skip
"""Of the statistics, and their titles; the width is that of the narrowest twentieth, the middle and the widest twentieth."""
MOST_ROWS = 12


def is_dropped(remark: Remark) -> bool:
    return REASONS[remark.reason].action in DROPPED


def write_remarks(out: Path, remarks: Sequence[Remark]) -> None:
    """`dropped.jsonl` and `notes.jsonl`, one object a line, in the order of the folders."""
    for name, wanted in (("dropped.jsonl", True), ("notes.jsonl", False)):
        rows = [
            {"action": REASONS[remark.reason].action, "reason": remark.reason, "picture": remark.picture, "label": remark.place, "detail": remark.detail}
            for remark in remarks
            if is_dropped(remark) == wanted
        ]
        replace(out / name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())


def print_remarks(remarks: Sequence[Remark], console: Console) -> None:
    """One table: how often each reason was given, what is lost first."""
    counts = counted(remarks)
    if not counts:
        console.print("Nothing was dropped, mended or noted.")
        return
    table = Table(title="Dropped, mended, noted", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("what", no_wrap=True)
    table.add_column("why", no_wrap=True)
    table.add_column("times", justify="right", no_wrap=True)
    table.add_column("that is", overflow="fold")
    before = ""
    for reason, (action, words) in REASONS.items():
        if counts[reason]:
            if before and before != action:
                table.add_section()
            table.add_row(f"{action} dropped" if action in DROPPED else action, reason, str(counts[reason]), words)
            before = action
    console.print(table)


def print_statistics(figures: dict[str, Any], console: Console) -> None:
    """A row a side, source and country, the largest first; statistics.json has them all."""
    table = Table(title="What is there", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("", no_wrap=True, max_width=22)
    for title in COLUMNS.values():
        table.add_column(title, justify="right", no_wrap=True)
    for kind in ("side", "source", "country"):
        rows = [(name, row) for name, row in figures[kind].items() if row["pictures"]]
        for name, row in rows[:MOST_ROWS] if len(rows) > 1 else ():
            table.add_row(name, *map(_cell, (row[column] for column in COLUMNS)))
        if len(rows) > MOST_ROWS:
            table.add_row(f"and {len(rows) - MOST_ROWS} more", str(sum(row["pictures"] for _, row in rows[MOST_ROWS:])))
        table.add_section()
    table.add_row("all", *map(_cell, (figures["all"][column] for column in COLUMNS)))
    console.print(table)
    if figures["all"]["with_text"]:
        never, rare = figures["never_in_train"], figures["rare_in_train"]
        told = [*([f"never: {' '.join(never)}"] if never else []), *([f"fewer than {RARE} times: {' '.join(rare)}"] if rare else [])]
        console.print(f"Characters to train on: {'; '.join(told) if told else f'every one at least {RARE} times'}.")


def print_split(done: Split, samples: Sequence[Sample], shares: tuple[float, float, float], console: Console) -> None:
    """How near the shares came, and what stood in the way."""
    came = "/".join(f"{100 * count / len(samples):.1f}" for count in done.counts())
    largest = done.groups[0]
    ties = Counter(tie for place in largest for tie in samples[place].ties if not tie.startswith("file ")).most_common(1)
    why = f" ({ties[0][0]})" if ties else ""
    stays = f"what shares a text, a session or its looks stays together. The largest has {len(largest)} pictures{why}."
    if len(largest) == 1:
        stays = "no two pictures belong together."
    console.print(
        f"Split {'/'.join(SIDES)}: asked {'/'.join(f'{100 * share:g}' for share in shares)}, came to {came} % of {len(samples)} pictures in "
        f"{len(done.groups)} groups: {stays}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return "/".join(f"{one:.0f}" for one in value) if isinstance(value, list) else str(value)
