"""What ends a life, or the whole run, in one sentence."""

from edge.errors import PlatewatchError


class CutsError(PlatewatchError):
    """The trial itself cannot go on: a program is missing, a folder is not fit, a file of an earlier run is damaged."""


class NotBack(Exception):
    """The device did not come back, or not as it has to be. Its card is kept."""
