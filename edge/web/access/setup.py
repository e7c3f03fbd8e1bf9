"""The first password of a page that others can reach: who sets it proves with a code that they can read the device's own log or card."""

from __future__ import annotations

import hmac
import logging
import os
import re
import secrets
from pathlib import Path

log = logging.getLogger(__name__)
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No 0 and O, no 1 and I: a code is read off a screen or a card."""
LENGTH, SHORTEST = 10, 8


class SetupCode:
    """The code in a file that was put there beforehand, as `deploy` can when it writes a card; else a new one, written there and logged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._code = _plain(self._kept())
        if len(self._code) >= SHORTEST:
            log.warning("no password yet: the first one can be set on the page with the code in %s", path)
            return
        self._code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        shown = f"{self._code[:5]}-{self._code[5:]}"
        log.warning("no password yet: the first one can be set on the page with the code %s", shown)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(f"{shown}\n")
        except OSError as error:
            log.warning("%s: the code cannot be written there (%s); it stands in this log alone", path, error.strerror)

    def _kept(self) -> str:
        try:
            return self._path.read_text(encoding="ascii", errors="replace")[:100]
        except OSError:
            return ""

    def fits(self, typed: str) -> bool:
        return hmac.compare_digest(_plain(typed).encode(), self._code.encode())

    def use_up(self) -> None:
        """The password is set; the code is good for nothing more."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.info("%s: the used code stays there (%s)", self._path, error.strerror)


def _plain(text: str) -> str:
    """As it counts: without case, dashes and spaces."""
    return re.sub(r"[^A-Z0-9]", "", text.upper()[:100])
