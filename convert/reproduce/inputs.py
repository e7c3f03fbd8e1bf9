"""What results depend on, as hashes: files, labelled folders, our own code, versions of what computes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
CODE = {
    "make": ("convert/quantize.py", "convert/export.py", "convert/calibrate.py", "convert/methods", "train/models", "train/data/synth", "edge/vision"),
    "look": ("convert/gate/sides.py", "convert/nets.py", "edge/vision", "edge/model", "edge/plates", "train/evaluation", "train/metrics.py"),
    "audit": ("convert/audit.py", "convert/graph"),
    "speed": ("convert/bench/variants.py", "edge/bench", "edge/model"),
    "cost": ("convert/cost",),
    "check": ("convert/gate/floats.py", "train/models", "train/evaluation/nets.py"),
}
"""Step -> the code that its result hangs on."""
COMPUTES = ("tensorflow-cpu", "keras", "ai-edge-litert", "numpy", "opencv-python-headless")


def of_file(path: Path) -> str:
    """sha256 of its bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def of_labelled(folders: Sequence[Path]) -> dict[str, str]:
    """By folder: its labels' hash and its pictures' sizes. A picture exchanged for another of the very same length would not be seen."""
    return {str(folder): _of_labelled(folder) for folder in folders}


@cache
def _of_labelled(folder: Path) -> str:
    digest = hashlib.sha256((folder / "labels.jsonl").read_bytes())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
    return digest.hexdigest()


@cache
def of_code(step: str) -> str:
    """Of the code in CODE[step]."""
    digest = hashlib.sha256()
    for path in _files(HOUSE / name for name in CODE[step]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(places: Iterable[Path]) -> list[Path]:
    return sorted(path for place in places for path in (place.rglob("*.*") if place.is_dir() else [place]) if path.is_file() and path.suffix != ".pyc")


@cache
def versions() -> str:
    """Of the packages that compute."""
    told = []
    for name in COMPUTES:
        try:
            told.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            told.append(f"{name} -")
    return ", ".join(told)
