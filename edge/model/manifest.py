"""A model bundle: a folder with `model.tflite` and the `manifest.json` that says what it is. A bundle that does not fit its manifest is refused."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from edge.errors import BundleError
from edge.model import fields
from edge.vision import alphabet, layouts

SHIPPED = Path(__file__).resolve().parent.parent / "bundles"
MODEL_FILE, MANIFEST_FILE = "model.tflite", "manifest.json"
CODECS: dict[str, tuple[str, ...]] = {"detector": (layouts.QUADS,), "reader": layouts.READERS}
"""The output layouts that this version can decode, by kind."""
VERSION = 1
MOST_MANIFEST, MOST_MODEL = 1 << 20, 64 << 20
"""Bytes: a file larger than this is none of ours, and is not read into a small board's memory."""
MOST_PX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What stands in `manifest.json`. Make one with `Manifest.of`, which checks it."""

    v: int = VERSION
    name: str
    """Name and version of the bundle."""
    kind: Literal["detector", "reader"]
    codec: str
    """Output layout, see edge/vision."""
    width: int
    """Of the input, px."""
    height: int
    normalisation: str = layouts.NORMALISATION
    alphabet: str = ""
    sha256: str
    """Of model.tflite."""
    golden: str = ""
    """sha256 over the int8 outputs for the self-test pictures."""
    float_sha256: str = ""
    """Of the float weights that the file was made from."""
    git: str | None = None
    macs: int = 0
    """Multiply-accumulates of one run."""
    sources: Sequence[Mapping[str, Any]] = ()
    """The sets of photographs that the weights learnt from: name, licence, rows, labels_sha256."""
    drawn: str = ""
    """What the generator added."""
    quantization: Mapping[str, Any] = field(default_factory=dict)
    """How the int8 file was made: method, calibration pictures; empty in older bundles."""
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    """The gate's verdict: float and int8 figures, the drop and its interval, by source."""
    margin: float = 0.04
    """Reader: share of the plate kept around it on each side."""
    temperature: float = 1.0
    """Reader: logits are divided by it, so that confidences tell the truth."""
    calibration: tuple[float, float, float] | None = None
    """Reader: slope, offset and ceiling, see edge/model/confidence.py; None leaves confidences as the network gives them."""
    threshold: float = 0.4
    """Detector: score from which a detection counts."""

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Manifest:
        """From the keys of a `manifest.json`. Raises BundleError that begins with the key and says what its value must be."""
        if said := fields.first(about, CHECKS, NEEDED):
            raise BundleError(said)
        lists = {key: tuple(about[key]) for key in ("calibration", "sources") if about.get(key)}
        return cls(**{**about, **lists})


CHECKS: Mapping[str, fields.Check] = {
    "name": fields.word,
    "kind": fields.one_of(*CODECS),
    "codec": fields.word,
    "width": fields.whole(1, MOST_PX),
    "height": fields.whole(1, MOST_PX),
    "sha256": fields.digest,
    "v": fields.exactly(VERSION),
    "normalisation": fields.word,
    "alphabet": fields.text,
    "golden": fields.text,
    "float_sha256": fields.text,
    "git": fields.maybe(fields.text),
    "macs": fields.whole(0, 10**12),
    "sources": fields.tables({"name": fields.text, "licence": fields.text, "rows": fields.whole(0, 10**12), "labels_sha256": fields.text}),
    "drawn": fields.text,
    "quantization": fields.table,
    "accuracy": fields.table,
    "margin": fields.number(0, 0.5),
    "temperature": fields.number(0.01, 100),
    "calibration": fields.maybe(fields.numbers(fields.number(0.001, 1000), fields.number(-1000, 1000), fields.number(0.001, 1))),
    "threshold": fields.number(0, 1, ends=False),
}
NEEDED = ("name", "kind", "codec", "width", "height", "sha256")


def load_manifest(folder: str | Path, kind: str) -> tuple[Manifest, bytes]:
    """The manifest of the bundle in `folder` and its model's bytes. Raises BundleError in one sentence when anything does not fit."""
    folder = Path(folder)
    manifest, model = read_bundle(folder, kind)
    if manifest.sha256 not in _shipped():
        from edge.model.rehearsal import rehearse  # what starts processes is memory that a device with shipped bundles can do without

        rehearse(folder, manifest, model)
    return manifest, model


