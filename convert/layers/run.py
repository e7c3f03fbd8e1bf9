"""`python -m convert layers`: opens what is needed, measures, and gives it all as one record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.audit import audit
from convert.graph.graph import Graph
from convert.layers.harm import Harm, harms
from convert.layers.levelling import level_like
from convert.layers.matching import NoMatch, match
from convert.layers.measure import Floats, Layer, Tally, layers
from convert.layers.photographs import Disagreement, disagreements
from convert.layers.pictures import choose, draw, shown
from convert.layers.taps import Unusable, tally, weights_of, weights_sqnr
from convert.quantize import quantize
from edge.model.manifest import MANIFEST_FILE, Manifest, load_manifest
from edge.vision.alphabet import ALPHABET
from train.config import Experiment, load_experiment

HARM_PICTURES = 6
"""Of how many pictures the harm at the outputs is measured: a run of the network for each layer and picture."""
DRAWN_PLATES = {"reader": 300, "detector": 60}
"""Pictures drawn where no photographs are named."""
SAME_WEIGHTS = 15.0
"""dB: int8 weights of 8 bits lie near 40; of another training near 0."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found. `share` of the int8 file's layers were matched, `placed` of them by place; `lost` names the others.

    `all_weights`: SQNR at the outputs, dB, with all weights in int8 and all activations in float. `disagreement` None: nobody was asked to look.
    """

    name: str
    kind: str
    sha256: str
    pictures: int
    drawn: bool
    share: float
    placed: int
    lost: tuple[str, ...]
    layers: list[Layer]
    tallies: list[Tally]
    harms: list[Harm]
    all_weights: float | None
    disagreement: Disagreement | None

    @property
    def outputs(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.output]


def examine(run: Path, file: Path, folders: Sequence[Path], scratch: Path, float_file: Path | None = None, pictures: int = 32, progress: Any = iter) -> Report:
    """The int8 `file` beside the float weights of the run folder. Drawn pictures where `folders` is empty; they are left in `scratch`.

    Raises a PlatewatchError in one sentence when a file is not what it has to be, or the pictures do not fit.
    """
    experiment = load_experiment(run / "experiment.toml")
    kind = experiment.kind
    data = [Path(folder) for folder in folders]
    images = choose(kind, data, pictures) if data else []  # minutes before they are wanted, so that a wrong folder is said at once
    here = _int8(file)
    there_file = float_file or quantize(run, [], scratch / "float32.tflite", "float32")
    there = _float(there_file)
    floats, int8 = there_file.read_bytes(), file.read_bytes()
    if there.tensors[there.inputs[0]].shape != here.tensors[here.inputs[0]].shape:
        raise NoMatch(f"{file}: takes another size of picture than the float file; name the run folder that it was made from")
    matched = match(there, here)
    weights = weights_of(floats, int8, matched.pairs)
    if not _alike(weights):  # perhaps equalised
        floats = level_like(floats, matched.pairs, weights)
        weights = weights_of(floats, int8, matched.pairs)
    if not _alike(weights):
        raise NoMatch(f"{file}: its weights are not those of {float_file or run}, only the same kind of network; name the run folder that it was made from")
    said = weights_sqnr(weights)
    manifest = _manifest(experiment, file, int8, here)
    if not data:
        data = [draw(kind, scratch / "drawn", DRAWN_PLATES[kind])]
        images = choose(kind, data, pictures)
    chosen = list(shown(kind, images, manifest.width, manifest.height))
    tallies = tally(floats, int8, matched, progress(chosen))
    harmed, all_weights = harms(floats, matched.pairs, weights, chosen[:HARM_PICTURES], progress)
    return Report(
        manifest.name, kind, manifest.sha256, len(chosen), not folders, matched.share, matched.placed, matched.lost, layers(tallies, said), tallies,
        harmed, all_weights, disagreements(manifest, floats, int8, data, progress),
    )  # fmt: skip


def _alike(weights: Mapping[int, tuple[Floats, Floats]]) -> bool:
    """Whether most layers have the same weights, but for rounding to 8 bits."""
    said = weights_sqnr(dict(weights))
    return not said or float(np.median([99.0 if one is None else one for one in said.values()])) >= SAME_WEIGHTS


def _int8(file: Path) -> Graph:
    found = audit(file)
    if found.complaints:
        raise Unusable(f"{file}: not an int8 file that may ship ({found.complaints[0]}); make one with python -m convert quantize")
    return found.graph


def _float(file: Path) -> Graph:
    found = audit(file, allow_float=True)
    if found.complaints:
        raise Unusable(f"{file}: cannot be used ({found.complaints[0]}); leave --float out, and it is made from the run folder")
    made = {index for one in found.graph.operations for index in one.outputs}
    if any(found.graph.tensors[index].type != "float32" for index in (*made, *found.graph.inputs)) or {"int8", "float16"} & set(found.tensor_types):
        raise Unusable(f"{file}: not a file of 32-bit floats throughout; leave --float out, and it is made from the run folder")
    return found.graph


def _manifest(experiment: Experiment, file: Path, content: bytes, graph: Graph) -> Manifest:
    """Of the bundle that the file lies in, if it does; else with the defaults of the experiment's kind."""
    digest = hashlib.sha256(content).hexdigest()
    if file.with_name(MANIFEST_FILE).is_file():
        manifest, model = load_manifest(file.parent, experiment.kind)
        if model == content:
            return manifest
    _, height, width, _ = graph.tensors[graph.inputs[0]].shape
    return Manifest(
        name=f"{experiment.name}-{digest[:8]}", kind=experiment.kind, codec=experiment.codec, width=width, height=height,
        alphabet=ALPHABET if experiment.kind == "reader" else "", sha256=digest,
    )  # fmt: skip
