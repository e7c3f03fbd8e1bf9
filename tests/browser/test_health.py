"""The room Health in a browser: figures that run by themselves, a doctor whose findings come one by one, and nothing that jumps."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from edge.history import NAME
from edge.status import utc_iso
from tests.browser.fake_daemon import EVIL, FakeDaemon
from tests.browser.looking import MOST_SHIFT, axe, scrolls_sideways, shift

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
GOOD = json.dumps({"state": "good", "what": "machine", "words": EVIL, "mend": ""})
BAD = json.dumps({"state": "bad", "what": "supply", "words": "too weak", "mend": "take another one"})


@pytest.fixture
def busy(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon with troubles, a day behind it, and an examination."""
    now = datetime.now(UTC)
    target = {"name": "home-assistant", "kind": "mqtt", "dialect": "homeassistant", "connected": False, "failing": True, "failing_since": utc_iso(now)}
    target |= {"pending": 37, "refused": 2, "delivered": 911, "dropped": 0, "last_error": EVIL, "last_error_at": "", "last_delivered_at": utc_iso(now)}
    store = {"written_bytes": {"today": 41_000_000, "yesterday": 118_000_000}}
    daemon.tell(started_at=utc_iso(now), threads=1, threads_by="measured", targets=[target], store=store, version="source")
    rows = [[round(now.timestamp()) - 600 * (143 - place), 50 + place % 9, 14.0, 1500 + place, 3] for place in range(144)]
    (daemon.run / NAME).write_text(json.dumps({"v": 1, "rows": rows}))
    (daemon.run / "doctor.jsonl").write_text(f'{GOOD}\n{BAD}\n{{"done": true, "code": 1}}\n')
    return daemon


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("size", "theme", "language"), [("phone", "dark", "de"), ("desktop", "light", "es")])
def test_it_is_fit_for_everyone(open_page: Open, size: str, theme: str, language: str) -> None:
    page = open_page("/health", size, theme, language)
    page.evaluate("document.querySelector('[data-part=camera]').firstElementChild.dataset.before = ''")
    expect(page.locator("[data-before]")).to_have_count(0)  # the parts were painted once more
    assert axe(page) == []
    assert shift(page) < MOST_SHIFT
    assert not scrolls_sideways(page)
    assert page.title() != "broken"


def test_the_figures_run_by_themselves_and_no_button_loses_its_focus(busy: FakeDaemon, open_page: Open) -> None:
    page = open_page("/health")
    expect(page.locator("[data-part=camera]")).to_contain_text("12,345")
    test = page.get_by_role("button", name="Send home-assistant a test")
    test.focus()
    busy.frames = 99_999
    expect(page.locator("[data-part=camera]")).to_contain_text("99,999")
    expect(test).to_be_focused()
    busy.tell(targets=[])
    page.locator("h1").click()
    test.blur()
    expect(page.locator("[data-part=needs]")).not_to_contain_text("home-assistant")


def test_what_the_doctor_finds_comes_as_he_finds_it(busy: FakeDaemon, open_page: Open) -> None:
    (busy.run / "doctor.jsonl").write_text(f"{GOOD}\n")
    page = open_page("/health", "phone")
    part = page.locator("[data-part=doctor]")
    expect(part.locator("li")).to_have_count(1)
    with (busy.run / "doctor.jsonl").open("a") as file:
        file.write(f"{BAD}\n")
    expect(part.locator("li")).to_have_count(2)
    with (busy.run / "doctor.jsonl").open("a") as file:
        file.write('{"done": true, "code": 1}\n')
    expect(page.locator(".toast")).to_have_text("Examined.")
    expect(part.locator(".badge.bad")).to_have_text("supply")


@pytest.mark.usefixtures("busy")
def test_the_daemon_is_restarted_only_when_it_is_meant(open_page: Open) -> None:
    """By keyboard; nobody answers the errand here, which is said."""
    page = open_page("/health")
    page.get_by_role("button", name="Restart the daemon").press("Enter")
    expect(page.get_by_role("dialog", name="Restart the daemon?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Restart the daemon").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Restart the daemon").press("Enter")
    expect(page.locator("main > div > .notice")).to_contain_text("The daemon has not answered")


def test_without_script_it_says_all_of_it(browser: Any, address: str, busy: FakeDaemon) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="fr", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/health")
    expect(page.locator("[data-part=needs]")).to_contain_text("home-assistant est injoignable ; 37 passages l’attendent.")
    expect(page.locator("#doctor")).to_contain_text("take another one")
    context.close()
