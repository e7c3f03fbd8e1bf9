"""The kit's own data format: a folder with `labels.jsonl` and the pictures that it names. Specification: docs/data-format.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import PlatewatchError
from edge.records import Box, Quad
from edge.vision.alphabet import ALPHABET, normalise
from train.data.formats.raw import Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, read_text

HELP = "Platewatch's own: labels.jsonl and the pictures that it names, in one folder or several; to check, to merge, to split anew"


class DataError(PlatewatchError, ValueError):
    """A labelled folder cannot be read as it is."""


@dataclass(frozen=True, slots=True)
class LabelledPlate:
    """One plate. `text` None means that nobody wrote it down; `exact` says whether text may be held against a reader."""

    box: Box
    quad: Quad | None
    text: str | None
    lines: int
    country: str | None
    partial: bool = False
    year_omitted: bool = False

    @property
    def exact(self) -> bool:
        return bool(self.text) and not self.partial


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One picture with its plates; boxes in pixels of the picture. `crop`: the whole picture is one plate."""

    path: Path
    width: int
    height: int
    source: str
    country: str | None
    plates: tuple[LabelledPlate, ...]
    ignored: tuple[Box, ...] = ()
    crop: bool = False
    negative: bool = False
    session: str | None = None
    extra: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


def read_folder(folder: str | Path) -> list[LabelledImage]:
    """Every row of `folder/labels.jsonl`, in order.

    Raises DataError naming the file, the line and the mend for a missing file, broken JSON, a missing key or a box that is none.
    """
    folder = Path(folder)
    labels = folder / "labels.jsonl"
    if not labels.is_file():
        raise DataError(f"{folder}: no labels.jsonl there; name a folder in the native format (docs/data-format.md)")
    images = []
    for number, line in enumerate(labels.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            images.append(_image(folder, json.loads(line)))
        except json.JSONDecodeError as error:
            raise DataError(f"{labels}:{number}: not JSON ({error.msg}); each line is one object") from None
        except KeyError as error:
            raise DataError(f"{labels}:{number}: the key {error} is missing") from None
        except (TypeError, ValueError) as error:
            raise DataError(f"{labels}:{number}: {error}") from None
    return images


def find_folders(roots: list[str | Path]) -> list[Path]:
    """Each root that is itself a labelled folder, and the labelled folders right below the others, sorted. Raises DataError for a root with none."""
    found: list[Path] = []
    for root in map(Path, roots):
        below = [root] if (root / "labels.jsonl").is_file() else sorted(child.parent for child in root.glob("*/labels.jsonl"))
        if not below:
            raise DataError(f"{root}: no labels.jsonl there nor one folder below; name a folder in the native format (docs/data-format.md)")
        found += below
    return found


def recognise(tree: Tree) -> int:
    return sum(len(read_text(path).splitlines()) for path in tree.files(".jsonl") if path.name == "labels.jsonl" or path == tree.only)


def read(tree: Tree, wishes: Wishes) -> Imported:
    """Every row of every `labels.jsonl`, unchecked, for `train.data.prepare`: a broken one is a remark, and keys that we do not know are carried along."""
    for path in tree.files(".jsonl"):
        if path.name != "labels.jsonl" and path != tree.only:
            continue
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            place = f"{tree.relative(path)}:{number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                yield _raw(row, path.parent / row["image"], place, path.parent.name)
            except KeyError as error:
                yield Remark("broken label", place, detail=f"the key {error} is missing")
            except (AttributeError, TypeError, ValueError) as error:
                yield Remark("broken label", place, detail=f"not an object as docs/data-format.md has it ({error})")


def _raw(row: dict[str, Any], path: Path, place: str, folder: str) -> RawImage:
    plates = []
    for plate in row["plates"]:
        if not isinstance(plate.get("text"), str | None):
            raise ValueError(f"text {plate['text']!r} is no string")
        x0, y0, x1, y1 = map(float, plate["box"])
        corners = tuple((float(x), float(y)) for x, y in plate.get("corners") or ())
        extra = {key: value for key, value in plate.items() if key not in ("box", "corners", "text", "lines", "country")}
        lines = int(plate.get("lines") or row.get("lines") or 0)
        plates.append(RawPlate((x0, y0, x1, y1), corners, len(corners) == 4, plate.get("text"), lines, plate.get("country"), extra))
    source, scene = str(row.get("source") or folder), row.get("scene")
    known = {"image", "width", "height", "source", "country", "plates", "ignore", "crop", "negative", "session", "lines"}
    ignored = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in row.get("ignore") or ())
    return RawImage(
        path, place, tuple(plates), (int(row["width"]), int(row["height"])), False, source, row.get("country"), row.get("session"),
        bool(row.get("crop")), bool(row.get("negative")), ignored,
        # A plate that was cut out of a photograph stays on that photograph's side.
        (f"{source}/{row['image']}", *([str(scene)] if scene else [])),
        {key: value for key, value in row.items() if key not in known},
    )  # fmt: skip


def _image(folder: Path, row: dict[str, Any]) -> LabelledImage:
    crop = bool(row.get("crop"))
    plates = tuple(_plate(row, plate) for plate in row["plates"])
    return LabelledImage(
        path=folder / row["image"],
        width=int(row["width"]),
        height=int(row["height"]),
        source=str(row.get("source") or folder.name),
        country=row.get("country"),
        plates=plates,
        ignored=tuple(_box(box) for box in row.get("ignore") or ()),
        crop=crop,
        negative=bool(row.get("negative")),
        session=row.get("session"),
        extra={key: row[key] for key in ("region", "stretched") if key in row},
    )


def _plate(row: dict[str, Any], plate: dict[str, Any]) -> LabelledPlate:
    text = plate.get("text")
    if text is not None and (normalise(text) != text or not text):
        raise ValueError(f"text {text!r} has something other than {ALPHABET}")
    corners = plate.get("corners")
    partial = any(plate.get(key) or row.get(key) for key in ("partial", "masked"))
    lines = int(plate.get("lines") or row.get("lines") or 0)
    return LabelledPlate(
        _box(plate["box"]),
        Quad.from_array(corners) if corners else None,
        text,
        lines,
        plate.get("country") or row.get("country"),
        partial,
        bool(plate.get("year_omitted") or row.get("year_omitted")),
    )


def _box(numbers: list[float]) -> Box:
    box = Box(*(float(number) for number in numbers))
    if box.width <= 0 or box.height <= 0:
        raise ValueError(f"the box {numbers} has no area; boxes are [x0, y0, x1, y1]")
    return box
