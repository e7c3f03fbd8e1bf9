"""Log lines for a person at a terminal and for journald alike. The text of a plate is never logged above DEBUG."""

from __future__ import annotations

import logging
import os
import sys

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog priorities, which journald takes from a `<6>` before the line."""


class JournalFormatter(logging.Formatter):
    """journald stamps the time itself and reads the priority from the line's start."""

    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def set_up(*, verbose: bool = False) -> None:
    """Log to stdout: plain under journald (which sets JOURNAL_STREAM), with the time of day elsewhere."""
    handler = logging.StreamHandler(sys.stdout)
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(JournalFormatter("%(name)s: %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
