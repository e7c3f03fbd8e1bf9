"""One picture at full resolution, as a JPEG in the runtime folder: made when it is asked for, in a thread, so that no frame waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge.desk.aid import exposure
from edge.errands import Answer, Refused
from edge.keeping.veil import Veil
from edge.records import Frame
from edge.status import PlateInView, utc_iso

NAME = "still.jpg"
QUALITY = 92
WAIT_S = 3.0
"""A frame must come within so many seconds; less than the page waits."""


class Still:
    """`answer` is told the errand's id and the outcome, from this thread or its own."""

    def __init__(
        self, directory: Path, veil: Callable[[], Veil], answer: Callable[[str, Answer], None], clock: Callable[[], float], wall: Callable[[], Any]
    ) -> None:
        self._path, self._veil, self._answer, self._clock, self._wall = directory / NAME, veil, answer, clock, wall
        self._asked: list[tuple[float, str]] = []
        self._work: threading.Thread | None = None

    def ask(self, id: str) -> None:
        if len(self._asked) >= 4:
            raise Refused("several stills are asked for already; ask again")
        self._asked.append((self._clock() + WAIT_S, id))

    def tend(self, frame: Frame | None, shown: Sequence[PlateInView]) -> None:
        """With the frame at hand, whose pixels are copied here."""
        if not self._asked:
            return
        busy = self._work is not None and self._work.is_alive()
        if frame is not None and not busy:
            asked, self._asked = [id for _, id in self._asked], []
            picture = self._veil().picture(frame.picture, shown)
            told = {"width": frame.luma.shape[1], "height": frame.luma.shape[0], "at": utc_iso(self._wall())} | exposure(frame.luma)
            picture = picture.copy() if picture is frame.picture else picture
            self._work = threading.Thread(target=self._make, args=(picture, told, asked), name="still", daemon=True)
            self._work.start()
        elif late := [id for until, id in self._asked if self._clock() >= until]:
            self._asked = [one for one in self._asked if one[1] not in late]
            for id in late:
                self._answer(id, Answer(False, "no picture came from the camera; its state on the page says why"))

    def _make(self, picture: Any, told: dict[str, Any], asked: Sequence[str]) -> None:
        import cv2

        try:
            made, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            if not made:
                raise OSError(0, "the picture cannot be made a JPEG")
            fresh = self._path.with_name(f".{NAME}.new")
            fresh.write_bytes(content.tobytes())
            fresh.chmod(0o600)
            fresh.replace(self._path)
            answer = Answer(True, "the picture is there", told | {"file": NAME, "bytes": int(content.size)})
        except (OSError, cv2.error) as error:
            answer = Answer(False, f"{self._path}: cannot be written ({getattr(error, 'strerror', None) or error})")
        for id in asked:
            self._answer(id, answer)
