"""The status page in a real browser: Chromium, a real server on loopback, and the files that a daemon leaves."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.config import Config, RuntimeConfig, StoreConfig, WebConfig
from edge.records import Character
from edge.status import draw, utc_iso
from edge.store import Store
from edge.web import app as web
from tests.builders import an_event

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
selenium = pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Debian's chromium and chromium-driver are not installed")
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE_S = 20.0
EVIL = "<img src=x onerror=document.title='broken'>"


class FakeDaemon:
    """Writes what the daemon writes."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "events.sqlite")
        self.run = folder / "run"
        self.run.mkdir()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def start(self) -> None:
        self._thread.start()

    def die(self) -> None:
        self._stop.set()
        self._thread.join()
        self.write_status(age_s=12.0)

    def see(self, id: str, text: str, confidence: float = 0.95, **fields: Any) -> None:
        crop = cv2.imencode(".jpg", np.full((40, 160), 200, np.uint8))[1].tobytes()
        now = utc_iso(datetime.now(UTC))
        characters = tuple(Character(char, confidence) for char in text)
        self.store.add(an_event(id, text, now, characters=characters, crop_jpeg=crop, **fields))

    def write_status(self, age_s: float = 0.0) -> None:
        told = {
            "v": 1, "pid": os.getpid(), "state": "watching", "detail": "", "updated_at": utc_iso(datetime.now(UTC) - timedelta(seconds=age_s)), "fps": 14.8,
            "camera": {"frames": 12345, "dropped": 6}, "stages_ms": {"total": {"median": 11.2, "p95": 16.4}},
            "plates_in_view": [{"quad": [[0, 0], [9, 0], [9, 9], [0, 9]], "text": EVIL, "confidence": 0.5}],
        }  # fmt: skip
        self._replace("status.json", json.dumps(told).encode())

    def _live(self) -> None:
        picture = draw(np.full((90, 160), 128, np.uint8), [])
        while True:
            self.write_status()
            if (self.run / "watched").exists():
                self._replace("live.jpg", picture)
            if self._stop.wait(0.3):
                return

    def _replace(self, name: str, content: bytes) -> None:
        (self.run / ".new").write_bytes(content)
        os.replace(self.run / ".new", self.run / name)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(tmp_path)
    daemon.start()
    yield daemon
    daemon.die()
    daemon.store.close()


@pytest.fixture
def address(tmp_path: Path, daemon: FakeDaemon) -> Iterator[str]:
    """Of a real server on a free port of loopback."""
    config = Config(store=StoreConfig(path=str(tmp_path / "events.sqlite")), runtime=RuntimeConfig(directory=str(tmp_path / "run")))
    free = config.model_copy(update={"web": WebConfig().model_copy(update={"port": 0})})
    server, app = web.make_server(free)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    web.close(server, app)
    thread.join()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(CHROMIUM)
    for switch in (*SWITCHES, "--window-size=1280,900", f"--user-data-dir={tmp_path / 'browser'}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(str(DRIVER)))
    yield chrome
    chrome.quit()


def until(claim: Callable[[], Any]) -> Any:
    """What `claim` says as soon as that is true; the last thing that it said when it never is."""
    ends_at = time.monotonic() + PATIENCE_S
    while not (said := claim()) and time.monotonic() < ends_at:
        time.sleep(0.1)
    return said


def texts(browser: Any, selector: str) -> list[str]:
    """What a viewer sees, and would copy."""
    found: list[str] = browser.execute_script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText.trim())", selector)
    return found


def complaints(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def test_a_pass_appears_by_itself_and_looks_as_after_a_reload(daemon: FakeDaemon, address: str, browser: Any) -> None:
    """One card is painted by the template, the other by the script: nobody may see which."""
    browser.get(address)
    assert texts(browser, "[data-empty] b") == ["No plate yet."]
    daemon.see("one", "AB12CDE", country="gb")
    daemon.see("two", "B0O8DQ", 0.8, looks=1, agreeing=1)
    assert until(lambda: texts(browser, ".card .chars") == ["B0O8DQ", "AB12CDE"])
    assert until(lambda: "B 0 O 8 D Q" in browser.execute_script("return document.querySelector('[data-announce]').textContent"))
    shape = """return [...document.querySelectorAll('.card')].map((card) => [...card.querySelectorAll('*')].map((e) =>
        [e.tagName, e.className, e.getAttribute('aria-label'), e.title, e.getAttribute('src') ?? e.getAttribute('href'), e.dataset.field ?? ''].join('|')))"""
    painted = browser.execute_script(shape)
    looks = texts(browser, '[data-field="looks"]')
    browser.refresh()
    assert browser.execute_script(shape) == painted
    assert texts(browser, '[data-field="looks"]') == looks
    assert complaints(browser) == []


def test_the_picture_and_the_figures_are_live_and_text_stays_text(daemon: FakeDaemon, address: str, browser: Any) -> None:
    browser.get(address)
    assert until(lambda: browser.execute_script("const p = document.querySelector('[data-picture]'); return !p.hidden && p.naturalWidth") == 160)
    assert until(lambda: texts(browser, ".chip"))[0].startswith(EVIL)
    daemon.see("evil", EVIL, 0.5)
    assert until(lambda: texts(browser, ".card .chars"))[0].startswith("<img")
    assert texts(browser, '[data-field="fps"], [data-camera="frames"], [data-stage="total"] [data-median]') == ["14.8", "11.2", "12,345"]
    assert browser.title == "Watching · Platewatch"
    assert complaints(browser) == []


def test_a_daemon_that_dies_is_said_without_a_reload(daemon: FakeDaemon, address: str, browser: Any) -> None:
    daemon.see("one", "AB12CDE")
    browser.get(address)
    daemon.die()
    assert until(lambda: texts(browser, "[data-state] h1") == ["Daemon gone"])
    assert "fell silent" in texts(browser, '[data-field="sentence"]')[0]
    assert texts(browser, ".card .chars") == ["AB12CDE"]
    assert complaints(browser) == []


def test_nothing_is_asked_of_the_daemon_for_a_page_that_nobody_looks_at(daemon: FakeDaemon, address: str, browser: Any) -> None:
    browser.get(address)
    assert until(lambda: not browser.execute_script("return document.querySelector('[data-picture]').hidden"))
    browser.switch_to.new_window("tab")
    first = browser.window_handles[0]
    assert first != browser.current_window_handle
    browser.get("about:blank")
    time.sleep(2.5)
    touched = (daemon.run / "watched").stat().st_mtime
    time.sleep(2.0)
    assert (daemon.run / "watched").stat().st_mtime == touched


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_scrolls_sideways(daemon: FakeDaemon, address: str, browser: Any, width: int) -> None:
    daemon.see("one", "MH12DE1433")
    daemon.see("two", "WWWWWWWWWWWWWWW", country="in")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 780, "deviceScaleFactor": 1, "mobile": width < 500})
    for path in ("/", "/events?text=W", "/events/two"):
        browser.get(address + path)
        until(lambda: texts(browser, ".chars"))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert complaints(browser) == []
