"""What a fine-tuning works with: the user's photographs, split; what is to be kept; and drawn plates of everywhere that stand for the rest of the world."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.data.formats.native import DataError, LabelledImage, read_folder
from train.data.synth.labelled import draw_crops, draw_scenes
from train.finetune.parts import write_part
from train.finetune.split import countable, split, texts, without

LEAST = 20
"""Plates without which a figure says nothing, and training learns nothing."""
KNOWN_SEED, DRAWN_CROPS, DRAWN_SCENES = 90210, 800, 150
WORDS = {"reader": "plates with a text", "detector": "plates in whole photographs"}


@dataclass(frozen=True, slots=True)
class Given:
    """Labelled folders by the part that they play."""

    data: Sequence[Path]
    validation: Sequence[Path] = ()
    keep: Sequence[Path] = ()
    known: Sequence[Path] = ()

    def hashes(self) -> dict[str, dict[str, Any]]:
        """Of every label file, by part and folder: the same hashes as in a run's provenance."""
        parts = {"data": self.data, "validate": self.validation, "keep": self.keep, "known": self.known}
        return {part: {str(folder): _papers(folder) for folder in folders} for part, folders in parts.items() if folders}


@dataclass(frozen=True, slots=True)
class Parts:
    """Folders written for the run. `own` and `kept` are plates to learn from; `known` are the sets that tell what is forgotten, by name."""

    train: list[Path]
    new: list[Path]
    known: dict[str, list[Path]]
    own: int
    kept: int
    kept_sources: list[str]
    notes: list[str]


def gather(given: Given, kind: str, out: Path, seed: int) -> Parts:
    """Write the parts below `out`, anew. Raises DataError in one sentence where there are too few plates."""
    shutil.rmtree(out, ignore_errors=True)
    notes: list[str] = []
    own = _read(given.data, kind)
    if given.validation:
        new = _read(given.validation, kind)
        number = _count(new, kind)
        if number < LEAST:
            notes.append(f"only {number} {WORDS[kind]} to validate on: one plate more or less is {100 / max(number, 1):.0f} points")
        own = _leave_out(own, new, kind, notes)
    else:
        own, new = _set_aside(own, kind, seed)
        notes.append(f"{_count(new, kind)} of your plates were set aside for validation; the {_count(own, kind)} to learn from are other plates")
    if not _count(own, kind) or not _count(new, kind):
        raise DataError(f"{_names(given.data)}: nothing is left to learn from or to validate on; name photographs of other plates with --validate")
    kept, held = split(_leave_out(_read(given.keep, kind), [*new, *own], kind, notes), kind, 0.1, LEAST, 400, seed) if given.keep else ([], [])
    train = [*_write(out / "train", own, kind, "own"), *(keep := _write(out / "train", kept, kind, "kept"))]
    draw, number = (draw_crops, DRAWN_CROPS) if kind == "reader" else (draw_scenes, DRAWN_SCENES)
    known = {"drawn": [draw(out / "known/drawn", number, KNOWN_SEED)]}
    if held:
        known["kept"] = _write(out / "known", held, kind, "kept")
    if given.known:
        known["known"] = _write(out / "known", _leave_out(_read(given.known, kind), own, kind, notes), kind, "known")
    return Parts(train, _write(out / "new", new, kind, "own"), known, _count(own, kind), _count(kept, kind), [folder.name for folder in keep], notes)


def _read(folders: Iterable[Path], kind: str) -> list[LabelledImage]:
    """The pictures that a network of that kind can learn from. Raises DataError when none has a plate."""
    folders = list(folders)
    here = {folder.resolve() for folder in folders}
    images = []
    for folder in folders:
        # `python -m train prepare` has cut the plates out of NAME into NAME_crops: they would count twice.
        cut_already = kind == "reader" and folder.resolve().with_name(f"{folder.resolve().name}_crops") in here
        wanted = (lambda image: image.crop or image.negative) if cut_already else (lambda image: not (image.crop and kind == "detector"))
        images += [image for image in read_folder(folder) if wanted(image)]
    if not _count(images, kind):
        raise DataError(f"{_names(folders)}: no {WORDS[kind]} there; a {kind} learns from those (docs/data-format.md)")
    return images


def _count(images: Iterable[LabelledImage], kind: str) -> int:
    return sum(countable(image, kind) for image in images)


def _leave_out(images: list[LabelledImage], others: Sequence[LabelledImage], kind: str, notes: list[str]) -> list[LabelledImage]:
    """Without pictures of plates that `others` show; says how many that were."""
    shown, pictures = texts(others), {image.path.resolve() for image in others}
    left = [image for image in without(images, shown) if image.path.resolve() not in pictures]
    if len(left) < len(images):
        folders = _names(sorted({_folder(image) for image in images}))
        notes.append(f"{len(images) - len(left)} pictures from {folders} are left out: their plates are shown among the others too")
    return left


def _set_aside(own: list[LabelledImage], kind: str, seed: int) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """A fifth of the plates, at least LEAST."""
    total = _count(own, kind)
    train, new = split(own, kind, 0.2, LEAST, 400, seed) if total >= 2 * LEAST else (own, [])
    if min(_count(train, kind), _count(new, kind)) < LEAST:
        folders = _names(sorted({_folder(image) for image in own}))
        raise DataError(
            f"{folders}: {total} {WORDS[kind]} are too few, or too much alike, to set {LEAST} aside and learn from {LEAST} others; "
            "label more, or name photographs of other plates with --validate"
        )
    return train, new


def _write(out: Path, images: Sequence[LabelledImage], kind: str, part: str) -> list[Path]:
    """One folder for each one given, under its own name; a name that is taken gets the part's before it."""
    by_folder: dict[Path, list[LabelledImage]] = {}
    for image in images:
        by_folder.setdefault(_folder(image), []).append(image)
    written = []
    for folder, members in by_folder.items():
        name, number = folder.resolve().name, 2
        while (out / name).exists():
            name, number = f"{part}-{folder.resolve().name}" if number == 2 else f"{part}{number}-{folder.resolve().name}", number + 1
        written.append(write_part(out / name, members, kind))
    return written


def _folder(image: LabelledImage) -> Path:
    """The labelled folder that the picture came from: the nearest one above it with labels."""
    return next((parent for parent in image.path.parents if (parent / "labels.jsonl").is_file()), image.path.parent)


def count(folders: Iterable[Path], kind: str) -> int:
    """Plates in labelled folders that can be held against a network of that kind."""
    return _count([image for folder in folders for image in read_folder(folder)], kind)


def _papers(folder: Path) -> dict[str, Any]:
    labels = (folder / "labels.jsonl").read_bytes()
    return {"labels_sha256": hashlib.sha256(labels).hexdigest(), "rows": len(labels.splitlines())}


def _names(folders: Iterable[Path]) -> str:
    return ", ".join(str(folder) for folder in folders)
