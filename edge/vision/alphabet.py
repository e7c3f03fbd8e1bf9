"""The characters that the reader knows. Index 0 of a class vector is CTC's blank."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = 0
CLASSES = 1 + len(ALPHABET)


def normalise(text: str) -> str:
    """Upper case, A-Z and 0-9 only: separators, dots and spaces are no part of a plate's text."""
    return "".join(char for char in text.upper() if char in ALPHABET)
