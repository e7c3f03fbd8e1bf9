"""`python -m edge.checks.sent CONFIG`: which size the encoder of the configured stream states, as one line of JSON.

On a connection of its own, since OpenCV tells the size of the opening for ever, whatever comes. Nothing is decoded: packets are read until one holds a
parameter set.
"""

from __future__ import annotations

import json
import sys
import time

import cv2

from edge.camera.opencv import open_stream
from edge.camera.parameters import Size, size_in
from edge.errors import PlatewatchError

SILENCE_MS, SECONDS = 4000, 12.0
"""Some cameras send a key frame, and the parameters with it, only every ten seconds."""


def sent_size(address: str, seconds: float = SECONDS) -> Size | None:
    """None where it does not open, is neither H.264 nor H.265, or says nothing of its size in time."""
    video = open_stream(address, SILENCE_MS)
    try:
        if not video.isOpened():
            return None
        codec = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("ascii", "replace")
        video.set(cv2.CAP_PROP_FORMAT, -1)  # packets, not pictures
        until = time.monotonic() + seconds
        while time.monotonic() < until and video.grab():
            good, packet = video.retrieve()
            if good and packet is not None and (found := size_in(packet.tobytes(), codec)) is not None:
                return found
        return None
    finally:
        video.release()


def main(config_file: str) -> dict[str, object]:
    """{"width", "height"}, or {"why"}."""
    from edge.config import load

    try:
        found = sent_size(load(config_file).camera.source)
    except PlatewatchError as error:
        return {"why": str(error)}
    return {"why": "it does not say"} if found is None else {"width": found[0], "height": found[1]}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
