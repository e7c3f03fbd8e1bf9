"""What can go wrong with a card, in words for who holds it."""

from edge.errors import PlatewatchError


class CardError(PlatewatchError, OSError):
    """The card, its image or its boot folder cannot be used, or not in this way."""
