"""The native format on disk: pictures copied or linked, one labels.jsonl a set, plates cut out beside."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from edge.errors import ImageError
from edge.vision.image import load_image
from train.data.formats.raw import FormatError
from train.data.prepare.check import Sample
from train.data.prepare.facts import upright_bytes
from train.data.prepare.split import SIDES

MARGIN = 0.15
"""Of a plate's box, kept around it on each side when it is cut out."""
Row = dict[str, Any]


def name_of(sample: Sample) -> str:
    """A file name that says where the picture came from, the same at every run: its stem, and a hash of its whole path and content."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", sample.path.stem)[:60].strip("._") or "picture"
    told = f"{sample.row['origin']} {sample.facts.sha256}"
    return f"{stem}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def folder_of(source: str) -> str:
    """A source's name as a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", source).strip("._") or "set"


def write_pictures(out: Path, samples: Sequence[Sample], sides: Sequence[int], link: bool, crops: bool, each: Callable[[Iterable[Any]], Iterable[Any]]) -> int:
    """Pictures and labels.jsonl of every side and source; the number of plates cut out.

    What is there from a run that was stopped is kept; labels come last, and all at once. Raises FormatError or ImageError.
    """
    rows: dict[Path, list[Row]] = defaultdict(list)
    cut = 0
    for sample, side in each(list(zip(samples, sides, strict=True))):
        folder = out / SIDES[side] / folder_of(sample.row["source"])
        name = _store(sample, folder / "images", link)
        rows[folder].append({"image": f"images/{name}"} | sample.row)
        if crops and not sample.row.get("crop"):
            beside = folder.with_name(f"{folder.name}_crops")
            found = cut_out(sample, beside / "images", f"{sample.row['source']}/images/{name}")
            rows[beside] += found
            cut += len(found)
    for folder, own in rows.items():
        if own:
            replace(folder / "labels.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in own).encode())
    return cut


def cut_out(sample: Sample, folder: Path, scene: str) -> list[Row]:
    """Each plate with a text as a picture of its own: what the reader learns from. Their rows."""
    chosen = [plate for plate in sample.row["plates"] if plate["text"]]
    if not chosen:
        return []
    import cv2

    _, bgr = load_image(sample.path)
    rows = []
    for number, plate in enumerate(chosen):
        x0, y0, x1, y1 = plate["box"]
        across, down = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
        left, top = max(0, int(x0 - across)), max(0, int(y0 - down))
        part = bgr[top : int(y1 + down) + 1, left : int(x1 + across) + 1]
        name = f"{name_of(sample)}_{number}.jpg"
        done, coded = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, 95])
        if not done:
            raise ImageError(f"{sample.path}: its plates cannot be cut out")
        if not (folder / name).exists():
            replace(folder / name, coded.tobytes())
        moved: Row = {key: value for key, value in plate.items() if key != "country"} | {"box": [x0 - left, y0 - top, x1 - left, y1 - top]}
        moved["box"] = [round(value, 2) for value in moved["box"]]
        if plate["corners"]:
            moved["corners"] = [[round(x - left, 2), round(y - top, 2)] for x, y in plate["corners"]]
        carried = {key: value for key, value in sample.row.items() if key in ("session", "licence", "origin", "partial", "masked", "year_omitted", "lines")}
        rows.append({
            "image": f"images/{name}", "width": part.shape[1], "height": part.shape[0], "source": f"{sample.row['source']}_crops",
            "country": plate.get("country") or sample.row["country"], "crop": True, "plates": [moved], "scene": scene, **carried,
        })  # fmt: skip
    return rows


def _store(sample: Sample, folder: Path, link: bool) -> str:
    """The picture in `folder`; its name there."""
    suffix = sample.facts.kind if sample.facts.kind and sample.facts.orientation == 1 else ""
    found = [f"{name_of(sample)}.{kind}" for kind in ([suffix] if suffix else ["jpg", "png"]) if (folder / f"{name_of(sample)}.{kind}").exists()]
    if found:
        return found[0]
    if link and suffix:
        name = f"{name_of(sample)}.{suffix}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(sample.path.resolve(), folder / name)
        except OSError as error:
            why = "they are on different disks" if error.errno == errno.EXDEV else str(error.strerror)
            raise FormatError(f"{folder / name}: cannot be linked to {sample.path} ({why}); leave --link off, then it is copied") from None
        return name
    data, kind = upright_bytes(sample.path, sample.facts)
    replace(folder / f"{name_of(sample)}.{kind}", data)
    return f"{name_of(sample)}.{kind}"


def replace(path: Path, data: bytes) -> None:
    """All of the file or nothing, also when the machine stops. Raises FormatError when it cannot be written."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise FormatError(f"{path}: cannot be written ({error.strerror}); is the disk full?") from None
