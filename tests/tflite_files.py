"""TFLite files made by hand, byte by byte of our own choice: no converter, no TensorFlow."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

INT8, FLOAT32, INT32 = schema.TensorType.INT8, schema.TensorType.FLOAT32, schema.TensorType.INT32
OPTIONS = {"ADD": "AddOptions", "CONCATENATION": "ConcatenationOptions", "FULLY_CONNECTED": "FullyConnectedOptions", "RESHAPE": "ReshapeOptions"}


class Maker:
    """`tensor` and `operation` in order, then `content`."""

    def __init__(self) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.operatorCodes, self.model.buffers, self.model.subgraphs = 3, [], [schema.BufferT()], [self.graph]
        self.graph.tensors, self.graph.operators, self.graph.inputs, self.graph.outputs = [], [], [], []

    def tensor(self, *shape: int, type: int = INT8, data: Any = None, scales: tuple[float, ...] = (0.05,), zero: int = 0, axis: int = 0, name: str = "") -> int:
        """Its number. `data` makes it a constant; `scales` count for int8, and for int32 when they are not the default."""
        one = schema.TensorT()
        one.shape, one.type, one.buffer, one.name = list(shape), type, 0, name or f"t{len(self.graph.tensors)}"
        if scales and (type == INT8 or (type == INT32 and scales != (0.05,))):
            one.quantization = schema.QuantizationParametersT()
            one.quantization.scale, one.quantization.zeroPoint, one.quantization.quantizedDimension = list(scales), [zero] * len(scales), axis
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            one.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(one)
        return len(self.graph.tensors) - 1

    def operation(self, name: str, inputs: list[int], outputs: list[int], custom: bytes | None = None, version: int = 1) -> None:
        code, one = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version, code.customCode = min(127, code.builtinCode), version, custom
        self.model.operatorCodes.append(code)
        one.opcodeIndex, one.inputs, one.outputs = len(self.model.operatorCodes) - 1, inputs, outputs
        if name in OPTIONS:
            one.builtinOptionsType, one.builtinOptions = getattr(schema.BuiltinOptions, OPTIONS[name]), getattr(schema, f"{OPTIONS[name]}T")()
        self.graph.operators.append(one)

    def content(self, inputs: list[int], outputs: list[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def a_reader(weights: np.ndarray, int8: bool, scale: float = 1.0, hidden: str = "hidden/MatMul", bits: int = 8) -> bytes:
    """A network with a reader's ends, (1, 48, 128, 1) -> (1, 64, 37): `weights` (37, 96) on every 96 pixels, then a sigmoid, then a sum with itself.

    `scale` widens the int8 range of the hidden layer beyond need, so that it loses more; fewer `bits` make its weights coarser.
    """
    make = Maker()
    kind = INT8 if int8 else FLOAT32
    reach = float(np.abs(weights).sum(axis=1).max())
    step = float(np.abs(weights).max()) / (2 ** (bits - 1) - 1)
    entry = make.tensor(1, 48, 128, 1, type=kind, scales=(1 / 128,), name="luma")
    shape = make.tensor(2, type=INT32, data=np.array([64, 96], np.int32), name="shape")
    rows = make.tensor(64, 96, type=kind, scales=(1 / 128,), name="front/Reshape")
    stored = np.round(weights / step).astype(np.int8) if int8 else weights.astype(np.float32)
    kernel = make.tensor(37, 96, type=kind, data=stored, scales=(step,), name="hidden/kernel")
    bias_type = INT32 if int8 else FLOAT32
    bias = make.tensor(37, type=bias_type, data=np.zeros(37, np.int32 if int8 else np.float32), scales=(step / 128,), name="hidden/bias")
    product = make.tensor(64, 37, type=kind, scales=(scale * reach / 127,), name=hidden)
    squashed = make.tensor(64, 37, type=kind, scales=(1 / 256,), zero=-128, name="squash/Sigmoid")
    twice = make.tensor(64, 37, type=kind, scales=(2 / 256,), zero=-128, name="twice/Add")
    last = make.tensor(3, type=INT32, data=np.array([1, 64, 37], np.int32), name="last")
    out = make.tensor(1, 64, 37, type=kind, scales=(2 / 256,), zero=-128, name="PartitionedCall:0")
    make.operation("RESHAPE", [entry, shape], [rows])
    make.operation("FULLY_CONNECTED", [rows, kernel, bias], [product], version=4 if int8 else 1)
    make.operation("LOGISTIC", [product], [squashed], version=2 if int8 else 1)
    make.operation("ADD", [squashed, squashed], [twice], version=2 if int8 else 1)
    make.operation("RESHAPE", [twice, last], [out])
    return make.content([entry], [out])
