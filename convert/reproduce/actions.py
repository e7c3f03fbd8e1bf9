"""What each step does, in a process of its own: takes words and paths, gives values of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convert.reproduce.inputs import of_file

Value = dict[str, Any]


def make(run: Path, folders: list[Path], file: Path, variant: str) -> Value:
    """The variant's file and the record of how it was made."""
    from convert.quantize import calibration_record, quantize

    staged = file.with_suffix(".part")
    quantize(run, folders, staged, variant).replace(file)
    return {"sha256": of_file(file), "bytes": file.stat().st_size, "record": calibration_record(file)}


def check(run: Path, file: Path) -> Value:
    """Whether the float32 file computes what Keras computes; `difference` is the largest in any output."""
    from convert.gate.floats import checked

    return {"difference": checked(run, file)[1]}


def audit(file: Path) -> Value:
    """What must not be in it, and what it is."""
    from convert.audit import audit as look

    found = look(file)
    return {"complaints": list(found.complaints), "macs": found.macs, "bytes": found.size, "operations": dict(found.operations)}


def look(run: Path, file: Path, folders: list[Path], views: int, most: int | None) -> Value:
    """What the variant makes of the photographs, or of about `most` of them, evenly taken: `convert.gate.sides.Seen`."""
    import cv2

    from convert.gate.input import manifest_of
    from convert.gate.sides import look as see
    from convert.nets import VariantNet

    cv2.setNumThreads(1)
    model = file.read_bytes()

    def some(items: Sequence[Any]) -> Sequence[Any]:
        return items if most is None else items[:: max(1, -(-len(items) // most))]

    return see(manifest_of(run, model, None), VariantNet(model, file.name), folders, some, views).as_json()


def speed(kind: str, run: Path, files: dict[str, str], threads: int) -> Value:
    """Variant -> milliseconds of one run, in turns."""
    from convert.bench.variants import measure_variants
    from convert.gate.input import manifest_of

    manifest = manifest_of(run, b"", None)
    timings = measure_variants({name: Path(path) for name, path in files.items()}, kind, threads, manifest=manifest)
    return {name: timing.model_dump() for name, timing in timings.items()}


def cost(kind: str, file: Path, cpus: list[str]) -> Value:
    """Processor -> guest instructions of one run, or why there are none."""
    from convert.cost import instructions
    from edge.errors import PlatewatchError

    try:
        return {"instructions": {cpu: instructions(file, kind, cpu) for cpu in cpus}}
    except PlatewatchError as error:
        return {"why": str(error)}
