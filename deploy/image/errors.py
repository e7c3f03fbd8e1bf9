"""What goes wrong when an image is described."""

from __future__ import annotations

from edge.errors import PlatewatchError


class ImageListError(PlatewatchError, ValueError):
    """An entry for Raspberry Pi Imager cannot be made of what was given."""
