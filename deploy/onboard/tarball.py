"""A release archive's one possible form: a plain tar in which every byte but the files' contents follows from `release.json`, its first member.

Each header is compared with the one that the format asks for, so links, devices, folders, names that lead elsewhere, members twice or too many, other
modes and owners, and every clever spelling of a tar are refused by the same comparison. It is read once, front to back, also from a pipe.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from deploy.onboard.errors import OnboardError

FORMAT = 1
NAME = "release.json"
BLOCK = 512
MOST_JSON, MOST_FILE, MOST_ALL, MOST_FILES = 1 << 20, 512 << 20, 2 << 30, 1000
CHUNK = 1 << 20
PART = r"[A-Za-z0-9_][A-Za-z0-9_.+!@-]*"
MEMBERS = {
    "release": re.compile(rf"onboard\.pyz|wheels/{PART}\.whl|units/({PART}/)?{PART}\.(service|timer|socket|path|target|mount|slice|conf|rules)"),
    "bundle": re.compile(r"bundle/(manifest\.json|model\.tflite)"),
}
"""What may stand in an archive of each kind, besides release.json."""
FIELDS = {"format", "kind", "id", "version", "serial", "commit", "machine", "pythons", "files"}
TYPES = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"5": "a folder", b"6": "a named pipe"}


@dataclass(frozen=True, slots=True)
class File:
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Release:
    """What stands in `release.json`."""

    kind: str
    """`release`: the application. `bundle`: one model."""
    id: str
    version: str
    serial: int
    """UTC seconds of the commit; a smaller one is older."""
    commit: str
    machine: str
    pythons: tuple[str, ...]
    """As in `3.11`."""
    files: dict[str, File]
    model: str = ""
    """`detector` or `reader`, of a bundle."""

    @property
    def text(self) -> str:
        """The file, in its one spelling."""
        files = {name: {"sha256": file.sha256, "size": file.size} for name, file in sorted(self.files.items())}
        plain: dict[str, Any] = {name: getattr(self, name) for name in ("kind", "id", "version", "serial", "commit", "machine")}
        plain |= {"format": FORMAT, "pythons": list(self.pythons), "files": files} | ({"model": self.model} if self.model else {})
        return json.dumps(plain, indent=1, sort_keys=True) + "\n"

    @property
    def size(self) -> int:
        """Bytes of the archive."""
        return 2 * BLOCK + sum(BLOCK + _padded(size) for size in (len(self.text), *(file.size for file in self.files.values())))


def release_id(version: str, serial: int, commit: str) -> str:
    return f"{version}-{datetime.fromtimestamp(serial, UTC):%Y%m%d%H%M}-{commit[:8]}"


def header(name: str, size: int, serial: int) -> bytes:
    """The 512 bytes before a member (POSIX ustar); ValueError where the name is too long for it. Written out here, as Python's own differ by version."""
    folder, base = (b"", name.encode("ascii")) if len(name) <= 100 else (part.encode("ascii") for part in name.rsplit("/", 1))
    if len(base) > 100 or len(folder) > 155:
        raise ValueError(f"{name[:80]!a} is too long a name")
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (0o644, 0, 0, size, serial)
    before, after = base.ljust(100, b"\0") + numbers, b"0" + bytes(100) + b"ustar\00000" + bytes(80) + folder.ljust(155, b"\0") + bytes(12)
    return before + b"%06o\0 " % sum(before + b" " * 8 + after) + after


def parse(raw: bytes, name: str) -> Release:
    """Of release.json; raises OnboardError, which begins with `name`, where it is none, or of another format."""
    try:
        plain = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise OnboardError(f"{name}: its {NAME} is no JSON, so this is no release of Platewatch") from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT or isinstance(plain["format"], bool):
        shown = str(plain.get("format"))[:20] if isinstance(plain, dict) else "none"
        raise OnboardError(f"{name}: is of the format {shown}, and this version knows the format {FORMAT} only; update in smaller steps")
    try:
        release = _release(plain)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise OnboardError(f"{name}: its {NAME} is wrong ({error})") from None
    if release.text.encode() != raw:
        raise OnboardError(f"{name}: its {NAME} is not spelt as releases spell it, so something else wrote it")
    return release


def members(stream: BinaryIO, name: str) -> Iterator[tuple[Release, str, Iterator[bytes]]]:
    """The release, and each file's name and contents in pieces, checked against its hash when the last piece was taken; they must be taken in turn.

    Raises OnboardError, which begins with `name`; what came before stays unproven until the last member has been taken and the loop has ended.
    """
    first = _exactly(stream, BLOCK, name)
    size = _size(first, name)
    serial = _octal(first[136:148])
    raw = _exactly(stream, size, name)
    release = parse(raw, name)
    _same(first, header(NAME, size, release.serial), NAME, name)
    if serial != release.serial:
        raise OnboardError(f"{name}: its {NAME} is wrong (serial)")
    _zeros(stream, _padded(size) - size, name)
    for member, file in sorted(release.files.items()):
        _same(_exactly(stream, BLOCK, name), header(member, file.size, release.serial), member, name)
        yield release, member, _contents(stream, member, file, name)
        _zeros(stream, _padded(file.size) - file.size, name)
    end = _exactly(stream, 2 * BLOCK, name)
    if any(end):
        raise OnboardError(f"{name}: holds {_shown(end[:BLOCK])}, which its {NAME} does not name")
    if stream.read(1):
        raise OnboardError(f"{name}: goes on after its end; fetch it again")


