"""A flatbuffer read with every offset checked: a hostile file is an error, never a crash, a hang or gigabytes of memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

IDENTIFIER = b"TFL3"
FIRST_SLOT = 4
"""A vtable starts with its own size and its table's, two bytes each; then one offset of two bytes a field."""


class Broken(ValueError):
    """The bytes are no flatbuffer of this kind; the message says what does not fit, without the file's name."""


@dataclass(slots=True)
class Bytes:
    """A file's content. `left` is how much may still be read: tables that are referred to again and again would take for ever."""

    content: bytes
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = 8 * len(self.content) + 65536

    def number(self, kind: str, place: int) -> int:
        """The number at `place`, `kind` as the struct module has it. Raises Broken outside the file."""
        self.spend(struct.calcsize(kind))
        try:
            return int(struct.unpack_from(kind, self.content, self.inside(place, struct.calcsize(kind)))[0])
        except struct.error:  # pragma: no cover - `inside` has checked it
            raise Broken(f"nothing can be read at byte {place}") from None

    def inside(self, place: int, size: int) -> int:
        """`place`, when `size` bytes from there lie in the file."""
        if place < 0 or size < 0 or place + size > len(self.content):
            raise Broken(f"something is said to lie at byte {place}, and the file ends at {len(self.content)}; it is cut off or damaged")
        return place

    def spend(self, amount: int) -> None:
        """Count what is read; raises Broken when the file is read over and over."""
        self.left -= amount
        if self.left < 0:
            raise Broken("its tables refer to the same bytes again and again")


@dataclass(frozen=True, slots=True)
class Table:
    """One table; its fields by their number in the schema. A field that is not there is its default."""

    data: Bytes
    place: int
    vtable: int
    slots: int

    def _where(self, field_number: int, size: int) -> int | None:
        """Where the field's `size` bytes lie; None where it is not stored."""
        slot = FIRST_SLOT + 2 * field_number
        if slot + 2 > self.slots:
            return None
        offset = self.data.number("<H", self.vtable + slot)
        return self.data.inside(self.place + offset, size) if offset else None

    def number(self, field_number: int, kind: str, default: int = 0) -> int:
        """A scalar."""
        where = self._where(field_number, struct.calcsize(kind))
        return default if where is None else self.data.number(kind, where)

    def _pointed(self, field_number: int) -> int | None:
        where = self._where(field_number, 4)
        return None if where is None else where + self.data.number("<I", where)

    def table(self, field_number: int) -> Table | None:
        """A table, None where there is none."""
        place = self._pointed(field_number)
        return None if place is None else open_table(self.data, place)

    def _vector(self, field_number: int, size: int) -> tuple[int, int]:
        """First byte and number of elements of `size` bytes; (0, 0) where it is not stored."""
        place = self._pointed(field_number)
        if place is None:
            return 0, 0
        number = self.data.number("<I", place)
        self.data.inside(place + 4, number * size)
        return place + 4, number

    def length(self, field_number: int, size: int = 1) -> int:
        """Elements of a vector, without reading them."""
        return self._vector(field_number, size)[1]

    def array(self, field_number: int, kind: str) -> npt.NDArray[Any]:
        """A vector of scalars, `kind` as numpy has it ("<i4")."""
        place, number = self._vector(field_number, np.dtype(kind).itemsize)
        self.data.spend(number * np.dtype(kind).itemsize)
        return np.frombuffer(self.data.content, kind, number, place)

    def text(self, field_number: int) -> str:
        """A string; what is no UTF-8 or would do something to a terminal is replaced."""
        place, number = self._vector(field_number, 1)
        self.data.spend(number)
        words = self.data.content[place : place + number].decode("utf-8", "replace")
        return words if words.isprintable() else "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in words)

    def tables(self, field_number: int) -> Iterator[Table]:
        """A vector of tables, one by one."""
        place, number = self._vector(field_number, 4)
        for entry in range(place, place + 4 * number, 4):
            yield open_table(self.data, entry + self.data.number("<I", entry))


def open_table(data: Bytes, place: int) -> Table:
    """The table at `place`. Raises Broken when its vtable is none."""
    vtable = place - data.number("<i", place)
    size = data.number("<H", vtable)
    if size < FIRST_SLOT or size % 2:
        raise Broken(f"the table at byte {place} does not say which fields it has")
    data.inside(vtable, size)
    return Table(data, place, vtable, size)


def open_root(content: bytes) -> Table:
    """The root table of a TFLite file. Raises Broken for anything else."""
    if not content:
        raise Broken("the file is empty")
    if content[4:8] != IDENTIFIER:
        raise Broken(f"it does not say {IDENTIFIER.decode()} at its fifth byte")
    data = Bytes(content)
    return open_table(data, data.number("<I", 0))
