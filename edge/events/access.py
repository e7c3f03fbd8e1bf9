"""Who did something with events, for the access log: never the plate, which would outlive its deletion."""

from __future__ import annotations

import getpass
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.errors import StoreError
from edge.status import utc_iso
from edge.store import Store

if TYPE_CHECKING:
    from edge.config import Config


def note(settings: Config, store: Store, did: str, events: int) -> None:
    """By whoever gave the command; what cannot be written is said and no more."""
    try:
        who = f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        who = f"user {os.getuid()} (command line)"
    try:
        store.note_access(utc_iso(datetime.now(UTC)), who, did, events, settings.privacy.access_log_rows)
    except StoreError as error:
        print(f"platewatch: this could not be written into the access log: {error}", file=sys.stderr)
