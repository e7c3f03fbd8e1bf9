"""What a TFLite file says of itself: tensors, operations, buffers. Read from the bytes alone; no runtime is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from convert.graph.flatbuffer import Broken, Table, open_root

SIZES = {
    "float32": 4, "float16": 2, "bfloat16": 2, "float64": 8, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4,
    "int64": 8, "uint64": 8, "bool": 1, "complex64": 8, "complex128": 16, "int4": 0.5, "uint4": 0.5, "int2": 0.25,
}  # fmt: skip
"""Bytes a value. Types that are not here (strings, resources) have no size that the file tells."""
LARGEST = 2**40
"""No tensor has more values than this; a file that says so is damaged."""
MOST = 20_000
"""Tensors, and operations, of a graph that a small board can run; the shipped reader has a thousand."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """real = (number - zero_point) * scale; one pair for the tensor, or one a channel of dimension `axis`."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int

    @property
    def per_channel(self) -> bool:
        return len(self.scales) > 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """`constant`: its values stand in the file, `stored` bytes of them. `fixed` False: a dimension is left open."""

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    quantization: Quantization | None
    stored: int
    variable: bool
    fixed: bool
    sparse: bool

    @property
    def constant(self) -> bool:
        return self.stored > 0

    @property
    def values(self) -> int:
        return int(np.prod(self.shape, dtype=object)) if self.shape else 1

    @property
    def size(self) -> int:
        """Bytes when it lies in memory."""
        return int(-(-self.values * SIZES.get(self.type, 0) // 1))


@dataclass(frozen=True, slots=True)
class Operation:
    """One step. -1 among `inputs` is one that was left out. `custom`: the name is not of TFLite's own table."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    custom: bool
    macs: int


@dataclass(frozen=True, slots=True)
class Graph:
    """The first subgraph; `others` names the operations of further ones (bodies of loops and branches)."""

    size: int
    description: str
    tensors: tuple[Tensor, ...]
    operations: tuple[Operation, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    others: tuple[tuple[str, ...], ...]
    weights: int

    def unused(self) -> list[Tensor]:
        """Tensors that nobody reads, makes or hands out."""
        named = {index for operation in self.operations for index in (*operation.inputs, *operation.outputs)}
        return [tensor for tensor in self.tensors if tensor.index not in named and tensor.index not in (*self.inputs, *self.outputs)]

    def idle(self) -> list[Operation]:
        """Operations whose results nobody reads."""
        read = {index for operation in self.operations for index in operation.inputs} | set(self.outputs)
        return [operation for operation in self.operations if not read & set(operation.outputs)]


@cache
def _names(enumeration: str) -> dict[int, str]:
    """Number -> name, from the schema that the runtime ships."""
    from ai_edge_litert import schema_py_generated as schema

    return {number: name for name, number in vars(getattr(schema, enumeration)).items() if not name.startswith("_")}


def read_graph(content: bytes) -> Graph:
    """The graph in the bytes of a TFLite file. Raises Broken, saying what does not fit."""
    root = open_root(content)
    codes = [_code(table) for table in root.tables(1)]
    stored = [_stored(table, len(content)) for table in root.tables(4)]
    subgraphs = list(root.tables(2))
    if not subgraphs:
        raise Broken("there is no graph in it")
    first = subgraphs[0]
    if max(first.length(0, 4), first.length(3, 4), len(stored)) > MOST:
        raise Broken(f"it has more than {MOST} tensors or operations")
    tensors = tuple(_tensor(index, table, stored) for index, table in enumerate(first.tables(0)))
    operations = tuple(_operation(index, table, codes, tensors) for index, table in enumerate(first.tables(3)))
    others = tuple(tuple(_named(table, codes)[0] for table in subgraph.tables(3)) for subgraph in subgraphs[1:])
    inputs, outputs = (_indices(first, number, tensors, "the graph", optional=False) for number in (1, 2))
    return Graph(len(content), root.text(3), tensors, operations, inputs, outputs, others, sum(stored))


def _stored(table: Table, most: int) -> int:
    """Bytes of a buffer: inside the flatbuffer, or behind it in a file near 2 GiB."""
    outside = table.number(2, "<Q") if table.number(1, "<Q") > 1 else 0
    if outside > most:
        raise Broken(f"a buffer of {outside} bytes does not fit into the file")
    return max(table.length(0), outside)


def _code(table: Table) -> tuple[str, bool]:
    """Name and whether it is custom. New files store the code as int32, old ones in a byte; the larger one counts."""
    number = max(table.number(3, "<i"), table.number(0, "<b"))
    name = _names("BuiltinOperator").get(number)
    if name is None:
        raise Broken(f"it has an operation of number {number}, which the installed runtime does not know")
    return (table.text(1) or "CUSTOM", True) if name == "CUSTOM" else (name, False)


def _named(table: Table, codes: list[tuple[str, bool]]) -> tuple[str, bool]:
    code = table.number(0, "<I")
    if code >= len(codes):
        raise Broken(f"an operation is of kind {code}, and there are {len(codes)}")
    return codes[code]


def _tensor(index: int, table: Table, stored: list[int]) -> Tensor:
    shape = tuple(int(size) for size in table.array(0, "<i4"))
    if any(size < 0 for size in shape) or np.prod(shape, dtype=object) > LARGEST:
        raise Broken(f"tensor {index} has the shape {list(shape)[:8]}")
    kind, buffer = table.number(1, "<b"), table.number(2, "<I")
    name = _names("TensorType").get(kind)
    if name is None or (buffer and buffer >= len(stored)):
        raise Broken(f"tensor {index} is of type {kind} in buffer {buffer}; there is no such")
    signature = table.array(7, "<i4")
    return Tensor(
        index, table.text(3), name.lower(), shape, _quantization(table.table(4)), stored[buffer] if buffer else 0,
        bool(table.number(5, "<b")), all(int(size) >= 0 for size in signature), table.table(6) is not None,
    )  # fmt: skip


def _quantization(table: Table | None) -> Quantization | None:
    if table is None or not table.length(2, 4):
        return None
    scales, zero_points = (tuple(table.array(number, kind).tolist()) for number, kind in ((2, "<f4"), (3, "<i8")))
    return Quantization(scales, zero_points or (0,) * len(scales), table.number(6, "<i"))


def _indices(table: Table, number: int, tensors: tuple[Tensor, ...], whose: str, optional: bool) -> tuple[int, ...]:
    found = tuple(int(index) for index in table.array(number, "<i4"))
    if any(index >= len(tensors) or index < (-1 if optional else 0) for index in found):
        raise Broken(f"{whose} names a tensor that is not there")
    return found


def _operation(index: int, table: Table, codes: list[tuple[str, bool]], tensors: tuple[Tensor, ...]) -> Operation:
    name, custom = _named(table, codes)
    inputs = _indices(table, 1, tensors, f"operation {index}", optional=True)
    outputs = _indices(table, 2, tensors, f"operation {index}", optional=False)
    return Operation(index, name, inputs, outputs, custom, _macs(name, inputs, outputs, tensors))


def _macs(name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], tensors: tuple[Tensor, ...]) -> int:
    """Multiply-accumulates of one operation. Raises Broken when its shapes cannot be of it."""
    shapes = [tensors[index].shape if index >= 0 else () for index in inputs]
    try:
        out = tensors[outputs[0]] if outputs else None
        match name:
            case "CONV_2D":
                return out.values * _product(shapes[1][1:])  # type: ignore[union-attr]
            case "DEPTHWISE_CONV_2D":
                return out.values * _product(shapes[1][1:3])  # type: ignore[union-attr]
            case "TRANSPOSE_CONV":
                return _product(shapes[2][:3]) * _product(shapes[1])
            case "FULLY_CONNECTED":
                return _product(shapes[0]) * shapes[1][0]
            case "BATCH_MATMUL":
                return out.values * shapes[0][-1]  # type: ignore[union-attr]
    except (IndexError, AttributeError):
        raise Broken(f"an operation {name} does not have the inputs that it needs") from None
    return 0


def _product(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=object)) if shape else 1
