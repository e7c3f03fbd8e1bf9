"""What goes wrong in a broker's folder."""

from __future__ import annotations

from edge.errors import PlatewatchError


class BrokerError(PlatewatchError, ValueError):
    """The folder of a broker, or a name in it, cannot be used as it is."""
