"""Recordings that are spoilt, empty, of sound alone, or that change while they run: frames, or one sentence; no hang, no dead process."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import cli
from tests.fuzz.spoiling import cases, spoilt
from tests.fuzz.worker import Worker

DICE = np.random.default_rng(2)
FORMATS = {"avi": "MJPG", "mp4": "mp4v", "mkv": "MJPG"}
LAUNCH = "/usr/bin/gst-launch-1.0"
LAUNCHED = pytest.mark.skipif(shutil.which(LAUNCH) is None, reason="no GStreamer: apt install gstreamer1.0-tools gstreamer1.0-plugins-{base,good,ugly}")


def record(path: Path, fourcc: str, frames: int = 8, size: tuple[int, int] = (64, 48)) -> bytes:
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*fourcc), 10.0, size)
    for _ in range(frames):
        video.write(DICE.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))
    video.release()
    return path.read_bytes()


def launch(words: str) -> None:
    subprocess.run([LAUNCH, "-q", *words.split()], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, bytes]:
    """With one of H.264 where GStreamer can make it."""
    found = {suffix: record(folder / f"whole.{suffix}", fourcc) for suffix, fourcc in FORMATS.items()}
    if shutil.which(LAUNCH) is not None:
        source = "videotestsrc num-buffers=8 pattern=ball ! video/x-raw,width=64,height=48,framerate=10/1 ! x264enc tune=zerolatency key-int-max=4"
        launch(f"{source} ! matroskamux ! filesink location={folder}/h264.mkv")
        launch(f"{source} ! h264parse ! mpegtsmux ! filesink location={folder}/h264.ts")
        found |= {name: (folder / name).read_bytes() for name in ("h264.mkv", "h264.ts")}
    return found


def test_the_whole_ones_are_good(worker: Worker, folder: Path, whole: dict[str, bytes]) -> None:
    for suffix, content in whole.items():
        assert worker.try_out("video", folder / f"a.{suffix}", content) == "good 8 frames, 0 skipped, [(48, 64)]", suffix


@cases(60)
@given(data=st.data())
def test_bytes_spoilt(worker: Worker, folder: Path, whole: dict[str, bytes], data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(sorted(whole)))
    worker.try_out("video", folder / f"a.{suffix}", data.draw(spoilt(whole[suffix])))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "mov", "webm", "ts", "mjpeg"])
def test_nonsense_under_any_name(worker: Worker, folder: Path, suffix: str) -> None:
    for content in (b"", b"\0" * 10_000, DICE.bytes(10_000), b"#EXTM3U\nhttp://127.0.0.1:9/a.ts\n", b"ffconcat version 1.0\nfile /etc/passwd\n"):
        assert worker.try_out("video", folder / f"nonsense.{suffix}", content).startswith("said ")


def test_a_size_that_changes_in_the_middle(worker: Worker, folder: Path) -> None:
    """Pictures of two sizes one behind the other, as a dashboard camera's do: all of them, none lost."""
    jpegs = [bytes(cv2.imencode(".jpg", DICE.integers(0, 255, (h, w, 3), dtype=np.uint8))[1]) for h, w in ((48, 64), (96, 128)) for _ in range(5)]
    assert worker.try_out("video", folder / "sizes.mjpeg", b"".join(jpegs)).startswith("good 10 frames, 0 skipped")


@LAUNCHED
def test_sound_alone_variable_rates_and_a_cut_mp4(worker: Worker, folder: Path) -> None:
    """No picture is a sentence; a rate that varies plays on; an mp4 without its index, as after a power cut, is a sentence."""
    launch(f"audiotestsrc num-buffers=20 ! wavenc ! filesink location={folder}/sound.avi")
    assert worker.try_out("video", folder / "sound.avi").startswith("said ")
    launch(f"videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48,framerate=10/1 ! x264enc ! mp4mux ! filesink location={folder}/h264.mp4")
    content = (folder / "h264.mp4").read_bytes()
    assert worker.try_out("video", folder / "h264.mp4").startswith("good 30 frames")
    assert worker.try_out("video", folder / "cut.mp4", content[: content.rfind(b"moov")]).startswith("said ")
    launch(
        f"videotestsrc num-buffers=20 ! video/x-raw,width=64,height=48,framerate=10/1 ! identity drop-probability=0.5 ! jpegenc ! matroskamux ! "
        f"filesink location={folder}/rate.mkv"
    )
    assert worker.try_out("video", folder / "rate.mkv").startswith("good ")


def test_the_command_says_it_in_one_line(folder: Path, whole: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    """`platewatch replay` of what is none, and of half a recording."""
    for name, content, code in (("a.mp4", b"none", 1), ("half.avi", whole["avi"][: len(whole["avi"]) // 2], 0), ("b.mkv", b"", 1)):
        (folder / name).write_bytes(content)
        assert cli.main(["replay", str(folder / name), "--json"]) == code
        assert capsys.readouterr().err.count("\n") == code
