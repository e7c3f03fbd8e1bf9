"""Reading pictures for the page, in a process of its own that is started when somebody asks and ends when nobody has for a while.

Not in the daemon: a stranger's picture is decoded far from the gate, and no frame waits for it. Not in the page either: the networks stay in memory only
while they are used. The process reads lines of JSON {"name", "crop", "bytes"}, each followed by so many bytes, and answers each with a line: what
`platewatch read --json` prints, or {"error"}. A picture goes through a pipe and is laid down nowhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from edge.errors import ImageError, PlatewatchError

if TYPE_CHECKING:
    from edge.config import Config

MOST_BYTES, MOST_PIXELS = 16 * 1024 * 1024, 12_500_000
"""As many as the largest Pi camera takes: 50 MB once decoded, luma and colour, which is what a board with 1 GB can spare."""
START_S, READ_S, IDLE_S = 60.0, 30.0, 60.0
NICE = 10


class Busy(PlatewatchError):
    """Somebody else's picture is being read; ask again."""


class ReadingApart:
    """One picture at a time, whoever asks. Safe to use from many threads; `close` when the page ends."""

    def __init__(self, config_file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._config_file, self._clock = config_file, clock
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._used_at = float("-inf")

    def read(self, picture: bytes, name: str = "picture", *, crop: bool = False) -> dict[str, Any]:
        """What is read in an encoded picture, as `platewatch read --json`. Raises ImageError, Busy, or PlatewatchError where the models cannot be used."""
        if not picture:
            raise ImageError(f"{name}: the file is empty; copy it again")
        if len(picture) > MOST_BYTES:
            raise ImageError(f"{name}: {len(picture) / 1e6:.0f} MB is more than the {MOST_BYTES // 1_000_000} MB allowed; make it smaller")
        if not self._lock.acquire(blocking=False):  # who waits would hold one of the page's few threads
            raise Busy("another picture is being read; ask again")
        try:
            told = self._ask({"name": name[:100], "crop": crop, "bytes": len(picture)}, picture)
        finally:
            self._lock.release()
        if "error" in told:
            raise (ImageError if told.get("kind") == "image" else PlatewatchError)(str(told["error"]))
        return told

    def rest(self) -> None:
        """To be called now and then: the process goes when it was not used for a while."""
        if self._lock.acquire(blocking=False):
            try:
                if self._process is not None and self._clock() - self._used_at > IDLE_S:
                    self._end()
            finally:
                self._lock.release()

    def close(self) -> None:
        """At once, also in the middle of a picture."""
        with contextlib.suppress(AttributeError):
            self._process.kill()  # type: ignore[union-attr]
        with self._lock:
            self._end()

    def _ask(self, order: dict[str, Any], picture: bytes) -> dict[str, Any]:
        fresh = self._process is None or self._process.poll() is not None
        if fresh:
            self._end()
            self._start()
        process, self._used_at = self._process, self._clock()
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        patience = threading.Timer(READ_S + (START_S if fresh else 0.0), process.kill)  # both pipes then end
        patience.daemon = True
        patience.start()
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.write(picture)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = _last_words(process.stdout)
        finally:
            patience.cancel()
        self._used_at = self._clock()
        try:
            told: dict[str, Any] = json.loads(line)
        except ValueError:
            self._end()
            raise PlatewatchError("the picture could not be read: its process broke down on it; try another picture, or see platewatch doctor") from None
        if told.get("kind") == "models":  # it ends by itself, and the next one may find the mended config
            self._end()
        return told

    def _start(self) -> None:
        root = str(Path(__file__).parents[1])
        environment = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        environment["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MOST_PIXELS)  # refused before any memory is taken
        words = [sys.executable, "-m", "edge.reading_apart", str(self._config_file)]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
        )

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # it has nothing to save
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        process.wait()


def _last_words(stdout: Any) -> bytes:
    """Of a process that ended before it took the picture: it may have said why."""
    with contextlib.suppress(OSError):
        return bytes(stdout.readline())
    return b""


def serve(config: Config, orders: BinaryIO) -> None:
    """The process: until its input ends."""
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.plates.ruled import apply_rules
    from edge.reading import CROP_THRESHOLD, as_json, look, look_at_crop
    from edge.vision.image import decode_image
    from edge.wiring import bundle_dir

    models = config.models
    detector = Detector.load(bundle_dir(models.detector), 1, models.detection_threshold)
    reader, usual = Reader.load(bundle_dir(models.reader), 1), detector.threshold

    def answer(order: dict[str, Any], picture: bytes) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            luma = decode_image(picture, order["name"])[0]  # the colours are not kept meanwhile
            detector.threshold = CROP_THRESHOLD if order["crop"] else usual
            looks = (look_at_crop if order["crop"] else look)(luma, detector, reader)
            said = [apply_rules(one.read, config.country.code) for one in looks.plates]
            return as_json(order["name"], luma, looks, said, 1000 * (time.perf_counter() - began))
        except ImageError as error:
            return {"error": str(error), "kind": "image"}

    while line := orders.readline():
        order = json.loads(line)
        print(json.dumps(answer(order, orders.read(order["bytes"]))), flush=True)


def main(config_file: Path) -> int:
    from edge import config

    with contextlib.suppress(OSError):
        os.nice(NICE)
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out it goes first, and the page stays
    try:
        serve(config.load(config_file), sys.stdin.buffer)
    except PlatewatchError as error:
        print(json.dumps({"error": str(error), "kind": "models"}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
