"""The live and the events room, with a daemon that lives and dies."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.fake_daemon import EVIL, FakeDaemon
from tests.browser.looking import MOST_SHIFT, hide, shift, texts

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
SHAPE = """[...document.querySelectorAll('.card')].map((card) => [...card.querySelectorAll('*')].map((e) =>
    [e.tagName, e.className, e.getAttribute('aria-label'), e.title, e.getAttribute('src') ?? e.getAttribute('href'), e.dataset.field ?? ''].join('|')))"""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_pass_appears_by_itself_and_looks_as_after_a_reload(daemon: FakeDaemon, open_page: Open, language: str) -> None:
    """One card is painted by the template, the other by the script: nobody may see which."""
    page = open_page(language=language)
    assert texts(page, "[data-empty] b") == ["No plate yet." if language == "en" else "Aucune plaque pour l’instant."]
    daemon.see("one", "AB12CDE", country="gb", duration_s=1.25)
    daemon.see("two", "B0O8DQ", 0.8, looks=1, agreeing=1)
    expect(page.locator(".card .chars")).to_have_text(["B0O8DQ", "AB12CDE"])
    expect(page.locator("[data-announce]")).to_contain_text("B 0 O 8 D Q")
    painted, looks = page.evaluate(SHAPE), texts(page, '[data-field="looks"]')
    sure = texts(page, '[data-field="sureness"]')
    page.reload()
    assert page.evaluate(SHAPE) == painted
    assert texts(page, '[data-field="looks"]') == looks
    assert texts(page, '[data-field="sureness"]') == sure


def test_the_picture_and_the_figures_are_live_and_text_stays_text(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page()
    page.wait_for_function("() => { const p = document.querySelector('[data-picture]'); return !p.hidden && p.naturalWidth === 160; }")
    expect(page.locator("[data-inview] li")).to_contain_text(EVIL)
    assert texts(page, "[data-inview] li")[0].startswith(EVIL)
    daemon.see("evil", EVIL, 0.5)
    expect(page.locator(".card .chars")).to_contain_text("<img")
    assert texts(page, ".card .chars")[0].startswith("<img")
    assert texts(page, '[data-field="fps"], [data-camera="frames"], [data-stage="total"] [data-median]') == ["14.8", "11.2", "12,345"]
    assert page.title() == "Watching · Platewatch"


def test_a_daemon_that_dies_is_said_without_a_reload(daemon: FakeDaemon, open_page: Open) -> None:
    daemon.see("one", "AB12CDE")
    page = open_page()
    daemon.die()
    expect(page.locator("[data-state] h1")).to_have_text("Daemon gone")
    assert "fell silent" in texts(page, '[data-field="sentence"]')[0]
    assert texts(page, ".card .chars") == ["AB12CDE"]


def test_nothing_is_asked_of_the_daemon_for_a_page_that_nobody_looks_at(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page()
    expect(page.locator("[data-picture]")).to_be_visible()
    hide(page)
    touched = comes_to_rest(daemon.run / "watched")
    hide(page, False)
    page.wait_for_event("response", lambda answer: "/live.jpg" in answer.url)
    assert (daemon.run / "watched").stat().st_mtime > touched


def comes_to_rest(file: Path) -> float:
    """When it was last touched, as soon as that was not within the last two seconds: a page that looks on touches it several times in these."""
    for _ in range(20):
        touched = file.stat().st_mtime
        time.sleep(2.0)
        if file.stat().st_mtime == touched:
            return touched
    raise AssertionError(f"{file.name} is touched again and again")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_scrolls_sideways(daemon: FakeDaemon, open_page: Open, width: int) -> None:
    daemon.see("one", "MH12DE1433")
    daemon.see("two", "WWWWWWWWWWWWWWW", country="in")
    page = open_page("/", "phone" if width < 500 else "desktop")
    page.set_viewport_size({"width": width, "height": 780})
    for path in ("/", "/events?text=W", "/events/two"):
        page.goto(path)
        page.locator(".chars").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_nothing_jumps_while_the_status_streams_in(daemon: FakeDaemon, open_page: Open, size: str) -> None:
    daemon.see("one", "AB12CDE")
    page = open_page("/", size)
    for frames, seconds in ((99_999, 3), (123_456_789, 250)):
        daemon.tell(camera={"frames": frames, "dropped": frames // 7}, fps=9.9, stages_ms={"total": {"median": seconds, "p95": seconds * 3.3}})
        expect(page.locator('[data-camera="frames"]')).to_have_text(f"{frames:,}")
    daemon.tell(detail="the disk is almost full: 12 MB free")
    expect(page.locator('[data-field="sentence"]')).to_contain_text("almost full")
    assert shift(page) < MOST_SHIFT
