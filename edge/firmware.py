"""What the firmware of a Raspberry Pi says, and how commands and files of the system are asked."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

TROUBLES = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
"""Bits of `vcgencmd get_throttled`; 16 places up the same has been so since the board started."""


def ask(*words: str) -> str | None:
    """What a command prints; None where it is not there, refuses, or does not answer within three seconds."""
    if shutil.which(words[0]) is None:
        return None
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def text_of(path: Path) -> str | None:
    """The file's words; None where there are none to be had."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ") or None
    except OSError:
        return None


def throttling(answer: str | None) -> tuple[str, ...] | None:
    """`throttled=0x50005` in words, what is so now first; None when the firmware gave no answer."""
    found = re.search(r"throttled=0x([0-9a-fA-F]+)", answer or "")
    if found is None:
        return None
    bits = int(found[1], 16)
    now = [f"{words} now" for place, words in TROUBLES.items() if bits >> place & 1]
    return (*now, *(f"{words} since the start" for place, words in TROUBLES.items() if bits >> (place + 16) & 1))
