"""Everything that is to be measured side by side: variants or bundles, under each runtime, with each count of threads."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.bench.variants import KINDS, Files
from convert.nets import RUNTIMES
from edge.bench.memory import in_a_process
from edge.bench.result import Loading, Setting
from edge.model.manifest import MODEL_FILE, SHIPPED

Pair = tuple[Path, Path]
"""Detector's and reader's."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two files in one setting; `bundles` have the manifests that say what their numbers mean. `why` says why it cannot be measured."""

    setting: Setting
    files: Pair
    bundles: Pair
    why: str | None = None


def of_variants(files: Files, runtimes: Sequence[str], counts: Sequence[int], bundles: Pair = (SHIPPED / "detector", SHIPPED / "reader")) -> list[Candidate]:
    """Variants of the shipped weights, with what their bundles say."""
    found = []
    for variant, by_kind in files.items():
        whys = [str(one) for one in by_kind.values() if isinstance(one, str)]
        paths = (Path(by_kind[KINDS[0]]), Path(by_kind[KINDS[1]]))
        found += [
            Candidate(Setting(variant=variant, runtime=runtime, threads=count), paths, bundles, whys[0] if whys else missing(runtime))
            for runtime in runtimes
            for count in counts
        ]
    return found


def of_bundles(sides: dict[str, Pair], runtimes: Sequence[str], counts: Sequence[int]) -> list[Candidate]:
    """Bundles as they are; `sides` gives them names when two are compared."""
    return [
        Candidate(
            Setting(variant="int8", runtime=runtime, threads=count, side=side),
            (bundles[0] / MODEL_FILE, bundles[1] / MODEL_FILE),
            bundles,
            missing(runtime),
        )
        for side, bundles in sides.items()
        for runtime in runtimes
        for count in counts
    ]


def missing(runtime: str) -> str | None:
    """Why the runtime cannot be had; None when it is there."""
    if importlib.util.find_spec(RUNTIMES[runtime].split(".")[0]) is None:
        return f"{runtime} is not installed here"
    return None


def load_alone(candidate: Candidate) -> Loading:
    """What it takes to load it, in a process of its own; with the reason where it cannot be loaded."""
    if candidate.why:
        return Loading(setting=candidate.setting, why=candidate.why)
    words = [str(path.resolve()) for path in (*candidate.files, *candidate.bundles)]
    return in_a_process(candidate.setting, ["-m", "convert.bench.probe", *words, candidate.setting.runtime, str(candidate.setting.threads)])
