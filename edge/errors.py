"""What can go wrong, in words for the owner of the device. Each error is one sentence that names the thing and the mend."""


def plain(text: str, most: int = 0) -> str:
    """In one line that a terminal and a log can show; with `most` its middle is left out where it is longer."""
    shown = "".join(char if char.isprintable() else " " if char.isspace() else "?" for char in text)
    return f"{shown[: most - 103]}...{shown[-100:]}" if most and len(shown) > most else shown


class PlatewatchError(Exception):
    """Base of every error that is the user's to mend; the command line prints it without a traceback."""


class ConfigError(PlatewatchError, ValueError):
    """The configuration file cannot be used as it is."""


class ImageError(PlatewatchError, ValueError):
    """An image is missing, corrupt, empty, too large, or no image at all."""


class BundleError(PlatewatchError, ValueError):
    """A model bundle is missing, altered, or speaks a codec that this version does not know."""


class CameraLost(PlatewatchError, OSError):
    """The camera stopped or could not be opened; opening it again may help."""


class StoreError(PlatewatchError, OSError):
    """The event store cannot be opened or written."""


class GateError(PlatewatchError, OSError):
    """The gate's relay cannot be worked."""
