"""What is wrong where hands-on time is calculated."""

from __future__ import annotations

from edge.errors import PlatewatchError


class HandsonError(PlatewatchError, ValueError):
    """The chapter and what is known of it do not go together."""
