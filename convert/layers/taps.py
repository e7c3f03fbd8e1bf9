"""Both networks run on the same pictures with every layer's result kept, and every int8 layer by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convert.layers.matching import Matched, Pair
from convert.layers.measure import Floats, Tally, decibels, quantized
from convert.layers.surgery import cut_apart
from edge.errors import PlatewatchError
from edge.model.tflite import quiet
from edge.records import Luma
from edge.vision.quant import normalise


class Unusable(PlatewatchError, ValueError):
    """A file cannot be looked into."""


class Open:
    """A file in the runtime. `keep`: every result can be asked for, on the runtime's own kernels, as XNNPACK keeps its results to itself."""

    def __init__(self, content: bytes, name: str, keep: bool = True) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if keep else OpResolverType.AUTO
        try:
            with quiet():
                self._runtime: Any = Interpreter(
                    model_content=content, experimental_op_resolver_type=plain, experimental_preserve_all_tensors=keep, num_threads=1
                )
                self._runtime.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise Unusable(f"{name}: the runtime refuses it ({str(error).splitlines()[0]})") from None
        self.entries: list[dict[str, Any]] = self._runtime.get_input_details()
        self.entry = self.entries[0]
        self.exits = [int(one["index"]) for one in self._runtime.get_output_details()]

    def put(self, index: int, values: npt.NDArray[Any]) -> None:
        self._runtime.set_tensor(index, values)

    def run(self) -> None:
        self._runtime.invoke()

    def get(self, index: int) -> npt.NDArray[Any]:
        """A copy."""
        return np.asarray(self._runtime.get_tensor(index))


def float_input(luma: Luma) -> Floats:
    """(H, W) uint8 -> (1, H, W, 1) float32, as in training."""
    return normalise(luma)[None, :, :, None]


def tally(floats: bytes, int8: bytes, matched: Matched, pictures: Iterable[Luma]) -> list[Tally]:
    """Sums over the pictures, one tally a pair. The pictures are of the networks' size."""
    cut, twins = cut_apart(int8)
    there, here, apart = Open(floats, "the float file"), Open(int8, "the int8 file"), Open(cut, "the int8 file, cut apart")
    scale, zero = here.entry["quantization"]
    tallies = [Tally.of(pair) for pair in matched.pairs]
    # Layers without a partner read zeros when they stand alone, and nobody looks at what they make of it.
    for luma in pictures:
        values = float_input(luma)
        told = quantized(values, scale, zero)
        there.put(there.entry["index"], values)
        here.put(here.entry["index"], told)
        apart.put(here.entry["index"], told)
        there.run()
        here.run()
        results = [there.get(pair.floats) for pair in matched.pairs]
        for pair, result in zip(matched.pairs, results, strict=True):
            if pair.int8 in twins:
                apart.put(twins[pair.int8], quantized(result, pair.scale, pair.zero_point))
        apart.run()
        for one, result in zip(tallies, results, strict=True):
            one.add(result, here.get(one.pair.int8), apart.get(one.pair.int8))
    return tallies


def weights_of(floats: bytes, int8: bytes, pairs: Sequence[Pair]) -> dict[int, tuple[Floats, Floats]]:
    """By the layer's int8 tensor: its float weights, and its int8 weights as floats."""
    there, here = Open(floats, "the float file"), Open(int8, "the int8 file")
    details = {int(one["index"]): one["quantization_parameters"] for one in here._runtime.get_tensor_details()}
    found = {}
    for pair in pairs:
        if pair.weights is None:
            continue
        said = details[pair.weights[1]]
        numbers = here.get(pair.weights[1]).astype(np.float32)
        along = [1] * numbers.ndim
        if len(said["scales"]) > 1:
            along[int(said["quantized_dimension"])] = -1
        scales, zeros = (np.asarray(said[key], np.float32).reshape(along) for key in ("scales", "zero_points"))
        found[pair.int8] = there.get(pair.weights[0]), np.asarray((numbers - zeros) * scales, np.float32)
    return found


def weights_sqnr(found: dict[int, tuple[Floats, Floats]]) -> dict[int, float | None]:
    """dB by the layer's int8 tensor."""
    return {index: decibels(float(np.square(one).sum()), float(np.square(other - one).sum())) for index, (one, other) in found.items()}