def check(archive: Path) -> Release:
    """Reads all of it; raises OnboardError where it is not exactly what its release.json says."""
    found = None
    try:
        with archive.open("rb") as stream:
            for release, _, contents in members(stream, archive.name):
                found = release
                for _ in contents:
                    pass
    except OSError as error:
        raise OnboardError(f"{archive}: cannot be read ({error.strerror})") from None
    assert found is not None  # a release without files is refused by `parse`
    return found


def _release(plain: dict[str, Any]) -> Release:
    """Raises ValueError and the like, in words."""
    kind = plain["kind"]
    if kind not in MEMBERS:
        raise ValueError(f"kind {kind!s:.20} is not known")
    extra = set(plain) ^ (FIELDS | ({"model"} if kind == "bundle" else set()))
    if extra:
        raise ValueError(f"{sorted(extra)[0]!s:.40} is missing or not known")
    texts = {"version": rf"{PART}", "commit": "[0-9a-f]{40}", "machine": r"[a-z0-9_]{1,20}", "model": "detector|reader|"}
    for field, pattern in texts.items():
        if not isinstance(plain.get(field, ""), str) or not re.fullmatch(pattern, plain.get(field, "")) or len(plain.get(field, "")) > 60:
            raise ValueError(f"{field} is not of the right form")
    serial = plain["serial"]
    if type(serial) is not int or not 0 < serial < 1 << 33:
        raise ValueError("serial is no time")
    if plain["id"] != release_id(plain["version"], serial, plain["commit"]):
        raise ValueError("id does not follow from version, serial and commit")
    pythons = plain["pythons"]
    if not isinstance(pythons, list) or not all(isinstance(one, str) and re.fullmatch(r"3\.\d{1,2}", one) for one in pythons):
        raise ValueError("pythons is no list of versions")
    files = {member: _file(member, about, MEMBERS[kind]) for member, about in plain["files"].items()}
    if not 0 < len(files) <= MOST_FILES or sum(file.size for file in files.values()) > MOST_ALL:
        raise ValueError("files are none, too many or too large")
    return Release(kind, plain["id"], plain["version"], serial, plain["commit"], plain["machine"], tuple(pythons), files, plain.get("model", ""))


def _file(member: str, about: dict[str, Any], allowed: re.Pattern[str]) -> File:
    if not allowed.fullmatch(member) or len(member) > 200:
        raise ValueError(f"{member[:80]!a} is no name for a file of a release")
    if set(about) != {"sha256", "size"} or type(about["size"]) is not int or not 0 <= about["size"] <= MOST_FILE:
        raise ValueError(f"the size of {member} is wrong")
    if not isinstance(about["sha256"], str) or not re.fullmatch("[0-9a-f]{64}", about["sha256"]):
        raise ValueError(f"the hash of {member} is wrong")
    header(member, 0, 0)  # ValueError where it does not fit into a tar
    return File(about["sha256"], about["size"])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def _contents(stream: BinaryIO, member: str, file: File, name: str) -> Iterator[bytes]:
    hashed, left = hashlib.sha256(), file.size
    while left:
        piece = _exactly(stream, min(left, CHUNK), name)
        hashed.update(piece)
        left -= len(piece)
        yield piece
    if hashed.hexdigest() != file.sha256:
        raise OnboardError(f"{name}: {member} in it was changed (its hash is not the one in {NAME}); fetch it again")


def _same(found: bytes, wanted: bytes, member: str, name: str) -> None:
    if found != wanted:
        raise OnboardError(f"{name}: holds {_shown(found)} where {member} must stand; something else wrote it, or it was changed")


def _shown(block: bytes) -> str:
    """What a header says, for a sentence."""
    if not any(block):
        return "its end"
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError:
        return "no file"
    return f"{TYPES.get(member.type, 'the file')} {member.name[:80]!a} of {member.size} bytes"


def _size(block: bytes, name: str) -> int:
    """Of the first member, before anything is known."""
    size = _octal(block[124:136])
    if block[:100].rstrip(b"\0") != NAME.encode() or not 0 < size <= MOST_JSON:
        raise OnboardError(f"{name}: does not begin with a {NAME}, so it is no release of Platewatch")
    return size


def _octal(field: bytes) -> int:
    digits = field.rstrip(b"\0 ")
    return int(digits, 8) if re.fullmatch(b"[0-7]{1,11}", digits) else -1


def _exactly(stream: BinaryIO, size: int, name: str) -> bytes:
    pieces, left = [], size
    while left:
        piece = stream.read(left)
        if not piece:
            raise OnboardError(f"{name}: is cut off; fetch it again")
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _zeros(stream: BinaryIO, size: int, name: str) -> None:
    if any(_exactly(stream, size, name)):
        raise OnboardError(f"{name}: holds something between its files; fetch it again")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
