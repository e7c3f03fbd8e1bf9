"""`python -m edge.checks.frame CONFIG`: opens the configured camera, takes a few frames, and prints what they are as one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from edge.errors import PlatewatchError

FRAMES, SECONDS = 15, 3.0


def take(config_file: str) -> dict[str, Any]:
    """{"width", "height", "fps", "mean", "spread" (of luma)}, or {"why"}."""
    from edge.camera.kinds import KINDS
    from edge.config import load

    try:
        config = load(config_file)
        times, last = list[float](), None
        with KINDS[config.camera.kind](config.camera, config.night) as camera:
            began = time.monotonic()
            for frame in camera.frames():
                times.append(time.monotonic())
                last = (frame.luma.shape, float(frame.luma.mean()), float(frame.luma.std()))
                frame.release()
                del frame  # its memory may be the camera's, which could not be closed
                if len(times) >= (1 if config.camera.kind == "files" else FRAMES) or times[-1] - began > SECONDS:
                    break
    except PlatewatchError as error:
        return {"why": str(error)}
    if last is None:
        return {"why": "it opened, but no picture came"}
    (height, width), mean, spread = last
    fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
    return {"width": width, "height": height, "fps": round(fps, 1), "mean": round(mean, 1), "spread": round(spread, 1)}


if __name__ == "__main__":
    print(json.dumps(take(sys.argv[1])))
