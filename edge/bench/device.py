"""The benchmark of a device: the bundles that it runs, thread count by thread count."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.bench.advice import advice
from edge.bench.circumstances import Circumstances
from edge.bench.figures import Samples
from edge.bench.machine import command
from edge.bench.memory import in_a_process, reading_memory
from edge.bench.power import find_meter, measure_power
from edge.bench.result import STAGES, Cell, Loading, ModelFile, Result, Setting
from edge.bench.rounds import Action, interleave
from edge.bench.scenes import FOLDER, Scene, drawn_scenes, file_name, own_scenes
from edge.bench.stages import NO_PLATE, Models, parts, runs_of, scene_of_parts, whole_frame
from edge.model.manifest import MODEL_FILE, Manifest, load_manifest


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: pictures (none: the drawn scenes), the two bundles, thread counts; `repeat` runs or `budget_s` seconds of each thing."""

    pictures: Sequence[str]
    folders: tuple[Path, Path]
    counts: Sequence[int]
    repeat: int
    budget_s: float
    seed: int


Key = tuple[Setting, str, str | None]
"""Setting, stage, scene."""


def measure_device(plan: Plan) -> Result:
    """All of it, with a bar on stderr. Raises BundleError and ImageError."""
    manifests = [load_manifest(folder, kind)[0] for folder, kind in zip(plan.folders, ("detector", "reader"), strict=True)]
    scenes = own_scenes(plan.pictures) if plan.pictures else drawn_scenes()
    circumstances = Circumstances.now()
    settings = [Setting(variant="int8", runtime="litert", threads=count) for count in plan.counts]
    loading = [load_alone(setting, plan.folders) for setting in settings]
    peak, private = reading_memory(FOLDER / file_name(4))
    actions: dict[Key, Action] = {}
    runs: dict[Key, tuple[int, int]] = {}
    for setting in settings:
        models = Models.load(*plan.folders, setting.threads)
        chosen = scene_of_parts(models, scenes)
        actions |= {(setting, stage, chosen.name): action for stage, action in parts(models, chosen).items()}
        for scene in scenes:
            key: Key = (setting, "whole frame", scene.name)
            actions[key] = whole_frame(models, scene.luma)
            runs[key] = runs_of(models, actions[key])
    samples = interleave(actions, plan.repeat, plan.budget_s, plan.seed, show)
    meter = find_meter()
    hardest = scenes[-1].name
    power = [] if isinstance(meter, str) else measure_power({setting: actions[setting, "whole frame", hardest] for setting in settings}, meter)
    cells = list(told(settings, samples, runs, chosen, scenes))
    return Result(
        **circumstances.told(),
        command=command("platewatch"),
        seed=plan.seed,
        models=tuple(model_file(folder, manifest) for folder, manifest in zip(plan.folders, manifests, strict=True)),
        scenes=tuple(scene.facts for scene in scenes),
        cells=tuple(cells),
        loading=tuple(loading),
        reading_peak_mb=peak,
        reading_private_mb=private,
        power=tuple(power),
        no_power=meter if isinstance(meter, str) else None,
        advice=advice(cells),
    )


def load_alone(setting: Setting, folders: tuple[Path, Path]) -> Loading:
    """What it takes to load both bundles."""
    return in_a_process(setting, ["-m", "edge.bench.memory", *(str(folder.resolve()) for folder in folders), str(setting.threads)])


def told(settings: Sequence[Setting], samples: dict[Key, Samples], runs: dict[Key, tuple[int, int]], chosen: Scene, scenes: Sequence[Scene]) -> Iterator[Cell]:
    """A cell for everything that was to be measured, with a reason where it was not."""
    for setting in settings:
        for what in STAGES:
            for name in [scene.name for scene in scenes] if what == "whole frame" else [chosen.name]:
                key = (setting, what, name)
                looks, reads = runs.get(key, (None, None))
                if key in samples:
                    yield Cell(setting=setting, what=what, scene=name, ms=samples[key].timing(), detector_runs=looks, reader_runs=reads)  # type: ignore[arg-type]
                else:
                    yield Cell(setting=setting, what=what, scene=name, why=NO_PLATE)  # type: ignore[arg-type]


def model_file(folder: Path, manifest: Manifest, side: str = "") -> ModelFile:
    """What was measured of a bundle."""
    size = (folder / MODEL_FILE).stat().st_size
    return ModelFile(side=side, kind=manifest.kind, variant="int8", name=manifest.name, sha256=manifest.sha256, size=size)


def show(items: Iterable[Any]) -> Iterator[Any]:
    """The items, with a bar on stderr that vanishes at the end."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description="measuring", console=Console(file=sys.stderr), transient=True)
