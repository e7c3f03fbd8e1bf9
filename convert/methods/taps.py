"""What goes through a network: every tensor of a TFLite file on every calibration picture, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convert.methods.editing import Editing

Array = npt.NDArray[np.float32]
BINS = 2048
Tap = Callable[[int], Array]


@dataclass(slots=True)
class Histogram:
    """How often a tensor took which value. `counts[i]` is of BINS bins of equal width over `edges`; exact zeros are counted apart, as they
    cost nothing in int8. `low` and `high` are the true extremes."""

    edges: tuple[float, float]
    counts: npt.NDArray[np.float64]
    zeros: int = 0
    low: float = float("inf")
    high: float = float("-inf")

    @classmethod
    def over(cls, low: float, high: float) -> Histogram:
        """Empty, for values from `low` to `high`; a tensor that is always the same gets a little room."""
        return cls((low, max(high, low + max(1e-6, abs(low) * 1e-6))), np.zeros(BINS))

    def add(self, values: Array) -> None:
        """Values outside the edges fall into the outermost bins."""
        flat = values.ravel()
        self.low, self.high = min(self.low, float(flat.min())), max(self.high, float(flat.max()))
        other = flat[flat != 0]
        self.zeros += flat.size - other.size
        start, end = self.edges
        places = np.clip((other - start) * (BINS / (end - start)), 0, BINS - 1).astype(np.int32)
        self.counts += np.bincount(places, minlength=BINS)

    @property
    def middles(self) -> npt.NDArray[np.float64]:
        start, end = self.edges
        return np.asarray(start + (np.arange(BINS) + 0.5) * ((end - start) / BINS), np.float64)


def passes(model: bytes, pictures: Array, threads: int = 1) -> Iterator[Tap]:
    """For each picture (H, W, 1) float32 a function from a tensor's index to its float values, good until the next picture.

    Every tensor keeps memory of its own: in the runtime's usual plan some operations write over their input, and whoever looks afterwards, as
    TensorFlow's own calibrator does, takes the output's values for the input's.
    """
    from ai_edge_litert.interpreter import Interpreter as Runtime
    from ai_edge_litert.interpreter import OpResolverType

    from edge.model.tflite import quiet

    with quiet():
        runtime: Any = Runtime(
            model_content=model,
            num_threads=threads,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        runtime.allocate_tensors()
    (entry,) = runtime.get_input_details()
    scales = {int(one["index"]): one["quantization"] for one in runtime.get_tensor_details()}

    def tap(index: int) -> Array:
        values = runtime.get_tensor(index)
        if values.dtype == np.float32:
            return np.asarray(values)
        scale, zero_point = scales[index]
        return np.asarray((values.astype(np.float32) - zero_point) * np.float32(scale), np.float32)

    for picture in pictures:
        values = picture[None]
        if entry["dtype"] is not np.float32:
            scale, zero_point = scales[int(entry["index"])]
            values = np.clip(np.round(values / scale) + zero_point, -128, 127).astype(entry["dtype"])
        runtime.set_tensor(entry["index"], values)
        runtime.invoke()
        yield tap


def histograms(calibrated: bytes, pictures: Array, progress: Any = iter) -> dict[int, Histogram]:
    """Of every tensor whose range the calibrator noted. Its ranges are never too narrow."""
    found = {index: Histogram.over(low, high) for index, (low, high) in Editing(calibrated).ranges().items()}
    for tap in progress(passes(calibrated, pictures)):
        for index, one in found.items():
            one.add(tap(index))
    return found


def means(model: bytes, pictures: Array, tensors: Sequence[int]) -> dict[int, npt.NDArray[np.float64]]:
    """The mean over the pictures of each of these tensors, in its own shape."""
    sums: dict[int, Any] = dict.fromkeys(tensors, 0.0)
    for tap in passes(model, pictures):
        for index in sums:
            sums[index] = sums[index] + tap(index).astype(np.float64)
    return {index: np.asarray(total / len(pictures)) for index, total in sums.items()}
