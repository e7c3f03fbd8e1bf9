"""What can go wrong with a release, in words for who makes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.onboard.errors import OnboardError
from edge.errors import PlatewatchError


class ReleaseError(PlatewatchError, ValueError):
    """A wheelhouse, an archive, a signature or a key cannot be made or believed as it is."""


@contextmanager
def in_words() -> Iterator[None]:
    """The device's own refusals, and files that cannot be read or written, as one ReleaseError."""
    try:
        yield
    except OnboardError as error:
        raise ReleaseError(str(error)) from None
    except OSError as error:
        if isinstance(error, PlatewatchError):
            raise
        raise ReleaseError(f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}") from None
