"""Debian's GStreamer as an RTSP camera on the loopback, told by the test what to do."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = "/usr/bin/python3"
PARTS = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None); "
)
PARTS += "assert all(Gst.ElementFactory.find(name) for name in ('x264enc', 'videotestsrc', 'videoscale', 'rtph264pay'))"


def _has_a_server() -> bool:
    return shutil.which(PYTHON) is not None and subprocess.run([PYTHON, "-c", PARTS], capture_output=True, check=False).returncode == 0


SERVER = pytest.mark.skipif(
    not _has_a_server(), reason="no GStreamer RTSP server: apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,ugly}"
)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class RtspServer:
    """`rtsp_server.py` in a process of its own; `key` is the longest way from one key frame to the next, in frames."""

    def __init__(self, port: int, width: int = 640, height: int = 360, fps: int = 10, key: int | None = None) -> None:
        words = [PYTHON, str(ROOT / "tests/rtsp_server.py"), *(str(one) for one in (port, width, height, fps, key or fps))]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self._hear(b"ready\n")
        except AssertionError:
            self.kill()
            raise

    def _hear(self, word: bytes) -> None:
        assert self._process.stdout is not None
        heard = self._process.stdout.readline()
        assert heard == word, f"the RTSP server said {heard!r}"

    def say(self, line: str) -> None:
        """As `rtsp_server.py` understands it; done when this returns."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()
        self._hear(b"done\n")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def serving(port: int, width: int = 640, height: int = 360, fps: int = 10, key: int | None = None) -> Iterator[RtspServer]:
    server = RtspServer(port, width, height, fps, key)
    try:
        yield server
    finally:
        server.kill()
