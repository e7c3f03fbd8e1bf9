"""The table of camera kinds. To add one: a file beside this one that keeps `Camera`'s promises, and its line here and in `CameraConfig.kind`."""

from collections.abc import Callable

from edge.camera.base import Camera
from edge.camera.settings import CameraConfig, NightConfig


def _files(camera: CameraConfig, night: NightConfig) -> Camera:
    from edge.camera.files import FilesCamera

    return FilesCamera(camera)


def _opencv(camera: CameraConfig, night: NightConfig) -> Camera:
    from edge.camera.opencv import OpenCvCamera

    return OpenCvCamera(camera)


def _pi(camera: CameraConfig, night: NightConfig) -> Camera:
    from edge.camera.pi import PiCamera

    return PiCamera(camera, night)


KINDS: dict[str, Callable[[CameraConfig, NightConfig], Camera]] = {
    "files": _files,
    "opencv": _opencv,
    "pi": _pi,
}
