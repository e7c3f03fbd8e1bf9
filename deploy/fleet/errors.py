"""What goes wrong between here and a device."""

from __future__ import annotations

from edge.errors import PlatewatchError


class FleetError(PlatewatchError, ValueError):
    """An inventory, an address or a payload that cannot be used as it is."""


class DeviceError(PlatewatchError, OSError):
    """One device did not do what it was asked; the sentence does not name it, for it stands beside the name."""


class ConnectionLost(DeviceError):
    """The connection ended in the middle; the same command goes on where it stopped."""
