"""Why a camera's device cannot be opened, in words that help."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from edge.camera.base import Lost
from edge.camera.device import CAPABILITY, CAPTURES, PER_DEVICE, device_of, why_not
from edge.camera.opencv import NEVER_MS, OpenCvCamera
from edge.camera.settings import CameraConfig


def able(all_of_them: int, own: int):
    """A device that says this of itself."""

    def ioctl(file: int, request: int, room: bytearray) -> None:
        room[:] = CAPABILITY.pack(b"uvc", b"cam", b"usb", 1, all_of_them, own)

    return ioctl


def failing(number: int):
    def ioctl(file: int, request: int, room: bytearray) -> None:
        raise OSError(number, os.strerror(number))

    return ioctl


@pytest.fixture
def node(tmp_path: Path) -> str:
    path = tmp_path / "video0"
    path.touch()
    return str(path)


def test_a_number_is_a_device() -> None:
    assert device_of("0") == "/dev/video0"
    assert device_of("/dev/v4l/by-id/usb") == "/dev/v4l/by-id/usb"
    assert device_of("²") == "²"


def test_each_reason_has_its_mend(node: str, tmp_path: Path) -> None:
    assert "no such device" in why_not("/dev/video999")
    assert "folder" in why_not(str(tmp_path))
    assert "no video device" in why_not("/dev/null")
    assert "no video device" in why_not(node)
    assert "lost the camera" in why_not(node, failing(errno.ENODEV))
    assert "another program" in why_not(node, failing(errno.EBUSY))
    assert "takes no pictures" in why_not(node, able(PER_DEVICE | CAPTURES, 0x800000))  # the device beside it, of metadata
    assert "another program" in why_not(node, able(PER_DEVICE | CAPTURES, CAPTURES))
    assert "another program" in why_not(node, able(CAPTURES, 0))


def test_a_device_that_this_user_may_not_open(node: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.open", lambda *_: (_ for _ in ()).throw(PermissionError(errno.EACCES, "Permission denied")))
    assert "group `video`" in why_not(node)


@pytest.mark.parametrize("source", ["/dev/video999", "999", "99999999999999999999", "²", "", "/dev/null", "/", "-1", "x" * 5000, "a\nb"])
def test_whatever_stands_there_is_a_loss_in_one_line(source: str) -> None:
    """And the pump tries again; it never is another exception."""
    with pytest.raises(Lost, match="cannot be opened") as caught:
        OpenCvCamera(CameraConfig(source=source)).__enter__()
    assert caught.value.why == "not opened"


def test_unplugged_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver gives no more: gone, in a sentence."""
    camera = OpenCvCamera(CameraConfig(name="gate", source="0"))
    camera._video = type("Video", (), {"grab": lambda self: False, "release": lambda self: None})()  # type: ignore[assignment]
    with pytest.raises(Lost, match="camera gate: 0 sends no more pictures") as caught:
        list(camera.frames())
    assert caught.value.why == "gone"


def test_a_fifo_is_no_camera_and_hangs_nobody(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "pipe")
    assert stat.S_ISFIFO(path.stat().st_mode)
    with pytest.raises(Lost, match="no video device"):
        OpenCvCamera(CameraConfig(source=str(path))).__enter__()


def test_a_stream_is_waited_for_as_long_as_the_config_says() -> None:
    """A little less than the pump's own patience; a slow rate is no silence; and 0 is for ever."""
    address = "rtsp://127.0.0.1/cam"
    limits = [
        OpenCvCamera(CameraConfig.model_validate({"source": address} | keys))._silence_ms for keys in ({}, {"fps_limit": 0.1}, {"stall_s": 60}, {"stall_s": 0})
    ]
    assert limits == [7200, 27_000, 54_000, NEVER_MS]
