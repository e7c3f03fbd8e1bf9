"""What can go wrong on the device, in words for its owner. It stands here because nothing else is installed yet when these modules run."""

from __future__ import annotations


class OnboardError(Exception):
    """Base of every error that is the owner's to mend: one sentence, printed without a traceback."""
