"""Fixtures that several modules share: a page with a config file, and a device whose updater loses no time."""

import pytest

from tests.onboard import verify
from tests.pages import client, file, page

__all__ = ["client", "file", "page", "quick"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures are checked by a stand-in, and nothing waits for a disk."""
    monkeypatch.setattr("deploy.onboard.signature.verify", verify)
    monkeypatch.setattr("os.fsync", lambda file: None)
    monkeypatch.setattr("os.sync", lambda: None)
