"""One side in a process of its own: a line of JSON in is a photograph, a line out is what the side made of it (`convert/peers/process.py` asks)."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from convert.peers.base import Answer, Peer, checked
from edge.errors import ImageError, PlatewatchError
from edge.vision.image import load_image


def main() -> int:
    """The first line says whom to load: module, config, threads, download."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer

    def say(row: dict[str, Any]) -> None:
        answers.write(json.dumps(row) + "\n")
        answers.flush()

    wanted = json.loads(sys.stdin.readline())
    try:
        module = importlib.import_module(wanted["module"])
        peer: Peer = module.load(module.Config.model_validate(wanted["config"]), wanted["threads"], wanted["download"])
    except PlatewatchError as error:
        say({"refused": str(error)})
        return 1
    except Exception as error:
        say({"refused": f"{wanted['name']}: cannot be loaded ({told(error)})"})
        return 1
    from dataclasses import asdict

    say({"about": asdict(peer.about)})
    warm: set[bool] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            say(look(peer, asked["path"], asked["crop"], warm).as_json())
        except ImageError as error:
            say({"unreadable": str(error)})
    return 0


def look(peer: Peer, path: str | Path, crop: bool, warm: set[bool]) -> Answer:
    """Timed from pixels to text; neither the file's decoding nor the first look of a kind, which warms up, counts. Raises ImageError for no picture."""
    _, picture = load_image(path)
    action: Callable[[Any], Any] = peer.crop if crop else peer.scene
    try:
        if crop not in warm:
            action(picture.copy())
            warm.add(crop)
        began = time.perf_counter()
        given = action(picture)
        ms = 1000 * (time.perf_counter() - began)
        reports = checked([given] if crop and given is not None else given or [])
    except Exception as error:
        return Answer(failure=told(error), peak_mb=peak_mb())
    return Answer(tuple(reports), ms, None, peak_mb())


def told(error: Exception) -> str:
    """In one line."""
    words = (str(error).strip().splitlines() or [""])[0][:200]
    return words if isinstance(error, PlatewatchError) else f"{type(error).__name__}: {words}".rstrip(": ")


def peak_mb() -> float:
    """The most memory that this process has held, MiB; 0 outside Linux. Not ru_maxrss: that remembers the process that started this one."""
    try:
        rows = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((round(int(row.split()[1]) / 1024, 1) for row in rows if row.startswith("VmHWM:")), 0.0)


if __name__ == "__main__":
    sys.exit(main())
