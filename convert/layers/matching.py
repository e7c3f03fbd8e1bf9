"""Which tensor of the float file is which of the int8 file: by name, where names differ by place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from convert.graph.graph import Graph, Operation
from edge.errors import PlatewatchError

WEIGHTED = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "TRANSPOSE_CONV": 1, "FULLY_CONNECTED": 1}
"""Operations with weights, and which input these are."""
MOVING = {"RESHAPE", "STRIDED_SLICE", "SLICE", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS", "SPLIT", "CONCATENATION", "PACK", "UNPACK", "GATHER", "MAX_POOL_2D"}
NAMELESS = ("PartitionedCall", "StatefulPartitionedCall", "Identity")


class NoMatch(PlatewatchError, ValueError):
    """The two files are not of one network."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One result of one operation in both files; tensors by their numbers there.

    `weights` are the two files' weight tensors; `sources` the int8 file's tensors that it reads and others made (or the input).
    `fold` is the same for all steps of a recurrence that was written out: what it does to whose results, and its shape; the name for other layers.
    `moves`: it moves numbers and computes none, in the same scale; what is lost was lost before it.
    """

    operation: int
    kind: str
    name: str
    floats: int
    int8: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    sources: tuple[int, ...]
    weights: tuple[int, int] | None
    output: bool
    fold: str
    moves: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """`lost` names the int8 file's results without a partner; `placed` is how many were matched by place and not by name."""

    pairs: tuple[Pair, ...]
    lost: tuple[str, ...]
    placed: int

    @property
    def share(self) -> float:
        """Of the int8 file's results, those with a partner."""
        return len(self.pairs) / max(1, len(self.pairs) + len(self.lost))


def match(floats: Graph, int8: Graph) -> Matched:
    """Pairs in the int8 file's order. Raises NoMatch when less than half has a partner."""
    by_name = {(floats.tensors[index].name, floats.tensors[index].shape): (one, index) for one in floats.operations for index in one.outputs}
    same_steps = [one.name for one in floats.operations] == [one.name for one in int8.operations]
    maker = {index: one.name for one in int8.operations for index in one.outputs}
    made = {*maker, *int8.inputs}
    pairs: list[Pair] = []
    lost: list[str] = []
    placed = 0
    for one in int8.operations:
        for place, index in enumerate(one.outputs):
            tensor = int8.tensors[index]
            partner = by_name.get((tensor.name, tensor.shape))
            if partner is None and same_steps:
                there = floats.operations[one.index].outputs[place]
                if floats.tensors[there].shape == tensor.shape:
                    partner, placed = (floats.operations[one.index], there), placed + 1
            if partner is None or tensor.quantization is None or tensor.type != "int8" or floats.tensors[partner[1]].type != "float32":
                lost.append(tensor.name)
                continue
            scale, zero_point = tensor.quantization.scales[0], tensor.quantization.zero_points[0]
            sources = tuple(dict.fromkeys(source for source in one.inputs if source in made))
            weights = _weights(partner[0], one, floats, int8)
            name = short_name(tensor.name, int8.tensors[weights[1]].name if weights else "")
            fold = name if "/" in tensor.name or index in int8.outputs else _fold(one.name, [maker.get(source, "input") for source in sources], tensor.shape)
            moves = one.name in MOVING and all(int8.tensors[source].quantization == tensor.quantization for source in sources)
            pairs.append(
                Pair(one.index, one.name, name, partner[1], index, tensor.shape, scale, zero_point, sources, weights, index in int8.outputs, fold, moves)
            )
    matched = Matched(tuple(pairs), tuple(lost), placed)
    if matched.share < 0.5:
        raise NoMatch(f"only {100 * matched.share:.0f} % of the int8 file's layers are in the float file; name the run folder that it was made from")
    return matched


def _fold(kind: str, sources: list[str], shape: tuple[int, ...]) -> str:
    reads = " and ".join(sorted({source.lower() for source in sources}))
    return f"{kind.lower()} of {reads}, {'x'.join(map(str, shape))}"


def _weights(there: Operation, here: Operation, floats: Graph, int8: Graph) -> tuple[int, int] | None:
    place = WEIGHTED.get(here.name)
    if place is None or there.name != here.name:
        return None
    pair = there.inputs[place], here.inputs[place]
    told = floats.tensors[pair[0]], int8.tensors[pair[1]]
    fit = all(one.constant for one in told) and told[0].shape == told[1].shape and told[0].type == "float32" and told[1].type == "int8"
    return pair if fit and told[1].quantization is not None else None


def short_name(name: str, weights: str = "") -> str:
    """The layer in the converter's long name: "functional_1/stem_relu_1/Relu;functional_1/..." is stem_relu."""
    words = name.split(";")[0]
    if words.startswith(NAMELESS) and "/" in weights:
        words = weights.split(";")[0]
    parts = [part for part in words.split("/") if part != "batchnorm"]
    if len(parts) > 1:
        return re.sub(r"_\d+$", "", parts[-2])
    return re.sub(rf"^({'|'.join(NAMELESS)}):", "output ", words)
