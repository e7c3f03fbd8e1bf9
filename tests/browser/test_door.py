"""The log-in, as a person meets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge.config import Config, RuntimeConfig, StoreConfig, WebConfig
from edge.web.auth import hash_password
from tests.browser.looking import axe, scrolls_sideways

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

PASSWORD = "a gate that stays shut"


@pytest.fixture
def config(tmp_path: Any) -> Config:
    web = WebConfig(password_hash=hash_password(PASSWORD))
    return Config(store=StoreConfig(path=str(tmp_path / "events.sqlite")), runtime=RuntimeConfig(directory=str(tmp_path / "run")), web=web)


@pytest.mark.parametrize(("size", "theme"), [("phone", "light"), ("desktop", "dark")])
def test_one_logs_in_goes_on_to_where_one_was_going_and_out_again(open_page: Callable[..., Any], complaints: list[str], size: str, theme: str) -> None:
    page = open_page("/events", size, theme, "de")
    expect(page.locator("h1")).to_have_text("Anmelden")
    assert (axe(page), scrolls_sideways(page)) == ([], False)
    assert page.locator(".leave").count() == 0
    page.locator("[name=password]").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    complaints.clear()  # of the answer 403
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Ereignisse")
    if size == "phone":
        page.locator(".more summary").click()
    page.locator(".leave button:visible").click()
    expect(page.locator("h1")).to_have_text("Anmelden")
