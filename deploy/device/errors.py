"""What is wrong with a device's own file."""

from edge.errors import PlatewatchError


class DeviceError(PlatewatchError, ValueError):
    """The device file, or an answer in its place, cannot be used as it is."""
