"""An archive in the form that the kernel unpacks as its first root ("newc")."""

from __future__ import annotations

from dataclasses import dataclass

FOLDER, FILE, LINK, DEVICE = 0o040000, 0o100000, 0o120000, 0o020000


@dataclass(frozen=True, slots=True)
class Entry:
    """`mode` with the kind of file in it; `device` is (major, minor) of a character device."""

    name: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def packed(entries: list[Entry]) -> bytes:
    """The same entries make the same bytes: no time, no owner but root."""
    out = bytearray()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1):
        name = entry.name.encode() + b"\0"
        fields = (number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0, *entry.device, len(name), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4)
        out += entry.content
        out += bytes(-len(out) % 4)
    return bytes(out) + bytes(-len(out) % 512)
