"""The live room: what is drawn over the picture is of that picture, and can be switched off; the search for plates too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.fake_daemon import EVIL, FakeDaemon
from tests.browser.looking import MOST_SHIFT, axe, shift

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_plates_are_drawn_where_they_are_and_their_text_stays_text(daemon: FakeDaemon, open_page: Open, size: str) -> None:
    page = open_page("/", size, "dark", "de")
    shape = page.locator("[data-over] polygon.found")
    expect(shape).to_have_attribute("points", "40,40 80,40 80,50 40,50")
    expect(page.locator("[data-over] text")).to_contain_text(EVIL)
    # In one step: with the next picture, a fifth of a second later, it is drawn anew.
    boxes = "['[data-view]', '[data-over] polygon.found'].map((one) => document.querySelector(one).getBoundingClientRect())"
    view, found = page.evaluate(f"{boxes}.map(({{ x, width }}) => ({{ x, width }}))")
    assert found["x"] - view["x"] == pytest.approx(view["width"] * 40 / 160, abs=9)  # with its stroke
    assert found["width"] == pytest.approx(view["width"] * 40 / 160, abs=18)
    assert (axe(page), shift(page) < MOST_SHIFT) == ([], True)


def test_layers_are_switched_by_keyboard_and_remembered(daemon: FakeDaemon, open_page: Open) -> None:
    daemon.tell(view={"include": [[[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]], "exclude": []})
    daemon.figures |= {"motion": {"rows": 1, "columns": 8, "bits": "oA=="}}
    page = open_page()
    expect(page.locator("[data-over] .found")).to_have_count(1)
    for name in ("Plates", "Motion", "Areas"):
        page.get_by_role("checkbox", name=name).press("Space")
    expect(page.locator("[data-over] .include")).to_have_attribute("points", "16,9 144,9 80,81")
    assert page.locator("[data-over] .found").count() == 0
    page.reload()
    expect(page.locator("[data-over] .include")).to_have_count(1)
    assert page.get_by_role("checkbox", name="Plates").is_checked() is False


def test_detection_is_switched_only_when_one_means_it(daemon: FakeDaemon, open_page: Open, complaints: list[str]) -> None:
    """This daemon answers nobody: the sentence why stands on the page, and the switch stays as it was."""
    daemon.tell(detecting=False, detail="the disk is full; detection is switched off")
    page = open_page()
    expect(page.locator("[data-state] h1")).to_have_text("Detection off")
    expect(page.locator('[data-field="also"]')).to_have_text("The disk is full.")
    expect(page.get_by_role("button", name="Switch detection on")).to_be_enabled()
    daemon.tell(detecting=True, detail="")
    expect(page.get_by_role("button", name="Switch detection off")).to_be_enabled()
    expect(page.locator("[data-state] h1")).to_have_text("Watching")
