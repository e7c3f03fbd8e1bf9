"""The one place that knows the TFLite runtime."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge.errors import BundleError
from edge.vision.quant import Scale

Int8 = npt.NDArray[np.int8]
_QUIET = threading.RLock()


class Net(Protocol):
    """Something that runs a network: the int8 interpreter here, the float network when the two are compared."""

    shape: tuple[int, ...]
    scale_in: Scale
    output_shapes: list[tuple[int, ...]]
    scales_out: list[Any]

    def run(self, values: Int8) -> list[Any]: ...


class Interpreter:
    """One full-int8 model, ready to run. Not for use by several threads at once.

    `inputs` is the shape of its one input; `scale_in` and `scales_out` say what its numbers mean. `builtin` leaves XNNPACK out: slower, other last digits.
    """

    def __init__(self, model: bytes, name: str, threads: int = 1, builtin: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter as Runtime
        from ai_edge_litert.interpreter import OpResolverType

        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if builtin else OpResolverType.AUTO
        try:
            with quiet():
                self._runtime: Any = Runtime(model_content=model, num_threads=max(1, threads), experimental_op_resolver_type=kernels)
                self._runtime.allocate_tensors()
            entries, exits = self._runtime.get_input_details(), self._runtime.get_output_details()
            with quiet():
                self._runtime.invoke()  # some files, and some operations, are found wanting no sooner
        except (ValueError, RuntimeError, MemoryError, TypeError) as error:
            raise BundleError(f"{name}: not a TFLite model that can be run ({(str(error).splitlines() or ['out of memory'])[0]})") from None
        if any(detail["dtype"] is not np.int8 for detail in (*entries, *exits)):
            raise BundleError(f"{name}: its inputs and outputs are not int8; make it with python -m convert quantize")
        if len(entries) != 1 or any(not 0.0 < _scale(detail).scale < 1000.0 for detail in (*entries, *exits)):
            raise BundleError(f"{name}: it has {len(entries)} inputs, or numbers without a scale; make it with python -m convert quantize")
        (entry,) = entries
        self.shape: tuple[int, ...] = tuple(int(size) for size in entry["shape"])
        self.scale_in = _scale(entry)
        self._entry: int = entry["index"]
        self._exits = [(int(detail["index"]), _scale(detail)) for detail in exits]
        self.output_shapes = [tuple(int(size) for size in detail["shape"]) for detail in exits]
        self.scales_out: list[Any] = [scale for _, scale in self._exits]

    @property
    def delegated(self) -> bool | None:
        """Whether XNNPACK took operations of this model over, as the graph tells; None where the runtime does not let one look."""
        try:
            return any(operation["op_name"] == "DELEGATE" for operation in self._runtime._get_ops_details())
        except (AttributeError, KeyError, TypeError):  # no public call tells it
            return None

    def run(self, values: Int8) -> list[Any]:
        """One int8 array of `shape` in, the outputs in the model's order out (copies)."""
        self._runtime.set_tensor(self._entry, values)
        self._runtime.invoke()
        return [self._runtime.get_tensor(index) for index, _ in self._exits]


@contextmanager
def quiet() -> Iterator[None]:
    """The runtime's library writes a line about its delegate to the process's stderr, where only our own sentences belong."""
    with _QUIET:  # of two threads the second would take the first one's silence for what was there before
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _scale(detail: dict[str, Any]) -> Scale:
    scale, zero_point = detail["quantization"]
    return Scale(float(scale), int(zero_point))


def runtime_version() -> str:
    """Name and version of the runtime in use."""
    from importlib.metadata import version

    return f"ai-edge-litert {version('ai-edge-litert')}"
