"""What can go wrong with an emulated device."""

from __future__ import annotations

from edge.errors import PlatewatchError


class EmulateError(PlatewatchError):
    """Something that emulation needs is missing, or a stage did not come to its end."""
