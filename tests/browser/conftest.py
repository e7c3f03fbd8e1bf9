"""The status page in a real browser: Debian's Chromium, a real server on loopback, and the files that a daemon leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config, RuntimeConfig, StoreConfig
from tests.browser.fake_daemon import FakeDaemon
from tests.browser.looking import SIZES, listen_for_shifts
from tests.pages import file, served

__all__ = ["file"]
CHROMIUM = shutil.which("chromium")
SWITCHES = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
PATIENCE_MS = 60_000
"""Nothing but a fault takes so long, on a busy machine too."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One for all tests; each has a context of its own, and so its own cookies, cache and storage."""
    if CHROMIUM is None:
        pytest.skip("Debian's chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    driver = playwright.sync_playwright().start()
    chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
    yield chromium
    chromium.close()
    driver.stop()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(tmp_path)
    daemon.start()
    yield daemon
    daemon.die()
    daemon.store.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Of the page. A test that needs another one overrides this fixture."""
    return Config(store=StoreConfig(path=str(tmp_path / "events.sqlite")), runtime=RuntimeConfig(directory=str(tmp_path / "run")))


@pytest.fixture
def address(config: Config, daemon: FakeDaemon) -> Iterator[str]:
    """Of a real server on a free port of loopback."""
    with served(config) as found:
        yield found


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of: scripts that fail, policies that are violated, files that are missing. A test that means to cause some clears it."""
    return []


@pytest.fixture
def open_page(browser: Any, address: str, complaints: list[str]) -> Iterator[Callable[..., Any]]:
    """`open_page(path, size="desktop", theme="light", language="en")`; the test fails when the browser complains."""
    contexts: list[Any] = []

    def open_it(path: str = "/", size: str = "desktop", theme: str = "light", language: str = "en") -> Any:
        context = browser.new_context(base_url=address, locale=language, color_scheme=theme, **SIZES[size])
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        listen_for_shifts(page)
        page.on("console", lambda said: complaints.append(f"{path}: {said.text}") if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(f"{path}: {error}"))
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []
