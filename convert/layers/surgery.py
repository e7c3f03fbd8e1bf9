"""TFLite files taken apart and put together again, so that one layer can be asked at a time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def unpack(content: bytes) -> Any:
    """The file as the schema's own objects. Only for files that `convert.audit` has passed."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(content, 0)


def pack(model: Any) -> bytes:
    """The objects as a file. Signatures are dropped: they name inputs that are no longer all."""
    import flatbuffers  # type: ignore[import-untyped]

    model.signatureDefs = []
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def made(model: Any) -> list[int]:
    """Tensors that an operation makes, in order."""
    return [int(index) for operation in model.subgraphs[0].operators for index in operation.outputs]


def cut_apart(content: bytes) -> tuple[bytes, dict[int, int]]:
    """Every operation fed from outside: (file, tensor made in the original -> the input that stands for it).

    What an operation makes is an output; what it reads, a twin of the tensor that another one made, is an input of the graph.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    twins: dict[int, int] = {}
    results = made(model)
    for index in results:
        twin = copy.copy(graph.tensors[index])
        twin.name = f"twin of {index}".encode()
        graph.tensors.append(twin)
        twins[index] = len(graph.tensors) - 1
    for operation in graph.operators:
        operation.inputs = [twins.get(int(index), int(index)) for index in operation.inputs]
    read = {index for operation in graph.operators for index in operation.inputs}
    graph.inputs = [*(int(index) for index in graph.inputs), *(twin for twin in twins.values() if twin in read)]
    graph.outputs = results
    return pack(model), {index: twin for index, twin in twins.items() if twin in read}


def with_noise(content: bytes) -> tuple[bytes, dict[int, int]]:
    """A float graph to each of whose results something is added: (file, result -> the input that is added to it). Zeros leave it as it was."""
    from ai_edge_litert import schema_py_generated as schema

    model = unpack(content)
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
    code.version = 1
    model.operatorCodes.append(code)
    noises: dict[int, int] = {}
    sums: dict[int, int] = {}
    operators = []
    for operation in graph.operators:
        operation.inputs = [sums.get(int(index), int(index)) for index in operation.inputs]
        operators.append(operation)
        for index in (int(result) for result in operation.outputs):
            if graph.tensors[index].type != schema.TensorType.FLOAT32:
                continue
            for name, place in (("noise", noises), ("sum", sums)):
                tensor = copy.copy(graph.tensors[index])
                tensor.name, tensor.buffer = f"{name} of {index}".encode(), 0
                graph.tensors.append(tensor)
                place[index] = len(graph.tensors) - 1
            addition = schema.OperatorT()
            addition.opcodeIndex = len(model.operatorCodes) - 1
            addition.inputs, addition.outputs = [index, noises[index]], [sums[index]]
            addition.builtinOptionsType, addition.builtinOptions = schema.BuiltinOptions.AddOptions, schema.AddOptionsT()
            operators.append(addition)
    graph.operators = operators
    graph.inputs = [*(int(index) for index in graph.inputs), *noises.values()]
    graph.outputs = [sums.get(int(index), int(index)) for index in graph.outputs]
    return pack(model), noises


def with_weights(content: bytes, values: Mapping[int, npt.NDArray[np.float32]]) -> bytes:
    """The float file with these constants, tensor -> values, in place of its own."""
    model = unpack(content)
    graph = model.subgraphs[0]
    for index, array in values.items():
        buffer = copy.copy(model.buffers[graph.tensors[index].buffer])
        buffer.data = np.frombuffer(np.ascontiguousarray(array, np.float32).tobytes(), np.uint8)
        model.buffers.append(buffer)
        graph.tensors[index].buffer = len(model.buffers) - 1
    return pack(model)
