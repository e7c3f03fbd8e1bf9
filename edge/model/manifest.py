"""A model bundle: a folder with `model.tflite` and the `manifest.json` that says what it is. A bundle that does not fit its manifest is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.errors import BundleError
from edge.vision import alphabet, detector_codec, quant
from edge.vision.reader_codecs import READER_CODECS

SHIPPED = Path(__file__).resolve().parent.parent / "bundles"
MODEL_FILE, MANIFEST_FILE = "model.tflite", "manifest.json"
CODECS: dict[str, tuple[str, ...]] = {"detector": (detector_codec.NAME,), "reader": tuple(READER_CODECS)}
"""The output layouts that this version can decode, by kind."""


class Source(BaseModel):
    """One set of photographs that the weights learnt from."""

    model_config = ConfigDict(extra="forbid")
    name: str
    licence: str
    rows: int
    labels_sha256: str


class Manifest(BaseModel):
    """What stands in `manifest.json`."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    v: Literal[1] = 1
    name: str = Field(description="name and version of the bundle")
    kind: Literal["detector", "reader"]
    codec: str = Field(description="output layout, see edge/vision")
    width: int = Field(gt=0, description="input width, px")
    height: int = Field(gt=0, description="input height, px")
    normalisation: str = quant.NORMALISATION
    alphabet: str = ""
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="of model.tflite")
    golden: str = Field(default="", description="sha256 over the int8 outputs for the self-test pictures")
    float_sha256: str = Field(default="", description="of the float weights that the file was made from")
    git: str | None = None
    macs: int = Field(default=0, description="multiply-accumulates of one run")
    sources: list[Source] = []
    drawn: str = Field(default="", description="what the generator added")
    accuracy: dict[str, Any] = Field(default={}, description="float and int8 figures of the gate")
    margin: float = Field(default=0.04, ge=0, le=0.5, description="reader: share of the plate kept around it on each side")
    temperature: float = Field(default=1.0, gt=0, description="reader: logits are divided by it, so that confidences tell the truth")
    calibration: tuple[Annotated[float, Field(gt=0)], float, Annotated[float, Field(gt=0, le=1)]] | None = Field(
        default=None, description="reader: slope, offset and ceiling, see edge/model/confidence.py; null leaves confidences as the network gives them"
    )
    threshold: float = Field(default=0.4, gt=0, lt=1, description="detector: score from which a detection counts")


def load_manifest(folder: str | Path, kind: str) -> tuple[Manifest, bytes]:
    """The manifest of the bundle in `folder` and its model's bytes. Raises BundleError in one sentence when anything does not fit."""
    folder = Path(folder)
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
        model = (folder / MODEL_FILE).read_bytes()
    except FileNotFoundError as error:
        raise BundleError(f"{folder}: no {Path(str(error.filename)).name} there; a bundle holds {MODEL_FILE} and {MANIFEST_FILE}") from None
    except OSError as error:
        raise BundleError(f"{folder}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BundleError(f"{folder / MANIFEST_FILE}: {place}: {first['msg']}; make the bundle anew with python -m convert bundle") from None
    if manifest.kind != kind:
        raise BundleError(f"{folder}: is a {manifest.kind}, a {kind} is wanted; look at [models] in the configuration")
    if manifest.codec not in CODECS[kind]:
        known = " and ".join(map(repr, CODECS[kind]))
        raise BundleError(f"{folder}: speaks the codec {manifest.codec!r}, this version knows {known}; update Platewatch or take another bundle")
    if kind == "reader" and manifest.alphabet != alphabet.ALPHABET:
        raise BundleError(f"{folder}: its alphabet is not the one that this version reads")
    if manifest.normalisation != quant.NORMALISATION:
        raise BundleError(f"{folder}: wants its input as {manifest.normalisation!r}, this version gives {quant.NORMALISATION!r}")
    if hashlib.sha256(model).hexdigest() != manifest.sha256:
        raise BundleError(f"{folder / MODEL_FILE}: does not fit the hash in its manifest; copy the whole bundle again")
    return manifest, model


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """As indented JSON."""
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(), indent=1) + "\n", encoding="utf-8")
