"""The JSON by which Raspberry Pi Imager offers an image, with its size and hashes: without it Imager asks for no name, user or Wi-Fi for a local file."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from deploy.card import boot, detect, image, partitions
from deploy.image.errors import ImageListError

InitFormat = Literal["none", "systemd", "cloudinit", "cloudinit-rpi", "rpi-preseed"]
FORMATS: dict[detect.Way, InitFormat] = {"cloudinit": "cloudinit-rpi", "firstrun": "systemd", "preseed": "rpi-preseed"}
DEVICES = {"pi5-64bit": "Raspberry Pi 5", "pi4-64bit": "Raspberry Pi 4", "pi3-64bit": "Raspberry Pi 3 and Zero 2 W"}
"""Imager's own tags; compute modules go with their sisters."""
CHUNK = 1 << 20
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Url = Annotated[str, Field(pattern=r"^(https?|file)://[^\s]+$")]


def _a_day(text: str) -> str:
    datetime.date.fromisoformat(text)
    return text


class Entry(BaseModel):
    """One system in Imager's list."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, max_length=80)
    description: str = Field(min_length=1, max_length=200)
    icon: Url = Field(description="PNG or SVG, 40 pixels square.")
    url: Url = Field(description="Of the image: .img, .img.xz, .img.gz or .zip.")
    website: Url | None = None
    release_date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_a_day)]
    extract_size: int = Field(gt=0, multiple_of=512, description="Bytes of the disk in it; Imager refuses a card that is smaller.")
    extract_sha256: Sha256 = Field(description="Of the disk in it; where it is wrong Imager leaves the card unusable.")
    image_download_size: int = Field(gt=0)
    image_download_sha256: Sha256
    devices: list[Literal["pi5-64bit", "pi4-64bit", "pi3-64bit"]] = Field(min_length=1)
    init_format: InitFormat = Field(description="How it takes name, user and Wi-Fi on its first start. A wrong one loses them without a word.")
    architecture: Literal["armv8"] = "armv8"
    capabilities: list[str] = []


class Board(BaseModel):
    """One board that Imager lets the user choose; without these it hides what is for none of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    tags: list[str] = Field(min_length=1)
    icon: Url
    description: str
    matching_type: Literal["exclusive", "inclusive"] = "exclusive"
    capabilities: list[str] = []


class Imager(BaseModel):
    """What Imager itself is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    devices: list[Board]


class OsList(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    imager: Imager
    os_list: list[Entry] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Measured:
    """Sizes in bytes, hashes of the file and of the disk in it, and how its first start is told what to do; '' where that was not looked for."""

    packed: int
    packed_sha256: str
    size: int
    sha256: str
    init_format: InitFormat | Literal[""]


def measure(path: Path, *, look_inside: bool, tell: Callable[[int, int], None] = lambda taken, whole: None) -> Measured:
    """Reads all of it, once packed and once unpacked; with `look_inside` its boot partition too. Raises CardError or ImageListError."""
    if look_inside and shutil.which("mdir") is None:
        raise ImageListError("mtools is not on this machine, so that nobody can look into the image; install it, or say --init-format")
    found = image.look(path)
    with path.open("rb") as file:
        packed = hashlib.file_digest(file, "sha256").hexdigest()
    summed, size, first, init = hashlib.sha256(), 0, None, ""
    with tempfile.TemporaryDirectory() as folder, found.open() as stream:
        head = Path(folder, "head.img")
        with head.open("wb") as kept:
            while chunk := stream.read(CHUNK):
                if look_inside and first is None:
                    first = partitions.boot_partition(chunk[:512], path.name)
                if first is not None:
                    kept.write(chunk[: max(0, first.end - size)])
                summed.update(chunk)
                size += len(chunk)
                tell(stream.taken, found.packed)
            stream.finish()
        if first is not None:
            init = FORMATS[detect.detect(boot.FatPartition(head, first.start)).way]
    return Measured(found.packed, packed, size, summed.hexdigest(), init)  # type: ignore[arg-type]


WORDS = {
    "name": "--name: 1 to 80 characters",
    "description": "--description: 1 to 200 characters",
    "icon": "--icon: an address of http, https or file, without spaces",
    "url": "--url: an address of http, https or file, without spaces",
    "website": "--website: an address of http, https or file, without spaces",
    "release_date": "--release-date: a day, as in 2026-11-23",
    "extract_size": "the image: its disk must be whole sectors of 512 bytes, so this is none, or it is cut off",
}


def check_out(out: Path, image: Path) -> None:
    """Raises ImageListError where the list cannot be written there, or would be written over something else."""
    folder = out.absolute().parent
    if not folder.is_dir() or out.is_dir():
        raise ImageListError(f"--out {out}: name a file in a folder that is there")
    if not os.access(folder, os.W_OK) or (out.exists() and not out.is_file()):
        raise ImageListError(f"--out {out}: cannot be written; name a file in a folder that you may write")
    if out.exists() and image.exists() and out.samefile(image):
        raise ImageListError(f"--out {out}: is the image itself; name another file")
    if out.exists() and out.stat().st_size:
        with contextlib.suppress(OSError, ValueError):
            if out.stat().st_size < 10_000_000 and "os_list" in json.loads(out.read_bytes()):
                return
        raise ImageListError(f"--out {out}: is there and is no list for Imager; name another file, or move it away")


def check_words(words: Mapping[str, object]) -> None:
    """Raises ImageListError, one sentence, for what Imager would not take; the image need not be measured yet."""
    describe(Measured(1, "0" * 64, 512, "0" * 64, "none"), words)


def describe(measured: Measured, words: Mapping[str, object]) -> OsList:
    """`words`: url, icon, name, description, release_date, devices, website, init_format. Raises ImageListError, one sentence."""
    told: dict[str, object] = {"image_download_size": measured.packed, "image_download_sha256": measured.packed_sha256}
    told |= {"extract_size": measured.size, "extract_sha256": measured.sha256} | {key: value for key, value in words.items() if value is not None}
    told["init_format"] = words.get("init_format") or measured.init_format
    try:
        entry = Entry.model_validate(told)
        boards = [Board(name=DEVICES[tag], tags=[tag], icon=entry.icon, description=DEVICES[tag]) for tag in entry.devices]
        return OsList(imager=Imager(devices=boards), os_list=[entry])
    except ValidationError as error:
        first = error.errors()[0]
        where = str(first["loc"][0])
        raise ImageListError(f"{WORDS.get(where, where)}; not {str(first['input'])[:80]!r}") from None


def text(made: OsList) -> str:
    """As it is written."""
    return json.dumps(made.model_dump(exclude_none=True), indent=2, ensure_ascii=False) + "\n"


def schema() -> str:
    """deploy/image/os_list.schema.json."""
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"} | OsList.model_json_schema(), indent=2) + "\n"


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
