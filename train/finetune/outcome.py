"""What came of a fine-tuning: figures before and after on both sides, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from train.finetune.mixing import MAIN, Choice, Figures, Row
from train.finetune.plan import Settings

NAMES = {"exact": "plates read exactly", "characters": "characters", "ap50": "average precision at IoU 0.5", "ap75": "average precision at IoU 0.75"}
SETS = {
    "new": "your photographs, not learnt from",
    "drawn": "drawn plates of all countries",
    "kept": "kept photographs, set aside",
    "known": "photographs of what is known",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`plates` counts each set's plates."""

    kind: str
    rows: Sequence[Row]
    choice: Choice
    plates: Mapping[str, int]
    settings: Settings

    def figures(self, alpha: float, name: str) -> Figures:
        """Of one set under one mix."""
        row = next(row for row in self.rows if row.alpha == alpha)
        return row.new if name == "new" else row.known[name]


def write_outcome(file: Path, outcome: Outcome, begun_from: Mapping[str, str], weights_sha256: str, notes: Sequence[str]) -> None:
    """`finetune.json`: figures are shares of 1."""
    table = {
        "v": 1, "kind": outcome.kind, "begun_from": begun_from, "weights_sha256": weights_sha256, "alpha": outcome.choice.alpha,
        "allowed_drop": outcome.settings.allowed_drop, "warnings": outcome.choice.warnings, "notes": notes, "plates": outcome.plates,
        "before": {name: outcome.figures(0.0, name) for name in outcome.plates},
        "after": {name: outcome.figures(outcome.choice.alpha, name) for name in outcome.plates},
        "mixes": [{"alpha": row.alpha, "new": row.new, "known": row.known} for row in outcome.rows],
    }  # fmt: skip
    file.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def read_outcome(file: Path, settings: Settings) -> Outcome:
    """What `write_outcome` wrote."""
    table = json.loads(file.read_text(encoding="utf-8"))
    rows = [Row(one["alpha"], one["new"], one["known"]) for one in table["mixes"]]
    return Outcome(table["kind"], rows, Choice(table["alpha"], tuple(table["warnings"])), table["plates"], settings)


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Before and after, and every mix."""
    main, second = MAIN[outcome.kind]
    table = Table("photographs", "plates", "figure", "before", "after", "change", title="Before and after fine-tuning")
    for name, plates in outcome.plates.items():
        for figure in (main, second):
            before, after = (outcome.figures(alpha, name).get(figure) for alpha in (0.0, outcome.choice.alpha))
            change = f"{100 * (after - before):+.1f}" if before is not None and after is not None else "-"
            table.add_row(SETS[name], str(plates), NAMES[figure], _percent(before), _percent(after), change)
    console.print(table)
    mixes = Table("alpha", *(SETS[name] for name in outcome.plates), title=f"{NAMES[main]}, by share of the fine-tuned weights")
    for row in outcome.rows:
        taken = row.alpha == outcome.choice.alpha
        mixes.add_row(f"{row.alpha:g}" + (" (taken)" if taken else ""), *(_percent(outcome.figures(row.alpha, name).get(main)) for name in outcome.plates))
    console.print(mixes)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
