"""The files below a folder, found once: which pictures there are, and which of them a label means."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from train.data.formats.raw import FormatError, Remark

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
SIBLINGS = {"images", "image", "img", "imgs", "jpegimages", "pictures", "labels", "label", "annotations", "annotation", "ann", "txt", "xml"}
"""Folders that only tell pictures from labels: they say nothing about which picture belongs to which label."""
PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test", "testing": "test"}
MAX_LABEL_BYTES = 512 * 1024 * 1024


class Tree:
    """`root` may also be one label file; then it alone is read, with the pictures below its folder or, if there are none, below one of the next two up.

    Raises FormatError when there is nothing.
    """

    def __init__(self, root: Path) -> None:
        if not root.exists():
            raise FormatError(f"{root}: no such file or folder; name the folder that holds the pictures and their labels")
        if root.is_file() and root.suffix.lower() in PICTURES:
            raise FormatError(f"{root}: is a picture; name the folder that holds the pictures and their labels")
        self.only = root.resolve() if root.is_file() else None
        for folder in root.resolve().parents[:3] if self.only else (root,):
            self.root, self.found = folder, sorted(_walk(folder))
            self.pictures = [path for path in self.found if path.suffix.lower() in PICTURES]
            if self.pictures:
                break
        else:
            raise FormatError(f"{root}: no picture in it nor below it (JPEG, PNG, WebP, BMP and TIFF are read)")
        self._by_name, self._by_stem, self._by_fold = (_index(self.pictures, key) for key in (_name, _stem, _fold))

    def files(self, *suffixes: str) -> list[Path]:
        """Label files with one of these suffixes (`.txt`), sorted."""
        return [path for path in ([self.only] if self.only else self.found) if path.suffix.lower() in suffixes]

    def relative(self, path: Path) -> str:
        """As remarks and `origin` name it: from the folder given, with slashes."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()

    def estimate(self, paths: Iterable[Path], is_one: Callable[[Path], bool], sample: int = 40) -> int:
        """About how many of `paths` are one, from a sample spread over them."""
        paths = list(paths)
        looked = paths[:: max(1, len(paths) // sample)]
        return round(len(paths) * sum(map(is_one, looked)) / max(1, len(looked)))

    def has_picture(self, stem: str) -> bool:
        return stem.lower() in self._by_stem

    def locate(self, names: Iterable[str | None], near: Path, place: str) -> Path | Remark:
        """The picture that a label at `near` means by one of `names`, best first; a Remark where there is none or no way to choose."""
        tried = [name for name in names if name]
        for name in tried:
            for spelling in dict.fromkeys((name, unquote(name))):
                plain = PurePosixPath(spelling.replace("\\", "/"))
                for start in (near.parent, self.root):
                    path = start / plain
                    if path.suffix.lower() in PICTURES and path.is_file():
                        return path
                for index, key in ((self._by_name, _name(plain)), (self._by_stem, _stem(plain)), (self._by_stem, _name(plain)), (self._by_fold, _fold(plain))):
                    nearest = self._nearest(index.get(key, []), near, plain)
                    if len(nearest) == 1:
                        return nearest[0]
                    if nearest:
                        named = ", ".join(map(self.relative, nearest[:3]))
                        return Remark("missing picture", place, tried[0], f"{len(nearest)} pictures could be meant: {named}")
        return Remark("missing picture", place, tried[0] if tried else "", "" if tried else "the label names none")

    def _nearest(self, candidates: list[Path], near: Path, named: PurePosixPath) -> list[Path]:
        """Those whose folders agree most with the folders that the label stands in, or that it names; none where they contradict them."""
        beside, told = _folders(Path(self.relative(near)).parent), [] if named.is_absolute() else _folders(Path(named).parent)

        def distance(path: Path) -> int | None:
            own = _folders(Path(self.relative(path)).parent)
            if (told and told[-1] not in own) or not (_parts(own) & _parts(told or beside) or not _parts(own) or not _parts(told or beside)):
                return None
            return min(_difference(own, beside), _difference(own, told) if told else len(own) + len(beside))

        distances = [(far, path) for path in candidates if (far := distance(path)) is not None]
        nearest = [path for far, path in distances if far == min(distances)[0]]
        same = [path for path in nearest if path.name.lower() == named.name.lower()]
        return same or nearest


def read_text(path: Path) -> str:
    """A label file's text: UTF-8 with or without a mark, UTF-16 with one, else Latin-1. Raises FormatError when it cannot be read."""
    try:
        if path.stat().st_size > MAX_LABEL_BYTES:
            raise FormatError(f"{path}: {path.stat().st_size / 1e6:.0f} MB of labels in one file is more than can be read; split it")
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error})") from None
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "latin-1"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FormatError(f"{path}: its characters cannot be read; save it as UTF-8")


def head(path: Path, length: int = 4096) -> str:
    """The first bytes as text, whatever they are: enough to recognise a format by."""
    try:
        with path.open("rb") as file:
            return file.read(length).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def _walk(root: Path) -> Iterator[Path]:
    """Every file but what other programs keep for themselves, and links that lead nowhere."""
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".") and name != "__MACOSX"]
        yield from (path for name in files if not name.startswith(".") and (path := Path(folder) / name).exists())


def _index(paths: list[Path], key: Callable[[Path], str]) -> dict[str, list[Path]]:
    index = defaultdict(list)
    for path in paths:
        index[key(path)].append(path)
    return dict(index)


def _name(path: Path | PurePosixPath) -> str:
    return path.name.lower()


def _stem(path: Path | PurePosixPath) -> str:
    """Without the picture's suffix; `a.jpg.png` is `a` as well, `day.mp4#t=1` stays whole."""
    name = path.name.lower()
    while PurePosixPath(name).suffix in PICTURES:
        name = name[: -len(PurePosixPath(name).suffix)]
    return name


def _fold(path: Path | PurePosixPath) -> str:
    """As programs that fear `#` and `=` rename it."""
    return re.sub(r"[^a-z0-9]+", "_", _stem(path))


def _folders(path: Path) -> list[str]:
    return [part.lower() for part in path.parts if part.lower() not in SIBLINGS and part not in ("/", "..", ".")]


def _parts(folders: list[str]) -> set[str]:
    """Which part of a set the folders name: a label of train/ means no picture of test/."""
    return {PARTS[word] for folder in folders for word in re.split(r"[^a-z]+", folder) if word in PARTS}


def _difference(a: list[str], b: list[str]) -> int:
    """How many folders to go up and down from one to the other."""
    shared = next((i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b)))
    return len(a) + len(b) - 2 * shared
