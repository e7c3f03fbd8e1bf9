"""Opens a TFLite file and refuses what must not be in it: float tensors, Flex operations, variables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import PlatewatchError

ALLOWED = {np.int8, np.int32}
"""int8 for everything, int32 for biases and shapes."""


class AuditError(PlatewatchError, ValueError):
    """The file is no TFLite model."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What is in the file. `complaints` is empty for a file that may ship."""

    operations: Counter[str]
    tensor_types: Counter[str]
    macs: int
    size: int
    complaints: tuple[str, ...]


def audit(path: Path) -> Audit:
    """Every tensor and operation of the file, before any delegate takes some away. Raises AuditError when it cannot be opened."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        model = path.read_bytes()
        runtime: Any = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    except (OSError, ValueError) as error:
        raise AuditError(f"{path}: no TFLite model ({str(error).splitlines()[0]})") from None
    tensors = {detail["index"]: detail for detail in runtime.get_tensor_details()}
    operations = runtime._get_ops_details()
    complaints = [f"tensor {detail['name']} is {np.dtype(detail['dtype']).name}" for detail in tensors.values() if detail["dtype"] not in ALLOWED]
    names = Counter(str(operation["op_name"]) for operation in operations)
    complaints += [f"operation {name}: the device has no such thing" for name in names if name.startswith("Flex") or name in ("CUSTOM", "WHILE", "IF")]
    complaints += [f"operation {name}: the graph keeps state between runs" for name in names if "VARIABLE" in name or name.startswith("UNIDIRECTIONAL")]
    complaints += [f"operation {name}: an island of float" for name in names if name in ("QUANTIZE", "DEQUANTIZE") and names["DEQUANTIZE"]]
    for detail in (*runtime.get_input_details(), *runtime.get_output_details()):
        if detail["dtype"] is not np.int8:
            complaints.append(f"{detail['name']}: input and output must be int8")
    macs = sum(_macs(operation, tensors) for operation in operations)
    return Audit(names, Counter(np.dtype(detail["dtype"]).name for detail in tensors.values()), macs, len(model), tuple(dict.fromkeys(complaints)))


def _macs(operation: dict[str, Any], tensors: dict[int, dict[str, Any]]) -> int:
    """Multiply-accumulates of one operation."""
    inputs = [tensors[int(index)]["shape"] for index in operation["inputs"] if int(index) >= 0]
    output = tensors[int(operation["outputs"][0])]["shape"]
    match operation["op_name"]:
        case "CONV_2D":
            return int(np.prod(output) * np.prod(inputs[1][1:]))
        case "DEPTHWISE_CONV_2D":
            return int(np.prod(output) * np.prod(inputs[1][1:3]))
        case "TRANSPOSE_CONV":
            return int(np.prod(inputs[2][:3]) * np.prod(inputs[1]))
        case "FULLY_CONNECTED":
            return int(np.prod(inputs[0]) * inputs[1][0])
        case _:
            return 0
