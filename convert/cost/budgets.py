"""The budgets: what each run may cost. They belong to one model, one processor and one set of versions; another has none until one is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from convert.cost.measure import Cost
from edge.errors import ConfigError

FILE = Path(__file__).parent / "budgets.toml"
SLACK = 0.02
"""Share of the budget that a run may cost more; what the same code costs twice differs by 0.00001 of it."""
HEAD = """# Guest instructions that a run may cost on an emulated processor, 2 % more at most. Written by: python -m convert cost --update-budgets
# `of` is the sha256 of the model; of both, shortened, where the run takes both. `versions` is what else the figure depends on.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is kept, over, under (cheaper than the budget by more than the slack: write it down) or none (no budget for this model and these versions)."""

    state: str
    share: float | None = None

    @property
    def words(self) -> str:
        """Such as `3.10 % more`."""
        return "" if self.share is None else f"{100 * abs(self.share - 1):.2f} % {'more' if self.share > 1 else 'less'}"


def read(path: Path | None = None) -> list[Cost]:
    """What the file (None: the project's own) holds; nothing where there is none. Raises ConfigError."""
    path = path or FILE
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("budget", []) if path.is_file() else []
        return [Cost(row["what"], row["cpu"], row["of"], row["versions"], int(row["instructions"])) for row in rows]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: not a file of budgets ({error}); write it anew with python -m convert cost --update-budgets") from None


def judge(cost: Cost, budgets: Iterable[Cost]) -> Verdict:
    """What a measurement is worth against the budgets."""
    for budget in budgets:
        if _identity(budget) == _identity(cost):
            share = cost.instructions / budget.instructions
            return Verdict("over" if share > 1 + SLACK else "under" if share < 1 - SLACK else "kept", share)
    return Verdict("none")


def updated(budgets: Iterable[Cost], costs: Iterable[Cost]) -> list[Cost]:
    """The budgets with these costs in the place of what stood there for the same run on the same processor: one of each, and it is for what ships."""
    by_run = {(one.what, one.cpu): one for one in (*budgets, *costs)}
    return [by_run[run] for run in sorted(by_run, key=lambda run: (run[1], run[0]))]


def write(budgets: Iterable[Cost], path: Path | None = None) -> None:
    """Raises ConfigError where it cannot."""
    path = path or FILE
    tables = [f"\n[[budget]]\n{_words(one)}" for one in budgets]
    try:
        path.write_text(HEAD + "".join(tables), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None


def _identity(cost: Cost) -> tuple[str, str, str, str]:
    return cost.what, cost.cpu, cost.of, cost.versions


def _words(cost: Cost) -> str:
    words = "".join(f'{name} = "{getattr(cost, name)}"\n' for name in ("what", "cpu", "of", "versions"))
    return f"{words}instructions = {cost.instructions:_}\n"
