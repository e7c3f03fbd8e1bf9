"""What `platewatch bench --json` measured on this device, for one bundle."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

LARGEST = 8 << 20
WHAT = ("detect", "read")


def speeds(path: Path, sha256: str) -> list[dict[str, Any]]:
    """[{"threads", "ms", "runs"}] of one run of this very model, its input's quantization included: the median over the pictures. Empty where there is none."""
    try:
        about = path.stat()
    except OSError:
        return []
    return list(_speeds(path, sha256, about.st_mtime_ns)) if sha256 and about.st_size <= LARGEST else []


@lru_cache(maxsize=16)
def _speeds(path: Path, sha256: str, _changed: int) -> tuple[dict[str, Any], ...]:
    try:
        result = json.loads(path.read_bytes())
        sides = {(one["side"], one["variant"]) for one in result["models"] if one["sha256"] == sha256}
        found: dict[int, list[dict[str, Any]]] = {}
        for cell in result["cells"]:
            setting = cell["setting"]
            if cell["what"] in WHAT and cell.get("ms") and (setting["side"], setting["variant"]) in sides and _is_of(cell["what"], result, sha256):
                found.setdefault(int(setting["threads"]), []).append(cell["ms"])
        return tuple(
            {"threads": threads, "ms": round(median(one["median"] for one in times), 2), "runs": sum(int(one["runs"]) for one in times)}
            for threads, times in sorted(found.items())
        )
    except (OSError, ValueError, KeyError, TypeError):  # another edition's, or half of one
        return ()


def _is_of(what: str, result: dict[str, Any], sha256: str) -> bool:
    """Detector and reader of a setting stand side by side."""
    kind = {"detect": "detector", "read": "reader"}[what]
    return any(one["sha256"] == sha256 and one["kind"] == kind for one in result["models"])
