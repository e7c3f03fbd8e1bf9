"""One thread's time with one camera."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

from edge.camera.base import Camera


@dataclass(slots=True)
class Shift:
    """`left` when it was given up; `beat_at` is its last sign of life (monotonic s)."""

    camera: Camera
    beat_at: float
    stage: Literal["opening", "reading", "closing", "waiting"] = "waiting"
    left: bool = False
    trial: bool = False
    """In the place of another camera, and nothing was seen of it yet."""
    refused: str = ""
    thread: threading.Thread | None = field(default=None, repr=False)
