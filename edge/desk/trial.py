"""Trying the camera's controls for a while. The config's come back by themselves, so that a closed browser leaves no camera dark."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from edge.camera.base import Camera
from edge.camera.knobs import Adjustable, checked
from edge.errands import Answer
from edge.errors import PlatewatchError

LONGEST_S = 120.0
log = logging.getLogger(__name__)


class Trial:
    """`camera` gives the one that is in use: after a loss it may be another."""

    def __init__(self, camera: Callable[[], Camera], clock: Callable[[], float]) -> None:
        self._camera, self._clock = camera, clock
        self._until: float | None = None
        self.values: dict[str, float] = {}

    def ask(self, values: Mapping[str, Any], seconds: float) -> Answer:
        """Set these until `seconds` have passed; without any, the config's at once. Tells what can be turned, and how far."""
        camera = self._camera()
        if not isinstance(camera, Adjustable):
            said = "a recording has neither exposure nor focus" if camera.kind == "files" else "this camera's controls cannot be set from here"
            return Answer(False, f"{said}; only a camera on this device has", {"controls": []})
        try:
            knobs = camera.knobs()
            wanted = checked(values, knobs)
            if wanted or self._until is not None:
                camera.try_out(wanted)
        except PlatewatchError as error:
            return Answer(False, str(error), {"controls": []})
        seconds = min(max(seconds, 1.0), LONGEST_S)
        self.values, self._until = wanted, self._clock() + seconds if wanted else None
        said = f"set for {seconds:.0f} s" if wanted else "the camera goes by the config"
        return Answer(True, said, {"controls": [asdict(knob) for knob in knobs], "trying": wanted})

    def tend(self) -> None:
        """To be called at every turn."""
        if self._until is not None and self._clock() >= self._until:
            self.end()

    def end(self) -> None:
        """Back to the config's."""
        if self._until is None:
            return
        self._until, self.values = None, {}
        camera = self._camera()
        try:
            if isinstance(camera, Adjustable):
                camera.try_out({})
        except PlatewatchError as error:
            log.warning("the camera's controls could not be set back: %s", error)
