"""Sizes, for people."""

from __future__ import annotations


def size(amount: int) -> str:
    """Bytes in decimal units, as cards are sold: 512, `3.4 kB`, `1.5 GB`."""
    value, unit = float(amount), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if value >= 99.5 or unit == "B" else f"{value:.3g} {unit}"
