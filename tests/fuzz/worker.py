"""A process that may die of what it is given: reads `KIND PATH` from stdin, answers one line for each. What it dies of is the test's to tell.

`image`: a picture as `platewatch read` takes it. `video`: a recording as `platewatch replay` decodes it. `network`: both of `platewatch read`'s networks too.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.records import Luma

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 240.0
"""For a start of the process on a busy machine too: nothing but a hang takes so long."""
MOST_MB = 900
"""Of memory that the process ever took, whatever a file says of itself."""
MOST_FRAMES = 400


class Worker:
    """The test's end."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.died: list[int] = []

    def ask(self, kind: str, path: Path) -> str:
        """Its answer; AssertionError where it died or hung of that file."""
        if self._process is None or self._process.poll() is not None:
            words = [sys.executable, "-m", "tests.fuzz.worker"]
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(PATIENCE_S, process.kill)
        timer.start()
        try:
            process.stdin.write(f"{kind} {path}\n")
            process.stdin.flush()
            answer = process.stdout.readline().rstrip("\n")
        finally:
            timer.cancel()
        assert answer, f"the process died or hung of {path} (code {process.wait(10)})"
        return answer

    def try_out(self, kind: str, path: Path, content: bytes | None = None) -> str:
        """What came of a file, written first where `content` is given: it was read, or refused in a sentence about it, and took little memory."""
        from tests.fuzz.spoiling import LONGEST  # whose hypothesis is nothing for the process itself

        if content is not None:
            path.write_bytes(content)
        said, _, memory_mb = self.ask(kind, path).rpartition("\t")
        assert said.startswith(("good ", f"said {path}: ")), said
        assert "\\n" not in said
        assert len(said) <= LONGEST
        assert int(memory_mb) < MOST_MB
        return said

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()


def main() -> None:
    from edge.errors import PlatewatchError

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        kind, _, path = line.rstrip("\n").partition(" ")
        try:
            said = f"good {_video(path) if kind == 'video' else _image(path, kind)}"
        except PlatewatchError as error:
            said = f"said {error}"
        except BaseException as error:
            said = f"WRONG {type(error).__name__}: {' '.join(str(error).split())}"
        print(said.replace("\n", "\\n"), _peak_mb(), sep="\t", flush=True)


def _peak_mb() -> int:
    """Of this program alone: `ru_maxrss` also knows the process that it was forked from."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _image(path: str, kind: str) -> str:
    from edge.vision.image import load_image

    luma, picture = load_image(path)
    assert (luma.dtype, picture.shape) == ("uint8", (*luma.shape, 3))
    if kind == "network":
        _read(luma)
    return f"{luma.shape[1]}x{luma.shape[0]}"


NETWORKS: list[object] = []


def _read(luma: Luma) -> None:
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.reading import look, look_at_crop

    if not NETWORKS:
        NETWORKS.extend((Detector.load(), Reader.load()))
    for way in (look, look_at_crop):
        way(luma, *NETWORKS)  # type: ignore[arg-type]


def _video(path: str) -> str:
    from edge.camera.checkup import is_picture
    from edge.camera.files import FilesCamera
    from edge.camera.settings import CameraConfig
    from edge.replay.command import frames_of

    frames_of(Path(path))
    camera = FilesCamera(CameraConfig(kind="files", source=path, real_time=False))
    shapes: set[tuple[int, ...]] = set()
    frames, last = 0, float("-inf")
    with camera:
        for frame in camera.frames():
            assert (frame.luma.ndim, frame.luma.dtype) == (2, "uint8")
            assert frame.seen_at >= last
            is_picture(frame.luma)
            shapes.add(frame.luma.shape)
            frames, last = frames + 1, frame.seen_at
            if frames >= MOST_FRAMES:
                break
    return f"{frames} frames, {camera.skipped} skipped, {sorted(shapes)}"


if __name__ == "__main__":
    main()
