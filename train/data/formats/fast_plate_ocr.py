"""fast-plate-ocr: `annotations.csv` with `image_path,plate_text` and perhaps `plate_region`; each picture is one plate. A plate YAML may stand beside it."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from train.data.formats.raw import FormatError, Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, head, read_text
from train.data.formats.yolo import yaml_of

HELP = "fast-plate-ocr: annotations.csv with image_path,plate_text[,plate_region], plates cut out; the plate YAML's padding is taken off"
PATHS = ("image_path", "image", "path", "file", "filename", "file_name", "img")
TEXTS = ("plate_text", "text", "plate", "label", "words", "transcription")
"""Other programs' names for the same two columns."""
BOXES = {"xmin", "x0", "x1", "x", "left"}
COUNTRIES = Path(__file__).parents[3] / "edge/plates/countries"


def recognise(tree: Tree) -> int:
    return sum(max(0, len(read_text(path).splitlines()) - 1) for path in tree.files(".csv") if _columns(path))


def read(tree: Tree, wishes: Wishes) -> Imported:
    regions, settings = _regions(), _settings(tree)
    for path in tree.files(".csv"):
        columns = _columns(path)
        if not columns:
            continue
        for place, row in rows(tree, path):
            name, text = (row.get(columns[0]) or "").strip(), (row.get(columns[1]) or "").strip()
            if not name:
                yield Remark("broken label", place, detail=f"no {columns[0]}")
                continue
            found = tree.locate([name], path, place)
            if isinstance(found, Remark):
                yield found
                continue
            if pad := str(settings.get("pad_char") or ""):
                text = text.rstrip(pad)
            if complaint := _complaint(text, settings):
                yield Remark("breaks its own rules", place, name, complaint)
            region = (row.get("plate_region") or "").strip()
            country = regions.get(region.lower())
            if region and not country:
                yield Remark("unknown region", place, name, region)
            plate = RawPlate(text=text or None, country=country, extra={"plate_region": region} if region else {})
            yield RawImage(found, place, (plate,), crop=True)


def rows(tree: Tree, path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(place, row by lower-case column name) of a CSV divided by commas, semicolons or tabs."""
    text = read_text(path)
    reader = csv.DictReader(text.splitlines(), delimiter=_delimiter(text))
    try:
        for row in reader:
            yield f"{tree.relative(path)}:{reader.line_num}", {str(key).strip().lower(): str(value or "") for key, value in row.items() if key is not None}
    except csv.Error as error:
        raise FormatError(f"{path}:{reader.line_num}: not a CSV ({error})") from None


def header(path: Path) -> list[str]:
    """Column names in lower case."""
    first = head(path).lstrip("\ufeff").splitlines()[:1]
    return [name.strip().strip('"').lower() for name in first[0].split(_delimiter(first[0]))] if first else []


def _delimiter(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return max(",;\t", key=first.count)


def _columns(path: Path) -> tuple[str, str] | None:
    """The columns of path and text, if this is such a file and none of boxes."""
    names = header(path)
    if BOXES & set(names):
        return None
    image, text = ([name for name in known if name in names] for known in (PATHS, TEXTS))
    return (image[0], text[0]) if image and text else None


def _settings(tree: Tree) -> dict[str, Any]:
    """Of the plate YAML, told by its slots; {} where there is none."""
    found = [yaml_of(path) for path in tree.found if path.suffix.lower() in (".yaml", ".yml")]
    return next((settings for settings in found if "max_plate_slots" in settings), {})


def _complaint(text: str, settings: dict[str, Any]) -> str:
    slots, alphabet = settings.get("max_plate_slots"), str(settings.get("alphabet") or "")
    if isinstance(slots, int) and len(text) > slots:
        return f"{len(text)} characters in {slots} slots"
    foreign = sorted(set(text) - set(alphabet)) if alphabet else []
    return f"{''.join(foreign)!r} is not in its alphabet" if foreign else ""


def _regions() -> dict[str, str]:
    """Names and codes of the countries that we know, in lower case -> code."""
    found = {"united kingdom": "gb", "uk": "gb", "usa": "us", "united states of america": "us", "czechia": "cz", "türkiye": "tr"}
    for path in sorted(COUNTRIES.glob("*.toml")):
        country = tomllib.loads(path.read_text(encoding="utf-8"))
        if country["code"] != "xx":
            found |= {country["code"]: country["code"], str(country["name"]).lower(): country["code"]}
    return found
