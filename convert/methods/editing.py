"""A TFLite file opened for editing: its ranges, its weights and biases, and the layers that have them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
KINDS = {3: "conv", 4: "depthwise", 9: "dense", 67: "transposed"}
"""Builtin operators (numbers of the TFLite schema) that multiply an input by constant weights, and what we call them."""
TYPES: dict[int, type[np.generic]] = {0: np.float32, 2: np.int32, 9: np.int8}
RELU, FLOAT = 1, 0


@dataclass(frozen=True, slots=True)
class Layer:
    """Indexes of tensors; `bias` None without one. Weights are (out, h, w, in), depthwise (1, h, w, channels), dense (out, in)."""

    kind: str
    input: int
    weights: int
    bias: int | None
    output: int
    relu: bool
    linear: bool
    options: Any


class Editing:
    """One model, of one subgraph. Tensors are known by their index."""

    def __init__(self, model: bytes) -> None:
        from tensorflow.lite.tools import flatbuffer_utils

        self._model = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
        (self._graph,) = self._model.subgraphs
        self.inputs, self.outputs = [int(one) for one in self._graph.inputs], [int(one) for one in self._graph.outputs]
        self.layers = [layer for operator in self._graph.operators if (layer := self._layer(operator))]
        self.uses = Counter(int(index) for operator in self._graph.operators for index in operator.inputs if index >= 0)

    def to_bytes(self) -> bytes:
        from tensorflow.lite.tools import flatbuffer_utils

        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def name(self, tensor: int) -> str:
        return str(self._graph.tensors[tensor].name.decode(errors="replace"))

    def constant(self, tensor: int) -> Numbers:
        """The values that stand in the file (a copy)."""
        one = self._graph.tensors[tensor]
        data = np.asarray(self._model.buffers[one.buffer].data, dtype=np.uint8).tobytes()
        return np.frombuffer(data, TYPES[one.type]).reshape(one.shape).copy()

    def is_constant(self, tensor: int) -> bool:
        data = self._model.buffers[self._graph.tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def set_constant(self, tensor: int, values: Numbers) -> None:
        """In a buffer of its own, as tensors that are equal share one; what nothing shares is written over, so that no file grows."""
        from tensorflow.lite.python.schema_py_generated import BufferT

        one = self._graph.tensors[tensor]
        if tuple(values.shape) != tuple(one.shape):
            raise ValueError(f"{self.name(tensor)}: shape {values.shape} for {tuple(one.shape)}")
        if sum(other.buffer == one.buffer for other in self._graph.tensors) > 1:
            self._model.buffers.append(BufferT())
            one.buffer = len(self._model.buffers) - 1
        self._model.buffers[one.buffer].data = np.frombuffer(values.astype(TYPES[one.type]).tobytes(), np.uint8)

    def scales(self, tensor: int) -> tuple[Numbers, Numbers]:
        """(N,) float64 and int64: scale and zero point, one for the tensor or one a channel."""
        quantization = self._graph.tensors[tensor].quantization
        return np.asarray(quantization.scale, np.float64), np.asarray(quantization.zeroPoint, np.int64)

    def ranges(self) -> dict[int, tuple[float, float]]:
        """Least and greatest value of each float tensor that the calibrator noted."""
        found = {}
        for index, one in enumerate(self._graph.tensors):
            noted = one.quantization
            if one.type == FLOAT and noted is not None and noted.min is not None and len(noted.min) == 1 and not self.is_constant(index):
                found[index] = (float(noted.min[0]), float(noted.max[0]))
        return found

    def set_range(self, tensor: int, low: float, high: float) -> None:
        noted = self._graph.tensors[tensor].quantization
        noted.min, noted.max = [low], [high]

    def producers(self) -> dict[int, Layer]:
        """Output tensor -> the layer that makes it."""
        return {layer.output: layer for layer in self.layers}

    def _layer(self, operator: Any) -> Layer | None:
        code = self._model.operatorCodes[operator.opcodeIndex]
        kind = KINDS.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if kind is None:
            return None
        places = [int(index) for index in operator.inputs]
        entry, weights, bias = (2, 1, 3) if kind == "transposed" else (0, 1, 2)
        if not self.is_constant(places[weights]):
            return None
        fused = operator.builtinOptions.fusedActivationFunction
        held = places[bias] if len(places) > bias and places[bias] >= 0 else None
        return Layer(kind, places[entry], places[weights], held, int(operator.outputs[0]), fused == RELU, fused == 0, operator.builtinOptions)
