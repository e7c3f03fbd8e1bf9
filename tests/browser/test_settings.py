"""The settings in a browser: tried while typed, marked, saved, taken back, and mended as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import load
from tests.browser.fake_daemon import FakeDaemon
from tests.browser.looking import MOST_SHIFT, axe, scrolls_sideways, shift
from tests.pages import served

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
FILE = """\
# My gate.
[camera]
name = "yard"   # by the road
source = "rtsp://viewer:h0rse@10.0.0.7/main"
[store]
path = "events.sqlite"
[runtime]
directory = "run"
[[targets]]
name = "hook"
kind = "webhook"
url = "https://example.org/in"
headers = { Authorization = "Bearer s3cr3t" }
"""


@pytest.fixture
def address(file: Path, daemon: FakeDaemon) -> Iterator[str]:
    """Of a page that has a config file."""
    with served(load(file), file) as found:
        yield found


def field(page: Any, name: str) -> Any:
    return page.locator(f'[id="f-{name}"]')


@pytest.mark.parametrize(
    "path", ["/settings", "/settings/targets", "/settings/targets/0", "/settings/targets/new?kind=mqtt", "/settings/text", "/privacy", "/privacy/record"]
)
def test_each_screen_is_fit_for_everyone(open_page: Open, path: str) -> None:
    for size, theme, language in (("phone", "dark", "de"), ("desktop", "light", "fr")):
        page = open_page(path, size, theme, language)
        page.locator("h1").first.wait_for()
        assert (axe(page), size) == ([], size)
        assert shift(page) < MOST_SHIFT, size
        assert not scrolls_sideways(page), size
        page.context.close()


@pytest.mark.parametrize("step", ["language", "password", "device", "camera", "area", "keeping", "targets", "gate", "test"])
def test_each_step_of_the_first_start_is_fit_for_everyone(open_page: Open, step: str) -> None:
    page = open_page(f"/start/{step}", "phone", "dark", "de")
    page.locator("h1").wait_for()
    assert axe(page) == []
    assert shift(page) < MOST_SHIFT
    assert not scrolls_sideways(page)


def test_by_keyboard_what_is_typed_is_tried_saved_and_marked(daemon: FakeDaemon, open_page: Open, file: Path) -> None:
    page = open_page("/settings")
    summary = page.locator("#camera summary")
    summary.focus()
    page.keyboard.press("Enter")
    limit = field(page, "camera.fps_limit")
    limit.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("999")
    expect(page.locator('[id="f-camera.fps_limit-error"]')).to_contain_text("less than or equal to 240")
    assert limit.get_attribute("aria-invalid") == "true"
    expect(page.locator("[data-count]")).to_have_text("1 change, not saved yet")
    page.keyboard.press("Control+A")
    page.keyboard.type("7,5")
    expect(page.locator('[id="f-camera.fps_limit-error"]')).to_be_hidden()
    assert file.read_text() == FILE
    page.keyboard.press("Enter")
    expect(page.locator("[data-result]")).to_contain_text("camera.fps_limit")
    assert "fps_limit = 7.5" in file.read_text()
    assert 'name = "yard"   # by the road' in file.read_text()
    expect(page.locator("[data-count]")).to_have_text("Nothing is written before you save.")
    row = page.locator("[data-setting]", has=limit)
    row.locator("[data-back]").click()
    expect(limit).to_have_value("0")


def test_a_search_finds_by_name_and_by_meaning(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/settings", language="de")
    page.locator("#q").fill("infrarot")
    expect(field(page, "night.infra_red")).to_be_visible()
    expect(page.locator("#camera")).to_be_hidden()
    page.locator("#q").fill("xyzzy")
    expect(page.locator("[data-none]")).to_be_visible()
    page.locator("#q").fill("")
    expect(page.locator("#camera")).to_be_visible()


def test_a_file_that_changed_meanwhile_is_told_and_what_was_typed_stays(daemon: FakeDaemon, open_page: Open, complaints: list[str], file: Path) -> None:
    page = open_page("/settings")
    page.locator("#camera summary").click()
    field(page, "camera.name").fill("gate")
    file.write_text(FILE + "# mine\n")
    page.locator("[data-save]").click()
    expect(page.locator(".toast")).to_contain_text("changed by somebody else")
    expect(field(page, "camera.name")).to_have_value("gate")
    complaints.clear()  # the 409


def test_the_text_names_the_line_and_leads_there(daemon: FakeDaemon, open_page: Open, file: Path) -> None:
    page = open_page("/settings/text")
    text = page.locator("#toml")
    assert "h0rse" not in text.input_value()
    text.fill(text.input_value().replace("[store]", "[stroe]"))
    fault = page.locator("[data-faults] button")
    expect(fault).to_contain_text("did you mean 'store'?")
    fault.click()
    assert text.evaluate("(area) => area.value.slice(area.selectionStart, area.selectionEnd)") == "[stroe]"
    text.fill(text.input_value().replace("[stroe]", "[store]").replace("yard", "gate"))
    expect(page.locator("[data-faults] li")).to_have_count(0)
    page.locator("[data-save]").click()
    expect(page.locator("[data-result]")).to_contain_text("camera.name")
    assert file.read_text() == FILE.replace("yard", "gate")


def test_a_target_is_tried_while_it_is_typed(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/settings/targets/0")
    field(page, "url").fill("https://evil.example/")
    expect(page.locator("[data-loose]")).to_contain_text("give it again in full")
    field(page, "headers").fill("Authorization: new")
    expect(page.locator("[data-loose]")).to_be_hidden()


def test_the_sign_follows_what_is_typed_and_keeps_it_only_here(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/privacy")
    page.locator("#f-name").fill("<b>Mill Farm</b>")
    expect(page.locator('[data-out="name"]')).to_have_text("<b>Mill Farm</b>")
    page.locator("#f-paper").select_option("a5")
    expect(page.locator(".sign.a5")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
    page.locator("#remember").check()
    page.reload()
    expect(page.locator('[data-out="name"]')).to_have_text("<b>Mill Farm</b>")
    assert len(page.pdf()) > 1000


def test_without_script_settings_and_first_start_work(browser: Any, address: str, daemon: FakeDaemon, file: Path) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto("/settings?q=camera.name")
    field(page, "camera.name").fill("by form")
    page.locator("[data-save]").click()
    expect(page.locator("[data-result]")).to_contain_text("camera.name")
    assert 'name = "by form"' in file.read_text()
    page.goto("/start/keeping")
    page.locator("#f-retention_days").fill("2")
    page.locator("input[value=known]").check()
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/start/targets")
    assert "known_only = true" in file.read_text()
    context.close()


def test_the_test_read_shows_the_plates(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/start/test")
    plate = {"text": "AB12CDE", "country": "gb", "characters": [{"char": char, "confidence": 0.99} for char in "AB12CDE"]}
    page.route("**/api/read", lambda route: route.fulfill(json={"plates": [plate]}))
    page.locator("[data-example]").click()
    expect(page.locator("[data-read] .plate .chars")).to_have_text("AB12CDE")
    expect(page.locator("[data-read]")).to_contain_text("It reads:")
    daemon.see("new", "ZZ99ZZ")
    expect(page.locator("[data-read] .plate .chars")).to_have_text("ZZ99ZZ")
