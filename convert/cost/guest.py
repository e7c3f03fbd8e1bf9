"""Runs inside the emulated arm64 system: it may import `edge` and the runtime dependencies, nothing else of the project.

`python guest.py network FILE`, `frames DETECTOR READER EMPTY PLATE` or `golden FOLDER...`. Prints one line of JSON. Between two marks lies one
measured interval; the labels of the intervals, in their order, are part of what is printed.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

WARM, MEASURED = 1, 2
"""Runs that count for nothing (caches fill, tables are loaded), and runs that count: a count repeats so well that more of them tell no more."""
NOTHING = "nothing"
"""An empty interval: what a mark itself costs."""
READ = "read"
"""`platewatch read` on a picture with one plate; its parts are `PARTS`."""
PARTS = ("load the picture", "find plates", "read plates", "country rules")
FRAMES = ("daemon frame, no plate", "daemon frame, 1 plate")


class Marks:
    """`interval(label, action)` is one measured interval; while `warming` it has no label and counts for nothing."""

    def __init__(self, warming: bool = False) -> None:
        self.labels: list[str] = []
        self.warming = warming
        os.getsid(0)  # the counter writes the number of instructions at each of these calls

    def interval(self, label: str, action: Callable[[], Any]) -> Any:
        self.labels.append("")
        os.getsid(0)
        value = action()
        os.getsid(0)
        self.labels.append("" if self.warming else label)
        return value


def network(path: str) -> dict[str, Any]:
    """One run of any TFLite file, its input a ramp."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    runtime = Interpreter(model_path=path, num_threads=1)
    runtime.allocate_tensors()
    (entry,) = runtime.get_input_details()
    size = int(np.prod(entry["shape"]))
    luma = np.arange(size, dtype=np.int64).reshape(entry["shape"]) * 29 % 256 - 128
    runtime.set_tensor(entry["index"], (luma / 128).astype(entry["dtype"]) if entry["dtype"] is np.float32 else luma.astype(entry["dtype"]))
    for _ in range(WARM + 1):
        runtime.invoke()
    gc.collect()
    gc.disable()
    marks = Marks()
    for _ in range(MEASURED):
        marks.interval(NOTHING, lambda: None)
        marks.interval("invoke", runtime.invoke)
    return {"labels": marks.labels, "delegated": any(operation["op_name"] == "DELEGATE" for operation in runtime._get_ops_details())}


def frames(detector_folder: str, reader_folder: str, empty: str, plate: str) -> dict[str, Any]:
    """`platewatch read` on a picture with a plate, part by part, and a frame of the daemon without and with one."""
    from edge.bench.stages import Models, runs_of, whole_frame
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.plates.ruled import apply_rules
    from edge.vision.image import load_image

    nets = load(detector_folder), load(reader_folder)
    models = Models.of(*nets)
    careful = Detector(nets[0][0], models.nets[0]), Reader(nets[1][0], models.nets[1])
    pictures = dict(zip(FRAMES, (load_image(path)[0] for path in (empty, plate)), strict=True))
    marks = Marks(warming=True)

    def read() -> object:
        luma, _ = marks.interval(PARTS[0], lambda: load_image(plate))
        found = marks.interval(PARTS[1], lambda: careful[0].detect(luma))
        reads = marks.interval(PARTS[2], lambda: [careful[1].read(luma, one.quad, one.lines) for one in found])
        return marks.interval(PARTS[3], lambda: [apply_rules(one, "auto") for one in reads])

    runs = {READ: (0, 0)}
    for turn in range(WARM + MEASURED):
        if turn == WARM:
            gc.collect()
            gc.freeze()
            marks.warming = False
        marks.interval(NOTHING, lambda: None)
        runs[READ] = runs_of(models, read)
        for label, luma in pictures.items():
            step = whole_frame(models, luma)
            runs[label] = runs_of(models, lambda label=label, step=step: marks.interval(label, step))  # type: ignore[misc]
    return {"labels": marks.labels, "runs": runs}


def load(folder: str) -> tuple[Any, Any]:
    """Manifest and net of a bundle that the host has checked: the rehearsal of a foreign one starts a process, which an emulated system cannot."""
    from edge.model.tflite import Interpreter

    manifest, model = _files(Path(folder))
    return manifest, Interpreter(model, manifest.name)


def golden(*folders: str) -> dict[str, Any]:
    """The device's own self-test of each bundle."""
    from edge.model.selftest import self_test_of

    return {folder: asdict(self_test_of(*_files(Path(folder)))) for folder in folders}


def _files(folder: Path) -> tuple[Any, bytes]:
    from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, Manifest

    return Manifest.of(json.loads((folder / MANIFEST_FILE).read_bytes())), (folder / MODEL_FILE).read_bytes()


def loaded() -> list[str]:
    """The project's files that this program is made of: what was measured holds until one of them changes."""
    root = str(Path(__file__).resolve().parents[2])
    files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    return sorted(file for file in files if file.startswith(root) and file.endswith(".py"))


if __name__ == "__main__":
    actions: dict[str, Callable[..., dict[str, Any]]] = {"network": network, "frames": frames, "golden": golden}
    answer = actions[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"answer": answer, "files": loaded()}))
