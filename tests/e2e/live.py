"""A real daemon process on pictures or a recording, its config and its bundles in a folder of the test's own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from edge import status
from edge.model.manifest import SHIPPED

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "edge/clips/demo.mp4"


class LiveDaemon:
    """`more` is TOML that follows the usual sections; the bundles are copies in `detector/` and `reader/` of `folder`."""

    def __init__(self, folder: Path, more: str = "", camera: str = "") -> None:
        self.folder, self.camera = folder, camera
        for kind in ("detector", "reader"):
            shutil.copytree(SHIPPED / kind, folder / kind)
        self.config(more)
        self.longest_pause_s = 0.0
        """So long no frame was worked at some time, as far as anybody looked."""
        self._worked = (0, time.monotonic())

    def __enter__(self) -> Self:
        self._log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--config", str(self.folder / "c.toml")], cwd=ROOT, stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            self.until(lambda: self.told().get("state") == "watching")
        except BaseException:
            self._end()
            raise
        return self

    def _end(self) -> None:
        """It is gone then, and by force where it does not listen."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.code = self.process.wait()
        finally:
            self._log.close()

    def __exit__(self, *_: object) -> None:
        self._end()
        assert self.code == 0, self.log()
        assert "Traceback" not in self.log()

    def config(self, more: str = "", models: str = 'detector = "./detector"\nreader = "./reader"\n') -> None:
        camera = self.camera or f'kind = "files"\nsource = "{CLIP}"\nloop = true\n'
        named = "" if "name =" in camera else 'name = "yard"\n'
        (self.folder / "fresh").write_text(
            f'[camera]\n{named}{camera}[models]\n{models}[store]\npath = "events.sqlite"\nkeep_at_least_mb_free = 0\n[runtime]\ndirectory = "run"\n{more}'
        )
        (self.folder / "fresh").replace(self.folder / "c.toml")

    def hup(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def told(self) -> dict[str, Any]:
        return status.read(self.folder / "run") or {}

    def reader(self) -> dict[str, Any]:
        found: dict[str, Any] = self.told()["bundles"]["reader"]
        return found

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, true: Callable[[], Any], within_s: float = 90.0) -> Any:
        end = time.monotonic() + within_s
        while not (found := true()):
            assert self.process.poll() is None, f"it ended by itself: {self.log()}"
            assert time.monotonic() < end, f"not in time: {self.told().get('detail')} {self.log()[-2000:]}"
            self._look()
            time.sleep(0.05)
        return found

    def _look(self) -> None:
        camera, now = self.told().get("camera", {}), time.monotonic()
        worked = camera.get("frames", 0) - camera.get("dropped", 0)
        if worked > self._worked[0]:
            self.longest_pause_s = max(self.longest_pause_s, now - self._worked[1] if self._worked[0] else 0.0)
            self._worked = worked, now

    def replace(self, kind: str, files: dict[str, bytes]) -> None:
        """Another folder in the place of the old one, as `convert bundle` does it."""
        fresh, old = self.folder / f".{kind}.new", self.folder / f".{kind}.old"
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        os.rename(self.folder / kind, old)
        os.rename(fresh, self.folder / kind)
        shutil.rmtree(old)


def another(kind: str = "reader", **changes: Any) -> dict[str, bytes]:
    """The shipped bundle with another manifest: a good one that is not the same."""
    about = json.loads((SHIPPED / kind / "manifest.json").read_bytes()) | changes
    return {"manifest.json": json.dumps(about).encode(), "model.tflite": (SHIPPED / kind / "model.tflite").read_bytes()}


def with_model(model: bytes, kind: str = "reader", **changes: Any) -> dict[str, bytes]:
    """A manifest that vouches for any bytes."""
    return another(kind, sha256=hashlib.sha256(model).hexdigest(), **changes) | {"model.tflite": model}
