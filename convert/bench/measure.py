"""The whole benchmark: everything is loaded, then takes turns, then is told in one result."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from convert.bench.candidates import Candidate, load_alone
from convert.bench.probe import load
from edge.bench.advice import advice
from edge.bench.circumstances import Circumstances
from edge.bench.figures import Samples, processor_ratio, ratio
from edge.bench.machine import command
from edge.bench.memory import reading_memory
from edge.bench.power import find_meter, measure_power
from edge.bench.result import Cell, ModelFile, Power, Result, Setting, Speedup
from edge.bench.rounds import Action, interleave
from edge.bench.scenes import FOLDER, Scene, drawn_scenes, file_name
from edge.bench.stages import Models, runs_of, whole_frame
from edge.model.detector import Detector
from edge.model.manifest import load_manifest
from edge.vision.image import letterbox
from edge.vision.rectify import reader_input

Key = tuple[Setting, str, str]
Progress = Callable[[str], Callable[[Sequence[Any]], Iterable[Any]]]
"""What is being done -> something that walks through a sequence and shows how far it is."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`repeat` runs of each cell, or as many as fit into `seconds`; `power_s` seconds of rest and of work for each setting (0: no power)."""

    repeat: int = 100
    seconds: float = 0.7
    power_s: float = 3.0
    seed: int = 0


@dataclass(slots=True)
class Gathered:
    """What was measured so far."""

    actions: dict[Key, Action] = field(default_factory=dict)
    runs: dict[Key, tuple[int, int]] = field(default_factory=dict)
    known_ms: dict[Key, float] = field(default_factory=dict)


def measure(candidates: Sequence[Candidate], budget: Budget, progress: Progress, began: float | None = None) -> Result:
    """Everything about the candidates. `began` (time.monotonic) is when the work on them started, if before now."""
    scenes, circumstances = drawn_scenes(), Circumstances.now(began)
    loading = [load_alone(candidate) for candidate in progress("loading")(candidates)]
    whys = {one.setting: one.why for one in loading if one.why}
    runnable = [candidate for candidate in candidates if candidate.setting not in whys]
    gathered = gather(progress("warming")(runnable), scenes)
    samples = interleave(gathered.actions, budget.repeat, budget.seconds, budget.seed, progress("measuring"), gathered.known_ms)
    peak, private = reading_memory(FOLDER / file_name(4))
    power, no_power = power_of(gathered.actions, scenes[-1].name, budget.power_s)
    cells = list(told(candidates, scenes, samples, gathered.runs, whys))
    return Result(
        **circumstances.told(),
        command=command("python", "-m", "convert"),
        seed=budget.seed,
        models=tuple(model_files(candidates)),
        scenes=tuple(scene.facts for scene in scenes),
        cells=tuple(cells),
        speedups=tuple(speedups(samples, gathered.runs, budget.seed)),
        loading=tuple(loading),
        reading_peak_mb=peak,
        reading_private_mb=private,
        power=power,
        no_power=no_power,
        advice=advice(cell for cell in cells if cell.setting.variant == "int8" and cell.setting.runtime == "litert" and cell.setting.side in ("", "A")),
    )


def gather(candidates: Iterable[Candidate], scenes: Sequence[Scene]) -> Gathered:
    """What there is to run for each candidate: both networks alone, and whole frames."""
    found = Gathered()
    alone = next(scene for scene in scenes if scene.facts.plates == 1)
    quad = Detector.load().detect(alone.luma)[0].quad
    for candidate in candidates:
        setting, models = candidate.setting, load(candidate)
        boxed, _ = letterbox(alone.luma, models.detector.manifest.width, models.detector.manifest.height)
        plate = reader_input(alone.luma, quad, models.reader.manifest.width, models.reader.manifest.height, models.reader.manifest.margin)
        found.actions[setting, "detect", alone.name] = partial(models.detector.infer, boxed)
        found.actions[setting, "read", alone.name] = partial(models.reader.infer, plate)
        for scene in scenes:
            key = (setting, "whole frame", scene.name)
            found.actions[key] = whole_frame(models, scene.luma)
            found.runs[key], found.known_ms[key] = _first(models, found.actions[key])
    return found


def _first(models: Models, action: Action) -> tuple[tuple[int, int], float]:
    """Runs of both networks, and milliseconds."""
    began = time.perf_counter()
    runs = runs_of(models, action)
    return runs, 1000 * (time.perf_counter() - began)


def told(
    candidates: Sequence[Candidate], scenes: Sequence[Scene], samples: Mapping[Key, Samples], runs: Mapping[Key, tuple[int, int]], whys: Mapping[Setting, str]
) -> Iterator[Cell]:
    """A cell for everything, measured or not."""
    alone = next(scene.name for scene in scenes if scene.facts.plates == 1)
    places = [("detect", alone), ("read", alone), *(("whole frame", scene.name) for scene in scenes)]
    for candidate in candidates:
        setting = candidate.setting
        for what, name in places:
            looks, reads = runs.get((setting, what, name), (None, None))
            ms = samples[setting, what, name].timing() if (setting, what, name) in samples else None
            yield Cell(setting=setting, what=what, scene=name, ms=ms, why=whys.get(setting), detector_runs=looks, reader_runs=reads)  # type: ignore[arg-type]


def speedups(samples: Mapping[Key, Samples], runs: Mapping[Key, tuple[int, int]], seed: int) -> Iterator[Speedup]:
    """Each variant against float32, and side B against side A, under the same runtime with as many threads."""
    for setting, what, scene in samples:
        than = Setting(variant=setting.variant, runtime=setting.runtime, threads=setting.threads, side="A")
        if setting.side == "":
            than = Setting(variant="float32", runtime=setting.runtime, threads=setting.threads)
        if than == setting or (than, what, scene) not in samples:
            continue
        above, below = samples[than, what, scene], samples[setting, what, scene]
        same = runs.get((than, what, scene)) == runs.get((setting, what, scene))
        times, processor = ratio(above, below, seed), processor_ratio(above, below)
        yield Speedup(setting=setting, than=than, what=what, scene=scene, ratio=times, processor=processor, same_work=same)


def power_of(actions: Mapping[Key, Action], scene: str, seconds: float) -> tuple[tuple[Power, ...], str | None]:
    """What a frame of the fullest scene costs under litert with one thread; or why nobody knows."""
    if seconds <= 0:
        return (), "not asked for"
    meter = find_meter()
    if isinstance(meter, str):
        return (), meter
    chosen = {key[0]: action for key, action in actions.items() if key[1:] == ("whole frame", scene) and key[0].runtime == "litert" and key[0].threads == 1}
    return tuple(measure_power(chosen, meter, seconds)), None


def model_files(candidates: Iterable[Candidate]) -> Iterator[ModelFile]:
    """Every file once."""
    seen = set()
    for candidate in candidates:
        for kind, path, bundle in zip(("detector", "reader"), candidate.files, candidate.bundles, strict=True):
            if path.is_file() and (candidate.setting.side, path) not in seen:
                seen.add((candidate.setting.side, path))
                model, name = path.read_bytes(), load_manifest(bundle, kind)[0].name
                sha256, variant = hashlib.sha256(model).hexdigest(), candidate.setting.variant
                yield ModelFile(side=candidate.setting.side, kind=kind, variant=variant, name=name, sha256=sha256, size=len(model))  # type: ignore[arg-type]
