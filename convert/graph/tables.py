"""An audit as tables for people and as JSON for programs."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convert.audit import Audit, why_left
from convert.graph.graph import Operation, Tensor

SHOWN = 12
"""Complaints on the console; the JSON has them all."""
_OF_A_TYPE = re.compile(r"tensor (.*) is (\w+)", re.DOTALL)


def kib(size: int | None) -> str:
    """Bytes in words."""
    return "not told" if size is None else f"{size / 1024:,.0f} KiB" if size >= 1024 else f"{size} B"


def shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def print_audit(found: Audit, path: Path, console: Console, each: bool) -> None:
    """Summary, operations, what is left, remarks, refusals. `each`: every operation by itself too."""
    graph, seen = found.graph, found.probe
    console.print(f"[bold]{escape(str(path))}[/]: {kib(found.size)}, {found.macs / 1e6:.1f} MMAC a run", highlight=False)
    for words, said in (
        ("weights and other constants", kib(graph.weights)),
        ("activations alive at once", f"{kib(found.memory.live)} at operation {found.memory.step} (computed: no plan does with less)"),
        ("arena, planned", f"{kib(found.memory.arena)} (computed as the runtime does it, large ones first); without reuse {kib(found.memory.together)}"),
        ("arena, laid by the runtime", f"{kib(seen.addresses)} (measured without XNNPACK, by addresses; its kernels' scratch is in it)"),
        ("memory of a process", f"grows by {kib(seen.grown)} (measured as the device opens it, one run: packed weights and workspace)"),
        ("tensors", ", ".join(f"{name} {count}" for name, count in found.tensor_types.most_common())),
        ("quantized", _quantized(found)),
        ("runtime", f"{seen.runtime or 'not asked'}, {_delegated(found)}"),
    ):
        console.print(f"  {words:27} {escape(said)}", highlight=False)
    console.print(_by_kind(found))
    if each:
        console.print(_each(found))
    for remark in found.remarks:
        console.print(f"note: {escape(remark)}", highlight=False, soft_wrap=True)
    grouped = together(found.complaints)
    for complaint in grouped[:SHOWN]:
        console.print(f"[red]REFUSED[/]: {escape(complaint)}", highlight=False, soft_wrap=True)
    if len(grouped) > SHOWN:
        console.print(f"... and {len(grouped) - SHOWN} more; --json FILE writes them all", highlight=False)
    console.print("refused" if found.complaints else "clean: int8 throughout" if _whole_int8(found) else "clean, and not int8 throughout", highlight=False)


def together(complaints: Iterable[str]) -> list[str]:
    """The same with one sentence for all tensors of a type, instead of a thousand."""
    others: list[str] = []
    names: dict[str, list[str]] = defaultdict(list)
    for complaint in complaints:
        if match := _OF_A_TYPE.fullmatch(complaint):
            names[match[2]].append(match[1].split(";")[0])
        else:
            others.append(complaint)
    for kind, who in names.items():
        others.append(f"{len(who)} tensors are {kind}: {', '.join(who[:3])}, ..." if len(who) > 3 else f"tensor {' and '.join(who)}: {kind}")
    return others


def _whole_int8(found: Audit) -> bool:
    return set(found.tensor_types) <= {"int8", "int32"}


def _quantized(found: Audit) -> str:
    said = [tensor.quantization for tensor in found.graph.tensors if tensor.quantization is not None]
    each = sum(one.per_channel for one in said)
    return f"{len(said)} of {len(found.graph.tensors)} tensors, {each} of them per channel"


def _delegated(found: Audit) -> str:
    left, number = found.probe.left, len(found.graph.operations)
    if found.probe.failure and left is None:
        return "which did not come to its end"
    if left is None:
        return "XNNPACK takes nothing"
    return f"XNNPACK takes {number - len(left)} of {number} operations in {found.probe.partitions} piece{'s' if found.probe.partitions != 1 else ''}"


def _by_kind(found: Audit) -> Table:
    kinds: dict[str, list[Operation]] = defaultdict(list)
    for operation in found.graph.operations:
        kinds[operation.name].append(operation)
    left = Counter(found.graph.operations[number].name for number in found.probe.left or () if number < len(found.graph.operations))
    table = Table("operation", *(("how many", "MMAC", "of all MACs", "left by XNNPACK")), title="operations by kind", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, members in sorted(kinds.items(), key=lambda item: (-sum(one.macs for one in item[1]), -len(item[1]))):
        macs = sum(one.macs for one in members)
        remains = "all" if found.probe.left is None else str(left[name] or "-")
        table.add_row(name, str(len(members)), f"{macs / 1e6:.2f}" if macs else "-", f"{100 * macs / found.macs:.1f} %" if macs else "-", remains)
    return table


def _each(found: Audit) -> Table:
    table = Table("", "operation", "reads", "makes", "type", "MMAC", "XNNPACK", title="operations in order", title_justify="left")
    tensors, left = found.graph.tensors, set(found.probe.left or ())
    for one in found.graph.operations:
        reads = [("*" if tensors[index].constant else "") + shape(tensors[index]) for index in one.inputs if index >= 0]
        words = " ".join(reads[:4]) + (f" and {len(reads) - 4} more" if len(reads) > 4 else "")
        kinds = " ".join(dict.fromkeys(tensors[index].type for index in one.outputs))
        taken = "no" if found.probe.left is None or one.index in left else "yes"
        made = " ".join(shape(tensors[index]) for index in one.outputs)
        table.add_row(str(one.index), one.name, words, made, kinds, f"{one.macs / 1e6:.3f}" if one.macs else "", taken)
    table.caption = "* stands in the file"
    return table


def as_json(found: Audit, path: Path) -> dict[str, Any]:
    """Everything that is known."""
    tensors, left = found.graph.tensors, found.probe.left
    return {
        "v": 1,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "clean": not found.complaints,
        "complaints": list(found.complaints),
        "remarks": list(found.remarks),
        "size": found.size,
        "weights": found.graph.weights,
        "macs": found.macs,
        "memory": asdict(found.memory),
        "runtime": {key: value for key, value in asdict(found.probe).items() if key != "operations"},
        "types": dict(found.tensor_types),
        "operations": [
            {
                "name": one.name,
                "macs": one.macs,
                "inputs": list(one.inputs),
                "outputs": list(one.outputs),
                "xnnpack": None if left is None else one.index not in left,
                "why_left": why_left(found.graph, one) if left and one.index in left else None,
            }
            for one in found.graph.operations
        ],
        "tensors": [
            {
                "name": one.name,
                "type": one.type,
                "shape": list(one.shape),
                "constant": one.constant,
                "scales": None if one.quantization is None else list(one.quantization.scales),
                "zero_points": None if one.quantization is None else list(one.quantization.zero_points),
                "axis": None if one.quantization is None or not one.quantization.per_channel else one.quantization.axis,
            }
            for one in tensors
        ],
        "inputs": list(found.graph.inputs),
        "outputs": list(found.graph.outputs),
    }