def aside(folder: Path) -> Path:
    """Where the old bundle lies for the moment between the two renames in which a new one takes its place."""
    return folder.with_name(f".{folder.name}.old")


def as_json(manifest: Manifest) -> bytes:
    """As indented JSON."""
    return (json.dumps(asdict(manifest), indent=1) + "\n").encode()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """In one step: whoever reads it sees the old one or the new one. Raises BundleError when it cannot be written."""
    staged = folder / f".{MANIFEST_FILE}.new"
    try:
        with staged.open("wb") as file:
            file.write(as_json(manifest))
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, folder / MANIFEST_FILE)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise BundleError(f"{folder / MANIFEST_FILE}: cannot be written ({error.strerror}); what was there is untouched") from None


def read_bundle(folder: Path, kind: str) -> tuple[Manifest, bytes]:
    """As `load_manifest`, but a foreign model has not been run."""
    if not folder.exists() and aside(folder).is_dir():
        folder = aside(folder)
    manifest = _parse(folder / MANIFEST_FILE, _content(folder, MANIFEST_FILE, MOST_MANIFEST))
    model = _content(folder, MODEL_FILE, MOST_MODEL)
    if manifest.kind != kind:
        raise BundleError(f"{folder}: is a {manifest.kind}, a {kind} is wanted; look at [models] in the configuration")
    if manifest.codec not in CODECS[kind]:
        known = " and ".join(map(repr, CODECS[kind]))
        raise BundleError(f"{folder}: speaks the codec {manifest.codec!r}, this version knows {known}; update Platewatch or take another bundle")
    if kind == "reader" and manifest.alphabet != alphabet.ALPHABET:
        raise BundleError(f"{folder}: its alphabet is not the one that this version reads")
    if manifest.normalisation != layouts.NORMALISATION:
        raise BundleError(f"{folder}: wants its input as {manifest.normalisation!r}, this version gives {layouts.NORMALISATION!r}")
    if hashlib.sha256(model).hexdigest() != manifest.sha256:
        raise BundleError(f"{folder / MODEL_FILE}: does not fit the hash in its manifest; copy the whole bundle again")
    return manifest, model


def _content(folder: Path, name: str, most: int) -> bytes:
    """Of an ordinary file of reasonable size: a pipe or a device would hang or fill the memory."""
    path = folder / name
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise BundleError(f"{path}: is no file; a bundle holds the files {MODEL_FILE} and {MANIFEST_FILE}")
        if about.st_size > most:
            raise BundleError(f"{path}: {about.st_size / (1 << 20):.0f} MiB, more than any {name} of a bundle; copy the whole bundle again")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"{folder}: no {name} there; a bundle holds {MODEL_FILE} and {MANIFEST_FILE}") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder}: cannot be read ({getattr(error, 'strerror', error)})") from None


def _parse(path: Path, content: bytes) -> Manifest:
    try:
        about = json.loads(content)
    except (ValueError, RecursionError):
        raise BundleError(f"{path}: is no JSON; copy the whole bundle again") from None
    if not isinstance(about, dict):
        raise BundleError(f"{path}: is no manifest; copy the whole bundle again")
    version = about.get("v", VERSION)
    if isinstance(version, int) and VERSION < version < 10**6:
        raise BundleError(f"{path}: made by a newer Platewatch (v {version}, this one knows {VERSION}); update Platewatch or take another bundle")
    try:
        return Manifest.of(about)
    except BundleError as error:
        raise BundleError(f"{path}: {error}; update Platewatch, or make the bundle anew with python -m convert bundle") from None


@cache
def _shipped() -> frozenset[str]:
    """Hashes of the models that came with this version: those have been run before."""
    found = set()
    for kind in CODECS:
        try:
            found.add(str(json.loads((SHIPPED / kind / MANIFEST_FILE).read_bytes())["sha256"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return frozenset(found)
