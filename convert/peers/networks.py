"""Any ONNX or TFLite file as floats in, floats out."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from convert.peers.base import PeerError
from edge.model.tflite import quiet

Floats = npt.NDArray[np.float32]


class Network(Protocol):
    """`run` takes one float array of `shape` (None: any size) and gives the outputs by name, in the model's order."""

    shape: tuple[int | None, ...]
    version: tuple[str, str]

    def run(self, values: Floats) -> dict[str, Floats]: ...


def open_network(file: Path, threads: int) -> Network:
    """By the file's ending. Raises PeerError when it cannot be run."""
    return OnnxNetwork(file, threads) if file.suffix == ".onnx" else TfliteNetwork(file, threads)


def needed(module: str, package: str, why: str) -> Any:
    """A module of a package that Platewatch does not need. Raises PeerError that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise PeerError(f"{why} needs {package}, which is not installed here ({error}); pip install '{package}', or leave this peer out") from None


class OnnxNetwork:
    """On the processor, with so many threads."""

    def __init__(self, file: Path, threads: int) -> None:
        runtime = needed("onnxruntime", "onnxruntime", f"{file.name}:")
        self.version = ("onnxruntime", str(runtime.__version__))
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
        try:
            self._session: Any = runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            raise PeerError(f"{file}: onnxruntime cannot run it ({str(error).splitlines()[0][:160]})") from None
        entries = self._session.get_inputs()
        if len(entries) != 1:
            raise PeerError(f"{file}: has {len(entries)} inputs; one picture is what it can be given")
        self._entry, self._exits = entries[0].name, [one.name for one in self._session.get_outputs()]
        self.shape: tuple[int | None, ...] = tuple(size if isinstance(size, int) else None for size in entries[0].shape)
        kinds = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}
        if entries[0].type not in kinds:
            raise PeerError(f"{file}: takes {entries[0].type}; floats or 8-bit integers are what it can be given")
        self._kind: Any = kinds[entries[0].type]

    def run(self, values: Floats) -> dict[str, Floats]:
        """An integer input is given rounded values."""
        given = values.astype(self._kind) if self._kind in (np.float32, np.float16) else _rounded(values, self._kind)
        outputs = self._session.run(self._exits, {self._entry: given})
        return {name: np.asarray(value, np.float32) for name, value in zip(self._exits, outputs, strict=True)}


class TfliteNetwork:
    """Quantized inputs and outputs are brought from and to floats by their scales."""

    def __init__(self, file: Path, threads: int) -> None:
        from importlib.metadata import version

        module = needed("ai_edge_litert.interpreter", "ai-edge-litert", f"{file.name}:")
        self.version = ("ai-edge-litert", version("ai-edge-litert"))
        try:
            with quiet():
                self._runtime: Any = module.Interpreter(model_path=str(file), num_threads=threads)
                self._runtime.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise PeerError(f"{file}: LiteRT cannot run it ({str(error).splitlines()[0][:160]})") from None
        entries = self._runtime.get_input_details()
        if len(entries) != 1:
            raise PeerError(f"{file}: has {len(entries)} inputs; one picture is what it can be given")
        (self._entry,) = entries
        self._exits = self._runtime.get_output_details()
        self.shape: tuple[int | None, ...] = tuple(int(size) for size in self._entry["shape"])

    def run(self, values: Floats) -> dict[str, Floats]:
        kind, (scale, zero) = self._entry["dtype"], self._entry["quantization"]
        given = values.astype(kind) if np.issubdtype(kind, np.floating) else _rounded(values / scale + zero if scale else values, kind)
        self._runtime.set_tensor(self._entry["index"], given)
        self._runtime.invoke()
        return {str(one["name"]): _floats(self._runtime.get_tensor(one["index"]), one) for one in self._exits}


def _rounded(values: Floats, kind: Any) -> npt.NDArray[Any]:
    limits = np.iinfo(kind)
    return np.clip(np.rint(values), limits.min, limits.max).astype(kind)


def _floats(values: npt.NDArray[Any], detail: dict[str, Any]) -> Floats:
    scale, zero = detail["quantization"]
    return np.asarray((values.astype(np.float32) - zero) * scale if scale else values, np.float32)
