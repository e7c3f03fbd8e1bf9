"""How the C library keeps its memory."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3
MAPPED_FROM = 1 << 20
"""Bytes: a block so large is one of its own, and goes back to the system at once when it is freed."""


def give_back() -> bool:
    """To the system what was only needed at the start. False where the C library cannot."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError, TypeError):
        return False


def keep_tidy() -> bool:
    """Before the first frame. By itself glibc moves that limit up to the largest block that was ever freed, a whole frame, and keeps holes of that size.

    False where the C library is another one.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MAPPED_FROM))
    except (OSError, AttributeError, TypeError):
        return False
