"""Files as a camera, what all cameras promise, and the arithmetic around them."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.address import without_password
from edge.camera.base import Camera, back_off_s
from edge.camera.files import FilesCamera
from edge.camera.opencv import OpenCvCamera
from edge.camera.settings import CameraConfig
from edge.errors import CameraLost, ConfigError
from tests.builders import a_frame
from tests.fakes import FakeCamera, FakeClock


def files(source: Path, clock: FakeClock | None = None, **keys: object) -> FilesCamera:
    clock = clock or FakeClock()
    return FilesCamera(CameraConfig.model_validate({"kind": "files", "source": str(source)} | keys), clock=clock, sleep=clock.sleep)


def picture(path: Path, level: int = 90) -> Path:
    assert cv2.imwrite(str(path), np.full((48, 64, 3), level, np.uint8))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """b before c, a corrupt one between them, and something that is no picture."""
    picture(tmp_path / "b.png", 50)
    (tmp_path / "b2.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    picture(tmp_path / "c.png", 200)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames at 10/s, each brighter than the last."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for step in range(20):
        video.write(np.full((48, 64, 3), 10 * step, np.uint8))
    video.release()
    return path


def all_frames(camera: Camera) -> list[tuple[float, int]]:
    with camera:
        return [(frame.seen_at, int(frame.luma.mean())) for frame in camera.frames()]


@pytest.mark.parametrize("kind", ["fake", "files"])
def test_a_camera_keeps_its_promises(kind: str, folder: Path) -> None:
    """Luma (H, W) uint8, its own name, an index from 0, and times that never go back: the fake as the real one."""
    camera: Camera = files(folder, name="gate") if kind == "files" else FakeCamera([[a_frame(1.0, 0), a_frame(1.5, 1)]])
    with camera:
        frames = list(camera.frames())
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(frame.luma.ndim == 2 and frame.luma.dtype == np.uint8 and frame.camera == camera.name for frame in frames)
    assert all(early.seen_at <= late.seen_at for early, late in pairwise(frames))


def test_a_folder_is_played_by_name_and_what_is_corrupt_is_counted_and_skipped(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One bad file does not end the watch, and the log says which it was."""
    camera = files(folder)
    assert [level for _, level in all_frames(camera)] == [50, 200]
    assert camera.skipped == 1
    assert "b2.png" in caplog.text


def test_a_picture_alone_is_one_frame(tmp_path: Path) -> None:
    assert [level for _, level in all_frames(files(picture(tmp_path / "one.png")))] == [90]


def test_a_loop_begins_again(folder: Path) -> None:
    """And goes on counting its frames."""
    with files(folder, loop=True) as camera:
        frames = list(islice(camera.frames(), 5))
    assert [int(frame.luma.mean()) for frame in frames] == [50, 200, 50, 200, 50]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]


def test_a_folder_without_a_picture_is_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"")
    with pytest.raises(ConfigError, match="holds no picture"):
        all_frames(files(tmp_path, loop=True))


def test_a_video_is_played_at_its_own_pace(clip: Path) -> None:
    """10 frames a second: the clock stands 1.9 s later at the last of 20."""
    times = [at for at, _ in all_frames(files(clip))]
    assert len(times) == 20
    assert times == pytest.approx([1000 + step / 10 for step in range(20)])


def test_a_late_reader_is_not_made_to_wait(clip: Path) -> None:
    """When working a frame takes longer than it lasts, the clip is not slowed down further."""
    clock = FakeClock()
    with files(clip, clock) as camera:
        for _ in camera.frames():
            clock.advance(0.15)
    assert clock.now == pytest.approx(1000 + 20 * 0.15)


def test_a_limit_leaves_frames_out(clip: Path) -> None:
    """At most 5 a second of 10: every other one, over the same time."""
    seen = all_frames(files(clip, fps_limit=5))
    assert [at for at, _ in seen] == pytest.approx([1000 + step / 5 for step in range(10)])
    assert [level for _, level in seen] == pytest.approx([20 * step for step in range(10)], abs=3)


def test_a_recording_worked_through_counts_its_own_time(clip: Path) -> None:
    """Not in real time: nobody sleeps, every frame waits for its reader, and `seen_at` is the recording's."""
    clock = FakeClock()
    camera = files(clip, clock, real_time=False)
    assert camera.waits
    assert [at for at, _ in all_frames(camera)] == pytest.approx([1000 + step / 10 for step in range(20)])
    assert clock.now == 1000


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.mp4: no such file"):
        all_frames(files(tmp_path / "gone.mp4"))


def test_a_video_that_is_none_is_a_loss(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(CameraLost, match=r"bad\.mp4"):
        all_frames(files(tmp_path / "bad.mp4"))


def test_a_camera_that_is_not_there_is_a_loss() -> None:
    with pytest.raises(CameraLost, match="/dev/video99 cannot be opened"):
        all_frames(OpenCvCamera(CameraConfig(source="/dev/video99")))


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://admin:secret@10.0.0.2/1", "rtsp://***@10.0.0.2/1"),
        ("rtsp://10.0.0.2/1@2", "rtsp://10.0.0.2/1@2"),
        ("rtsp://10.0.0.2:554/1@2", "rtsp://***@2"),
        ("rtsp://admin:sec@ret@10.0.0.2/1", "rtsp://***@10.0.0.2/1"),
        ("rtsp://admin:sec/ret@10.0.0.2/1", "rtsp://***@10.0.0.2/1"),
        ("rtsp://admin:sec#ret?@10.0.0.2/1", "rtsp://***@10.0.0.2/1"),
        ("rtsp://10.0.0.2/user=admin&password=secret&channel=1", "rtsp://10.0.0.2/user=***&password=***&channel=1"),
        ("http://cam/video?Token=secret&x=1", "http://cam/video?Token=***&x=1"),
        ("rtsp://[fe80::1]/1", "rtsp://[fe80::1]/1"),
        ("http://cam/video.cgi?loginuse=admin&loginpas=secret", "http://cam/video.cgi?loginuse=***&loginpas=***"),
        ("http://cam/video?access_token=secret&api-key=secret#x", "http://cam/video?access_token=***&api-key=***#x"),
        ("rtsp://10.0.0.2:554/user=admin_password=tlJwpbo6_channel=1.sdp?real", "rtsp://10.0.0.2:554/user=***?real"),
        ("rtsp:/admin:secret@10.0.0.2/1", "***@10.0.0.2/1"),
        ("admin:secret@10.0.0.2/1", "***@10.0.0.2/1"),
        ("10.0.0.2/1?pwd=secret", "10.0.0.2/1?pwd=***"),
        ("/dev/video0", "/dev/video0"),
        ("/dev/v4l/by-id/usb-a:b@c", "/dev/v4l/by-id/usb-a:b@c"),
    ],
)
def test_a_stream_is_named_without_its_password(source: str, shown: str) -> None:
    """Errors go to the log and onto the page; a password that was not escaped is masked too."""
    assert without_password(source) == shown


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=12), st.sampled_from(["1.2.3.4", "1.2.3.4:554", "[fe80::1]:554"]))
def test_no_password_is_ever_shown(password: str, host: str) -> None:
    """Whatever is in it, and be it unescaped."""
    shown = without_password(f"rtsp://user:{password}@{host}/stream")
    assert password not in shown.replace(f"{host}/stream", "")
    assert shown == f"rtsp://***@{host}/stream"


def test_patience_doubles_up_to_its_limit() -> None:
    assert [back_off_s(attempts) for attempts in (0, 1, 2, 3, 6, 7, 8, 10_000)] == [0, 0.5, 1, 2, 15, 15, 15, 15]
