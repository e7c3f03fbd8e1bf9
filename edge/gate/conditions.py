"""What has to be true before the gate opens, one by one, as a decision of the audit tells it: met, not met, or not asked for any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.gate.audit import Row
from edge.gate.decide import Reason
from edge.gate.settings import GateConfig

Met = Literal["yes", "no", "unasked"]
CONDITIONS: dict[str, tuple[Reason, ...]] = {
    "not_refused": ("ignored", "denied"),
    "lists": ("lists cannot be read",),
    "welcome": ("unknown plate",),
    "due": ("not at this time",),
    "reads": ("too few reads agree",),
    "sure": ("not sure enough",),
    "in_view": ("in view too briefly",),
    "approach": ("does not approach",),
    "pause": ("opened just now",),
    "factor": ("no second factor",),
    "relay": ("the relay does not answer", "the relay has rested too little"),
}
"""In the order in which `edge.gate.decide` asks. The first no is the reason."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`found` and `wanted` are figures, '' where there are none."""

    name: str
    met: Met
    found: str = ""
    wanted: str = ""


def conditions(row: Row, config: GateConfig) -> list[Condition]:
    """Of a vehicle's decision, by the limits of `config`; what the config does not ask for is left out."""
    names = [name for name in CONDITIONS if (name != "approach" or config.approach) and (name != "factor" or config.second_factor)]
    failed = next((name for name, reasons in CONDITIONS.items() if row.reason in reasons), "")
    if failed and failed not in names:  # asked for then, and not any more
        names.insert(next((at for at, name in enumerate(names) if _place(name) > _place(failed)), len(names)), failed)
    figures = {"reads": (str(row.agreeing), str(config.reads)), "sure": (f"{row.confidence:.2f}", f"{config.confidence:g}"), "approach": (row.direction, "")}
    told = []
    for name in names:
        met: Met = "yes" if not failed or _place(name) < _place(failed) else "no" if name == failed else "unasked"
        told.append(Condition(name, met, *(figures.get(name, ("", "")) if met != "unasked" else ("", ""))))
    return told


def _place(name: str) -> int:
    return list(CONDITIONS).index(name)
