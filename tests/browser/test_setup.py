"""The setup aid: figures with words, and areas drawn by mouse and by keys alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config, load
from edge.errands import KINDS, Answer, Errands
from tests.browser.fake_daemon import FakeDaemon
from tests.browser.looking import MOST_SHIFT, axe, scrolls_sideways, shift
from tests.pages import again_and_again, served

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
PLATE = {
    "quad": [[40, 40], [80, 40], [80, 50], [40, 50]], "text": "AB12CDE", "confidence": 0.9, "width_px": 38.0, "character_height_px": 9.0, "sharpness": 1.1,
    "contrast": 120.0, "burnt_out": 0.0, "tilt_deg": 2.0,
}  # fmt: skip
ENDED = {"outcome": "too small", "text": "", "width_px": 30.0, "frames": 4, "seconds": 1.2}


@pytest.fixture
def address(config: Config, daemon: FakeDaemon, tmp_path: Path) -> Iterator[str]:
    """With a config file, and a desk that answers."""
    (tmp_path / "c.toml").write_text("# ours\n[view]\nexclude = [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.2]]]\n")
    daemon.tell(aid={"seconds_left": 9, "plates": [PLATE], "picture": None, "walk": {"seconds_left": 60, "flickers": 2, "tracks": [ENDED]}})
    errands = Errands(daemon.run, dict.fromkeys(KINDS, lambda errand: Answer(True, "done", {"controls": []})))
    with served(config, tmp_path / "c.toml") as found, again_and_again(errands.tend):
        yield found


@pytest.mark.parametrize(("size", "theme", "language"), [("phone", "dark", "de"), ("desktop", "light", "en")])
def test_what_is_wrong_is_said_with_what_to_do(open_page: Open, size: str, theme: str, language: str) -> None:
    page = open_page("/setup-aid", size, theme, language)
    expect(page.locator("[data-do]")).to_contain_text("38 px")
    expect(page.locator("#need-width")).to_have_class("meter bad")
    expect(page.locator("#need-contrast")).to_have_class("meter good")
    expect(page.locator("[data-tracks] li")).to_have_count(1)
    assert (axe(page), scrolls_sideways(page), shift(page) < MOST_SHIFT) == ([], False, True)


def test_areas_are_drawn_by_keys_alone_undone_and_saved(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/setup-aid")
    expect(page.locator("[data-edit] polygon")).to_have_count(1)
    page.get_by_role("button", name="Watch only here").press("Enter")
    expect(page.get_by_role("button", name="Corner 1 of 4")).to_be_focused()
    for key in ("ArrowRight", "Shift+ArrowDown", "Enter", "Delete", "ArrowLeft"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Undo").press("Enter")
    page.get_by_role("button", name="Save and use at once").press("Enter")
    expect(page.locator(".toast")).to_be_visible()
    view = load(tmp_path / "c.toml").view
    assert view.include == (((0.11, 0.402), (0.9, 0.4), (0.9, 0.95), (0.1, 0.95)),)
    assert len(view.exclude) == 1
    assert "# ours" in (tmp_path / "c.toml").read_text()
    expect(page.get_by_role("button", name="Save and use at once")).to_be_disabled()


def test_a_corner_is_dragged_and_a_new_one_is_pulled_out_of_a_side(open_page: Open) -> None:
    page = open_page("/setup-aid")
    expect(page.locator("[data-over] .found")).to_have_count(1)  # there is a picture, and so its size
    for dot, corners in (('[data-corner="2"]', 3), ('[data-more="1"]', 4)):
        box = page.locator(f"[data-edit] {dot}").bounding_box()
        before = page.locator("[data-edit] polygon").get_attribute("points")
        x, y = box["x"] + box["width"] / 2 - 4, box["y"] + box["height"] / 2  # not right of the picture, at whose edge it stands
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 40, y + 30, steps=3)
        page.mouse.up()
        points = page.locator("[data-edit] polygon").get_attribute("points")
        assert points != before
        assert len(points.split()) == corners
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    assert page.locator("[data-edit] polygon").get_attribute("points") == "0,0 160,0 160,18"


def test_what_a_lens_gives_is_told_as_one_types(open_page: Open) -> None:
    page = open_page("/setup-aid", "phone")
    before = page.locator("[data-found]").inner_text()
    page.get_by_label("Distance, m").fill("60")
    expect(page.locator("[data-found]")).not_to_have_text(before)
    expect(page.locator("[data-found]")).to_contain_text("not enough")
