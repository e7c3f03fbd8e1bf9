"""A process that watches one stream as the daemon does and says each tenth of a second how it goes: where FFmpeg dies of a stream, it dies, not pytest."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


class Watching:
    """The test's end; `told` is the last word of the other."""

    def __init__(self, source: str, **keys: object) -> None:
        words = [sys.executable, "-m", "tests.fuzz.watching", json.dumps({"name": "gate", "source": source} | keys)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        self.told: dict[str, Any] = {"fresh": 0, "losses": {}, "reopened": 0, "lost": None, "failure": ""}
        self.stderr = ""
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._hear)]
        for one in self._threads:
            one.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told = json.loads(line)

    def _hear(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.stderr = (self.stderr + line)[-20_000:]

    def until(self, so: Callable[[dict[str, Any]], bool], within_s: float = 90.0) -> dict[str, Any]:
        """What is told when it is so; AssertionError where the process dies, or does not come to that."""
        give_up_at = time.monotonic() + within_s
        while not so(self.told):
            assert self._process.poll() is None, f"the process died (code {self._process.returncode}): {self.stderr[-2000:]}"
            assert time.monotonic() < give_up_at, f"not within {within_s} s: {self.told}"
            time.sleep(0.05)
        return self.told

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for one in self._threads:
            one.join(5)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def main() -> None:
    import resource

    from edge.camera.checkup import Patience
    from edge.camera.opencv import OpenCvCamera
    from edge.camera.pump import Pump
    from edge.camera.settings import CameraConfig
    from edge.records import Frame
    from edge.slot import Slot

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    config = CameraConfig.model_validate(json.loads(sys.argv[1]))
    slot, shapes = Slot[Frame](Frame.release), set[tuple[int, ...]]()
    pump = Pump(OpenCvCamera(config), slot, threading.Event(), Patience.of(config))
    pump.start()
    while True:
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            pump.tend()
            if (frame := slot.get(0.02)) is not None:
                shapes.add(frame.luma.shape)
                frame.release()
        memory = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
        told = {
            "fresh": pump.fresh, "losses": dict(pump.losses), "lost": pump.lost, "reopened": pump.reopened, "skipped": pump.camera.skipped,
            "shapes": sorted(shapes), "threads": len(list(Path("/proc/self/task").iterdir())), "files": len(list(Path("/proc/self/fd").iterdir())),
            "memory_mb": memory // 1024, "failure": str(pump.failure or ""), "camera": pump.as_json(),
        }  # fmt: skip
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
