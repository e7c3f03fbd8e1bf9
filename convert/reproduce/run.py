"""Everything about the shipped bundles once more, from the committed float weights: all variants, their losses, their speed, their cost."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from convert.gate.sides import Seen
from convert.gate.verdict import Allowance, Judged, judge
from convert.quantize import VARIANTS
from convert.reproduce import actions
from convert.reproduce.inputs import HOUSE, of_code, of_file, of_labelled, versions
from convert.reproduce.steps import Kept, Shelf, Step, do_all
from edge.model.detector import VIEWS
from edge.model.manifest import CODECS, SHIPPED, load_manifest
from train.evaluation.nets import WEIGHTS

BASE = "float32"
SLOW = {"int16x8": 60}
"""Variants that this runtime computes by its slow kernels alone -> how many photographs they look at; their instructions are not counted."""
CPUS = ("cortex-a72", "cortex-a76")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """`runs` by kind; `data` to calibrate on and `validate` to judge on are labelled folders; `drawn` says that the latter were drawn for the purpose.

    `work` keeps the variants' files and the finished steps; `cost` False counts no instructions.
    """

    runs: dict[str, Path]
    data: list[Path]
    validate: list[Path]
    drawn: bool
    work: Path
    allowance: Allowance
    views: int = VIEWS
    workers: int = 2
    threads: int = 1
    cost: bool = True


def shipped_runs() -> dict[str, Path]:
    """The committed float weights, by kind."""
    return {kind: HOUSE / "train" / "weights" / kind for kind in CODECS}


def steps_in_all(settings: Settings) -> int:
    """How many steps there are to do, for the bar."""
    variants = len(VARIANTS)
    return len(settings.runs) * (variants + 2 + variants + 1 + (variants - len(SLOW) if settings.cost else 0))


def reproduce(settings: Settings, done: Say) -> dict[str, Any]:
    """All of it; the value is what `convert.reproduce.table` tells. Finished steps in `work` are not repeated."""
    began = time.monotonic()
    shelf = Shelf(settings.work / "steps")
    makes = {(kind, variant): _make(settings, kind, variant) for kind in settings.runs for variant in VARIANTS}
    for (kind, variant), step in makes.items():
        shelf.forget_unless(step, partial(_is_there, _file(settings, kind, variant)))
    made = do_all(list(makes.values()), shelf, settings.workers, done)
    hashes = {name.removeprefix("make-"): kept.value["sha256"] for name, kept in made.items()}
    looks = [step for kind in settings.runs for step in (*_looks(settings, kind, hashes), _check(settings, kind, hashes), _audit(settings, kind, hashes))]
    seen = do_all(looks, shelf, settings.workers, done)
    alone = min(1, settings.workers)  # what is timed has the machine to itself
    timed = do_all([_speed(settings, kind, hashes) for kind in settings.runs], shelf, alone, done)
    costs = [_cost(settings, kind, variant, hashes) for kind in settings.runs for variant in VARIANTS if variant not in SLOW]
    counted = do_all(costs if settings.cost else [], shelf, alone, done)
    everything = {**made, **seen, **timed, **counted}
    return {
        "v": 1,
        "networks": {kind: _network(settings, kind, everything) for kind in settings.runs},
        "photographs": {"drawn": settings.drawn, "calibration": [folder.name for folder in settings.data], "validation": [f.name for f in settings.validate]},
        "allowed": {"drop": settings.allowance.drop, "least": settings.allowance.least},
        "views": settings.views,
        "machine": {"processor": platform.machine(), "threads": settings.threads, "python": platform.python_version(), "versions": versions()},
        "seconds": round(time.monotonic() - began, 1),
        "seconds_of_steps": round(sum(kept.seconds for kept in everything.values()), 1),
        "peak_mb": max(kept.peak_mb for kept in everything.values()),
    }


def _file(settings: Settings, kind: str, variant: str) -> Path:
    return settings.work / f"{kind}-{variant}.tflite"


def _is_there(file: Path, made: dict[str, Any]) -> bool:
    return file.is_file() and of_file(file) == made["sha256"]


def _make(settings: Settings, kind: str, variant: str) -> Step:
    run, file = settings.runs[kind], _file(settings, kind, variant)
    folders = settings.data if variant.startswith("int") else []  # the others are not calibrated
    inputs = {
        "weights": of_file(run / WEIGHTS),
        "experiment": of_file(run / "experiment.toml"),
        "data": of_labelled(folders),
        "variant": variant,
        "code": of_code("make"),
        "versions": versions(),
    }
    return Step(f"make-{kind}-{variant}", inputs, actions.make, (run, folders, file, variant))


def _looks(settings: Settings, kind: str, hashes: dict[str, str]) -> Sequence[Step]:
    base = {"validate": of_labelled(settings.validate), "views": settings.views, "code": of_code("look"), "versions": versions()}
    base["bundle"] = of_file(SHIPPED / kind / "manifest.json")  # its threshold and margin hold
    steps = []
    for variant in VARIANTS:
        file, most = _file(settings, kind, variant), SLOW.get(variant)
        inputs = {**base, "model": hashes[f"{kind}-{variant}"], "most": most}
        steps.append(Step(f"look-{kind}-{variant}", inputs, actions.look, (settings.runs[kind], file, settings.validate, settings.views, most)))
    return steps


def _check(settings: Settings, kind: str, hashes: dict[str, str]) -> Step:
    run = settings.runs[kind]
    inputs = {"model": hashes[f"{kind}-{BASE}"], "weights": of_file(run / WEIGHTS), "code": of_code("check"), "versions": versions()}
    return Step(f"check-{kind}", inputs, actions.check, (run, _file(settings, kind, BASE)))


def _audit(settings: Settings, kind: str, hashes: dict[str, str]) -> Step:
    inputs = {"model": hashes[f"{kind}-int8"], "code": of_code("audit"), "versions": versions()}
    return Step(f"audit-{kind}", inputs, actions.audit, (_file(settings, kind, "int8"),))


def _speed(settings: Settings, kind: str, hashes: dict[str, str]) -> Step:
    files = {variant: str(_file(settings, kind, variant)) for variant in VARIANTS}
    models = {variant: hashes[f"{kind}-{variant}"] for variant in VARIANTS}
    inputs = {"models": models, "code": of_code("speed"), "versions": versions(), "machine": platform.node(), "threads": settings.threads}
    return Step(f"speed-{kind}", inputs, actions.speed, (kind, settings.runs[kind], files, settings.threads))


def _cost(settings: Settings, kind: str, variant: str, hashes: dict[str, str]) -> Step:
    inputs = {"model": hashes[f"{kind}-{variant}"], "cpus": CPUS, "code": of_code("cost"), "versions": versions()}
    return Step(f"cost-{kind}-{variant}", inputs, actions.cost, (kind, _file(settings, kind, variant), list(CPUS)))


def _network(settings: Settings, kind: str, everything: dict[str, Kept]) -> dict[str, Any]:
    """One network: its float side, the audit of its int8 file, and each variant against float."""
    manifest, _ = load_manifest(SHIPPED / kind, kind)
    audited = everything[f"audit-{kind}"].value
    digest = everything[f"make-{kind}-int8"].value["sha256"]
    return {
        "weights_sha256": of_file(settings.runs[kind] / WEIGHTS),
        "keras_difference": everything[f"check-{kind}"].value["difference"],
        "complaints": audited["complaints"],
        "macs": audited["macs"],
        "int8_is_the_shipped_file": digest == manifest.sha256,
        "shipped_sha256": manifest.sha256,
        "variants": {variant: _variant(settings, kind, variant, everything) for variant in VARIANTS},
    }


def _variant(settings: Settings, kind: str, variant: str, everything: dict[str, Kept]) -> dict[str, Any]:
    made = everything[f"make-{kind}-{variant}"].value
    counted = everything.get(f"cost-{kind}-{variant}")
    base, own = (Seen(**everything[f"look-{kind}-{name}"].value) for name in (BASE, variant))
    judged = Judged(kind, made["sha256"], variant, BASE, settings.views if kind == "detector" else None)
    verdict = judge(judged, (base.only(own.photographs), own), settings.allowance)
    return {
        "sha256": made["sha256"],
        "bytes": made["bytes"],
        "record": made["record"],
        "value": verdict.value,
        "float_value": verdict.value + verdict.drop,
        "ms": everything[f"speed-{kind}"].value[variant],
        "cost": counted.value if counted else {"why": "a kernel this slow is not counted" if settings.cost else "not asked for"},
        "passed": verdict.passed,
        "reasons": list(verdict.reasons),
        "verdict": verdict.as_json(),
    }
