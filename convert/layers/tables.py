"""The layers as rows: for the console, the page and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convert.layers.harm import Harm, worst_first
from convert.layers.measure import Layer
from convert.layers.photographs import Disagreement
from convert.layers.run import Report
from train.evaluation.sheets import Example

HEADS = (
    "layer",
    "kind",
    "how many",
    "whole",
    "alone",
    "rounding",
    "weights",
    "error / std",
    "clipped %",
    "at -128 %",
    "at 127 %",
    "range used %",
    "idle bits",
    "worst channel",
)
HARM_HEADS = ("layer", "how many", "its results in int8", "its weights in int8")


def decibel(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def rows(found: Report) -> list[list[str]]:
    """A row a layer, in order; of the steps of a recurrence the worst, with how many they are. What only moves numbers is left out, outputs are not."""
    grouped: dict[str, list[Layer]] = {}
    for layer in found.layers:
        if layer.output or not layer.moves:
            grouped.setdefault(layer.fold, []).append(layer)
    return [_row(members) for members in grouped.values()]


def _row(members: Sequence[Layer]) -> list[str]:
    one = min(members, key=lambda layer: 999.0 if layer.whole is None else layer.whole)
    channel = "-" if one.channel_db is None else f"{one.channel}: {one.channel_db:.1f}"
    shares = [max(getattr(layer, name) for layer in members) for name in ("clipped", "at_low", "at_high")]
    return [
        one.fold + (" (output)" if one.output else ""),
        one.kind,
        str(len(members)),
        *(decibel(_least([getattr(layer, name) for layer in members])) for name in ("whole", "alone", "rounding", "weights")),
        f"{max(layer.relative for layer in members):.4f}",
        f"{100 * shares[0]:.4f}",
        *(f"{100 * share:.2f}" for share in shares[1:]),
        f"{100 * float(np.median([layer.used for layer in members])):.0f}",
        f"{float(np.median([layer.idle_bits for layer in members])):.1f}",
        channel,
    ]


def _least(values: Sequence[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def harm_rows(found: Sequence[Harm]) -> list[list[str]]:
    """The most harmful first."""
    return [[one.fold, str(one.members), decibel(one.activations), decibel(one.weights)] for one in worst_first(found)]


def verdict(found: Disagreement, kind: str) -> list[str]:
    """The photographs in sentences."""
    what = "read exactly" if kind == "reader" else "found"
    if not found.plates:
        return ["No plate with a label that could be held against the networks."]
    said = [
        f"Of {found.plates} labelled plates {found.both} are {what} by both, {found.float_only} by float alone, {found.int8_only} by int8 alone, "
        f"{found.neither} by neither. A split as uneven as {found.float_only} to {found.int8_only} has a probability of {found.chance:.2f} "
        "when int8 is as good as float."
    ]
    if kind == "detector":
        said.append(f"False reports: {found.false_float} by float, {found.false_int8} by int8.")
    return said


def print_report(found: Report, console: Console) -> None:
    """Layers, where the loss is born, photographs."""
    console.print(matched(found), highlight=False, soft_wrap=True)
    table = Table(*HEADS, title=f"{escape(found.name)}: SQNR by layer, dB; of many the worst", title_justify="left")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows(found):
        table.add_row(*map(escape, row))
    console.print(table)
    harm = Table(*HARM_HEADS, title="where the loss is born: SQNR at the worst output, dB, with this alone in int8", title_justify="left")
    for column in harm.columns[1:]:
        column.justify = "right"
    for row in harm_rows(found.harms)[:16]:
        harm.add_row(*map(escape, row))
    console.print(harm)
    console.print(f"All weights in int8, all activations in float: {decibel(found.all_weights)} dB at the worst output", highlight=False)
    for words in verdict(found.disagreement, found.kind) if found.disagreement else ():
        console.print(words, highlight=False, soft_wrap=True)


def matched(found: Report) -> str:
    """What was compared, in a sentence."""
    lost = f"; without a partner: {', '.join(found.lost[:5])}" if found.lost else ""
    by = f", {found.placed} of them by place and not by name" if found.placed else ""
    pictures = f"{found.pictures} {'drawn pictures' if found.drawn else 'photographs'}"
    return f"{found.name}: {len(found.layers)} layers ({100 * found.share:.1f} % of the int8 file's{by}{lost}) on {pictures}"


def as_json(found: Report) -> dict[str, Any]:
    """Everything but the pictures. dB are null where there is no error."""
    said = found.disagreement
    return {
        "v": 1,
        "name": found.name,
        "kind": found.kind,
        "sha256": found.sha256,
        "pictures": found.pictures,
        "drawn": found.drawn,
        "matched": {"share": found.share, "by_place": found.placed, "lost": list(found.lost)},
        "layers": [asdict(layer) for layer in found.layers],
        "harm": [asdict(one) for one in worst_first(found.harms)],
        "all_weights": found.all_weights,
        "photographs": None if said is None else {
            **{name: getattr(said, name) for name in ("plates", "both", "float_only", "int8_only", "neither", "false_float", "false_int8", "chance")},
            "lost": [_example(one) for one in said.lost],
            "won": [_example(one) for one in said.won],
        },
    }  # fmt: skip


def _example(one: Example) -> dict[str, Any]:
    """Where it is; the plate's text stays out of the file."""
    return {"image": one.case.image.path.name, "source": one.case.image.source, "what": one.what, "confidence": one.confidence}
