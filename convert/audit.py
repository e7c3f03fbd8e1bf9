"""Opens a TFLite file and says what is in it; refuses what must not be: float, Flex and custom operations, state, loops, broken quantization."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convert.graph.flatbuffer import Broken
from convert.graph.graph import Graph, Operation, Tensor, read_graph
from convert.graph.memory import Memory, plan
from convert.graph.probe import Probe, probe
from edge.errors import PlatewatchError

ALLOWED = {"int8", "int32"}
"""int8 for everything, int32 for biases and shapes."""
FLOATS = {"float32", "float16", "bfloat16", "float64"}
OTHER_VARIANTS = FLOATS | {"int16", "int64", "bool"}
"""What variants other than full int8 may hold besides."""
LOOPS = {"WHILE", "IF", "CALL_ONCE", "CALL", "STABLEHLO_WHILE", "STABLEHLO_CASE"}
STATEFUL = ("VARIABLE", "VAR_HANDLE", "HASHTABLE", "UNIDIRECTIONAL_SEQUENCE", "BIDIRECTIONAL_SEQUENCE")
LARGEST = 2**31 - 1
"""Bytes; offsets in a flatbuffer reach no further."""
OTHERS = {
    b"PK\x03\x04": "a ZIP archive (a .keras file, perhaps)",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    b"\x89HDF": "an HDF5 file (Keras weights, perhaps)",
    b"\x1f\x8b": "a gzip archive",
    b"\x7fELF": "a program",
}


class AuditError(PlatewatchError, ValueError):
    """The file is no TFLite model."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What is in the file. `complaints` is empty for a file that may ship; `remarks` cost time or space and refuse nothing.

    Sizes in bytes, `macs` multiply-accumulates of one run. `probe` is what the runtime made of it.
    """

    operations: Counter[str]
    tensor_types: Counter[str]
    macs: int
    size: int
    complaints: tuple[str, ...]
    remarks: tuple[str, ...]
    graph: Graph
    memory: Memory
    probe: Probe


def audit(path: Path, allow_float: bool = False) -> Audit:
    """Every tensor and operation of the file; then the runtime opens and runs it in a process of its own.

    `allow_float`: float and 16-bit variants pass too. Raises AuditError for what is no TFLite model.
    """
    graph = _open(path)
    seen = probe(path)
    complaints = [*_types(graph, allow_float), *_operations(graph), *_quantization(graph), *_ends(graph, allow_float)]
    if seen.failure:
        complaints.append(seen.failure)
    return Audit(
        Counter(operation.name for operation in graph.operations),
        Counter(tensor.type for tensor in graph.tensors),
        sum(operation.macs for operation in graph.operations),
        graph.size,
        tuple(dict.fromkeys(complaints)),
        tuple(_remarks(graph, seen)),
        graph,
        plan(graph),
        seen,
    )


def _open(path: Path) -> Graph:
    try:
        if not path.is_file():
            raise AuditError(f"{path}: no such file; name a .tflite file")
        if path.stat().st_size > LARGEST:
            raise AuditError(f"{path}: no TFLite model (larger than 2 GiB)")
        content = path.read_bytes()
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return read_graph(content)
    except Broken as error:
        kind = next((words for start, words in OTHERS.items() if content.startswith(start)), None)
        raise AuditError(f"{path}: no TFLite model ({f'it is {kind}' if kind else error}); make one with python -m convert quantize") from None


def _types(graph: Graph, allow_float: bool) -> Iterator[str]:
    allowed = ALLOWED | OTHER_VARIANTS if allow_float else ALLOWED
    if not allow_float:
        yield from map(_island, float_islands(graph))
    for tensor in graph.tensors:
        if tensor.type not in allowed:
            yield f"tensor {tensor.name or tensor.index} is {tensor.type}"
        if tensor.variable:
            yield f"tensor {tensor.name or tensor.index}: the graph keeps state between runs"
        if not tensor.fixed:
            yield f"tensor {tensor.name or tensor.index}: leaves a dimension open, and the device gives one picture at a time"


def _operations(graph: Graph) -> Iterator[str]:
    for operation in graph.operations:
        if operation.custom:
            yield f"operation {operation.name}: {'a Flex' if operation.name.startswith('Flex') else 'a custom'} operation; the device has no such thing"
        elif operation.name in LOOPS:
            yield f"operation {operation.name}: control flow; the device has no such thing"
        elif any(word in operation.name for word in STATEFUL):
            yield f"operation {operation.name}: the graph keeps state between runs"
    if graph.others:
        yield f"{len(graph.others)} further graphs: bodies of loops or branches"
    if not graph.operations:
        yield "there is no operation in it"


def _quantization(graph: Graph) -> Iterator[str]:
    for tensor in graph.tensors:
        said = tensor.quantization
        name = f"tensor {tensor.name or tensor.index}"
        if said is None:
            if tensor.type == "int8":
                yield f"{name}: int8 without a scale, its numbers mean nothing"
            continue
        if any(not (0 < scale < 1e30) for scale in said.scales):
            yield f"{name}: its scale is zero, negative or no number"
        if tensor.type == "int8" and any(not -128 <= zero <= 127 for zero in said.zero_points):
            yield f"{name}: its zero point is no int8"
        channels = tensor.shape[said.axis] if 0 <= said.axis < len(tensor.shape) else 0
        if len(said.zero_points) not in (1, len(said.scales)) or (said.per_channel and len(said.scales) != channels):
            yield f"{name}: {len(said.scales)} scales and {len(said.zero_points)} zero points for {channels} channels"


def _ends(graph: Graph, allow_float: bool) -> Iterator[str]:
    ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
    yield from (f"{tensor.name}: input and output must be int8" for tensor in ends if tensor.type != "int8" and not allow_float)
    if len(graph.inputs) != 1:
        yield f"{len(graph.inputs)} inputs; the device gives one picture"
    if not graph.outputs:
        yield "there is no output"


def float_islands(graph: Graph) -> list[list[Operation]]:
    """Operations on float activations, those that hand floats to each other together, in order."""
    islands: list[tuple[set[int], list[Operation]]] = []
    for operation in graph.operations:
        floats = {index for index in (*operation.inputs, *operation.outputs) if index >= 0 and _is_float(graph.tensors[index])}
        if not floats:
            continue
        touched = [island for island in islands if island[0] & floats]
        islands = [island for island in islands if not island[0] & floats]
        members = [member for island in touched for member in island[1]]
        islands.append((floats.union(*(island[0] for island in touched)), sorted([*members, operation], key=lambda one: one.index)))
    return [members for _, members in sorted(islands, key=lambda island: island[1][0].index)]


def _is_float(tensor: Tensor) -> bool:
    return tensor.type in FLOATS and not tensor.constant


def _island(members: list[Operation]) -> str:
    names = ", ".join(f"{name} {count}" for name, count in Counter(one.name for one in members).most_common(6))
    where = f"operation {members[0].index}" if len(members) == 1 else f"operations {members[0].index} to {members[-1].index}"
    return f"an island of float, {where}: {names}"


def _remarks(graph: Graph, seen: Probe) -> Iterator[str]:
    if unused := graph.unused():
        yield f"{len(unused)} tensors that nothing uses, {sum(one.stored for one in unused)} bytes: {unused[0].name}" + (", ..." if len(unused) > 1 else "")
    if idle := graph.idle():
        yield f"{len(idle)} operations whose results nobody reads: {idle[0].name} {idle[0].index}" + (", ..." if len(idle) > 1 else "")
    if sparse := sum(tensor.sparse for tensor in graph.tensors):
        yield f"{sparse} sparse tensors; the device's kernels make them dense first"
    weights = [graph.tensors[one.inputs[1]] for one in graph.operations if one.name.endswith("CONV_2D") or one.name == "TRANSPOSE_CONV"]
    flat = [one for one in weights if one.type == "int8" and one.quantization and not one.quantization.per_channel and one.shape and max(one.shape) > 1]
    if flat:
        yield f"{len(flat)} convolutions with one scale for all channels: {flat[0].name}; per channel loses less"
    if seen.left is None and not seen.failure:
        yield "XNNPACK takes nothing of it: everything runs on the runtime's own kernels, many times slower on most machines"
    elif seen.left:
        names = Counter(why_left(graph, graph.operations[number]) for number in seen.left if number < len(graph.operations))
        yield from (f"XNNPACK leaves {count} of {what}" for what, count in names.most_common())


def why_left(graph: Graph, operation: Operation) -> str:
    """The operation and why XNNPACK leaves it, as far as that is known (tried with LiteRT 2.3)."""
    inputs = [graph.tensors[index] for index in operation.inputs if index >= 0]
    result = graph.tensors[operation.outputs[0]] if operation.outputs else None
    if any(tensor.type in ("int16", "int64", "string", "bool") for tensor in (*inputs, *([result] if result else []))):
        return f"{operation.name}: not in this type"
    if operation.name == "CONCATENATION" and len(inputs) > 5:
        return f"{operation.name}: it joins {len(inputs)} tensors, XNNPACK at most 5"
    if operation.name == "STRIDED_SLICE" and result is not None and inputs:
        return f"{operation.name}: it drops a dimension" if len(inputs[0].shape) > len(result.shape) else f"{operation.name}: only with steps of 1"
    if operation.name == "HARD_SWISH":
        return f"{operation.name}: not in int8; ReLU is taken"
    return f"{operation.name}: why is not known"
