"""Memory for decoded frames, used again: fresh megabytes for every frame would leave the heap of a daemon that runs for weeks full of holes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from edge.camera.video import picture_of
from edge.records import Luma
from edge.vision.image import to_luma

KEPT = 3
"""One that is worked, one that waits, one that is being decoded."""
Pixels = npt.NDArray[np.uint8]
Shot = tuple[Luma, Pixels, Callable[[], None]]
"""(H, W) and (H, W, 3) of one frame, and what gives both back, for `Frame.let_go`."""


class Pool:
    """Where a camera's frames come from. A frame that nobody releases keeps its memory, and the next one gets fresh.

    `make_room` is asked before that: who would drop a frame for the next one anyway does so now, and its memory serves. At 1080p that is 8 MB.
    """

    def __init__(self) -> None:
        self.make_room: Callable[[], None] = lambda: None
        self._free = deque[tuple[Pixels, Pixels]](maxlen=KEPT)  # the camera's thread takes, others give back

    def shot(self, video: cv2.VideoCapture) -> Shot | None:
        """The frame that was grabbed last; None where it is broken."""
        if not self._free:
            self.make_room()
        before = self._free.popleft() if self._free else None  # nobody else takes
        picture = picture_of(video, None if before is None else before[0])
        if picture is None:
            self._free.extend([] if before is None else [before])
            return None
        luma = to_luma(picture, None if before is None else before[1])
        lent = [(picture, luma)]

        def let_go() -> None:
            if lent:  # said twice it is still one
                self._free.append(lent.pop())

        return luma, picture, let_go
