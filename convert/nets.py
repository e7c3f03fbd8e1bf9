"""Any TFLite variant under any runtime as a net of the device, so that the device's own code reads with it."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import PlatewatchError
from edge.model.tflite import quiet
from edge.vision.quant import Scale
from train.evaluation.nets import Plain

RUNTIMES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter", "tensorflow": "tensorflow.lite.python.interpreter"}
"""Name -> the module that holds its Interpreter."""


class RuntimeMissing(PlatewatchError, ImportError):
    """The runtime is not installed here."""


class VariantNet:
    """A TFLite file of floats or integers as an `edge.model.tflite.Net`. Takes int8 luma as the device gives it: value / 128 is the float."""

    def __init__(self, model: bytes, name: str, runtime: str = "litert", threads: int = 1) -> None:
        try:
            with quiet():  # TensorFlow greets the world on stderr
                module = importlib.import_module(RUNTIMES[runtime])
        except ImportError:
            raise RuntimeMissing(f"{runtime} is not installed here; leave it out, or install it with pip") from None
        try:
            with quiet(), warnings.catch_warnings():
                # TensorFlow says here that its interpreter will move house: for whoever compares the two that is no news.
                warnings.simplefilter("ignore")
                self._runtime: Any = module.Interpreter(model_content=model, num_threads=max(1, threads))
                self._runtime.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise PlatewatchError(f"{name}: {runtime} cannot run it ({str(error).splitlines()[0]})") from None
        except SystemError:  # what tflite-runtime 2.14 says under NumPy 2
            raise PlatewatchError(f"{name}: {runtime} was built for another NumPy than {np.__version__}; give it an environment with numpy<2") from None
        (entry,) = self._runtime.get_input_details()
        exits = self._runtime.get_output_details()
        self.shape: tuple[int, ...] = tuple(int(size) for size in entry["shape"])
        self.scale_in = Scale(1.0 / 128.0, 0) if entry["dtype"] is np.float32 else _scale(entry)
        self.output_shapes = [tuple(int(size) for size in detail["shape"]) for detail in exits]
        self.scales_out: list[Any] = [Plain() if detail["dtype"] is np.float32 else _scale(detail) for detail in exits]
        self._entry, self._floats = int(entry["index"]), entry["dtype"] is np.float32
        self._exits = [int(detail["index"]) for detail in exits]

    def run(self, values: npt.NDArray[np.int8]) -> list[Any]:
        """One int8 array of `shape` in, the outputs in the model's order out (copies)."""
        self._runtime.set_tensor(self._entry, self.scale_in.dequantize(values) if self._floats else values)
        self._runtime.invoke()
        return [self._runtime.get_tensor(index) for index in self._exits]


def _scale(detail: dict[str, Any]) -> Scale:
    scale, zero_point = detail["quantization"]
    return Scale(float(scale), int(zero_point))
