"""The demo as a newcomer starts it: real processes, the shipped bundles, the bundled clip, the page over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRUTH = json.loads((ROOT / "edge/clips/demo.json").read_text())


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def demo(*words):
    """None is left behind, also where a test fails."""
    running = subprocess.Popen(
        [sys.executable, "-m", "edge", "demo", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"COLUMNS": "120"},
    )
    with running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read()


def test_the_first_cars_of_the_clip_are_read_and_told(port):
    """Two passes end within 14 s of the clip; what the demo prints is what the clip was drawn with."""
    events = []
    with demo("--for", 16, "--port", port) as running:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and running.poll() is None:
            with contextlib.suppress(OSError):
                events = json.loads(get(port, "/api/events"))
            time.sleep(0.5)
        said, _ = running.communicate(timeout=30)
    assert running.returncode == 0, said
    wanted = [one["text"] for one in TRUTH if one["to_s"] < 14]
    assert len(wanted) == 2
    assert [text for text in wanted if text in said] == wanted, said
    assert "Summary" in said
    assert "Traceback" not in said
    assert events, "the page told of no event while the demo ran"


def test_ctrl_c_ends_it_cleanly_and_frees_the_port(port):
    with demo("--port", port) as running:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                assert b"Platewatch" in get(port, "/")
                break
            assert time.monotonic() < deadline, "the page did not come"
            time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=60)
    assert running.returncode in (0, 130), said
    assert "Traceback" not in said
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_a_taken_port_is_one_sentence_with_its_mend(port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with demo("--port", port, "--for", 5) as running:
            said, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "--port" in said
    assert "Traceback" not in said


def test_setup_without_a_word_says_how_it_is_used():
    done = subprocess.run(["bash", ROOT / "setup.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert {"demo", "test"} <= set(re.findall(r"setup\.sh (\w+)", done.stderr))


def test_stderr_holds_our_own_sentences_alone(tmp_path):
    """The runtime's library has a line of its own to say, which is nobody's business."""
    words = [sys.executable, "-m", "edge", "read", str(tmp_path / "none.jpg")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"platewatch: {tmp_path / 'none.jpg'}: no such file\n")
