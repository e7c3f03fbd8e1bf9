"""What can go wrong on the device, in words for its owner. It stands here because nothing else is installed yet when these modules run."""

from __future__ import annotations

BUSY = 75
"""The exit code of a BusyError (EX_TEMPFAIL of sysexits.h): whoever gave the command from afar waits and gives it again."""


class OnboardError(Exception):
    """Base of every error that is the owner's to mend: one sentence, printed without a traceback."""


class BusyError(OnboardError):
    """Something else is at it: the same command, given again later, may go on."""
