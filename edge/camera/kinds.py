"""The table of camera kinds. To add one: a file beside this one that keeps `Camera`'s promises, and its line here and in `CameraConfig.kind`."""

from collections.abc import Callable

from edge.camera.base import Camera
from edge.camera.files import FilesCamera
from edge.camera.opencv import OpenCvCamera
from edge.camera.pi import PiCamera
from edge.camera.settings import CameraConfig, NightConfig

KINDS: dict[str, Callable[[CameraConfig, NightConfig], Camera]] = {
    "files": lambda camera, night: FilesCamera(camera),
    "opencv": lambda camera, night: OpenCvCamera(camera),
    "pi": PiCamera,
}
