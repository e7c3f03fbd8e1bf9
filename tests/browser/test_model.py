"""The room Model in a browser: an upload step by step, another reader, and a comparison that anybody can follow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config
from edge.model.manifest import SHIPPED
from tests.browser.fake_daemon import EVIL, FakeDaemon
from tests.browser.looking import MOST_SHIFT, axe, scrolls_sideways, shift
from tests.pages import served

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import expect

Open = Callable[..., Any]


def named(folder: Path, name: str, **changes: Any) -> Path:
    """The shipped reader under another name."""
    shutil.copytree(SHIPPED / "reader", folder / name)
    manifest = json.loads((folder / name / "manifest.json").read_text()) | {"name": name} | changes
    (folder / name / "manifest.json").write_text(json.dumps(manifest))
    return folder / name


@pytest.fixture
def address(config: Config, daemon: FakeDaemon, tmp_path: Path) -> Iterator[str]:
    """Of a page that was started with a config file, and has a second reader."""
    (tmp_path / "c.toml").write_text(f'[store]\npath = "{tmp_path}/events.sqlite"\n[runtime]\ndirectory = "{tmp_path}/run"\n')
    named(tmp_path / "var/bundles", "night-reader-2")
    with served(config, tmp_path / "c.toml") as found:
        yield found


@pytest.fixture
def compared(daemon: FakeDaemon) -> None:
    daemon.see("one", "AB12CDE")
    differing = [{"event": "one", "texts": ["AB12CDE", EVIL], "confidences": [0.9, 0.4], "truth": "AB12CDE"}]
    result = {"plates": 500, "alike": 482, "unreadable": 0, "labelled": 60, "right": [52, 57], "alone": [1, 6], "differing": differing}
    told = {"v": 1, "state": "done", "one": "reader", "other": "night-reader-2", "done": 500, "total": 500, "sentence": "", "result": result}
    (daemon.run / "comparison.json").write_text(json.dumps(told))


@pytest.mark.usefixtures("compared")
@pytest.mark.parametrize("path", ["/model", "/model/comparison"])
@pytest.mark.parametrize(("size", "theme", "language"), [("phone", "dark", "de"), ("desktop", "light", "fr")])
def test_it_is_fit_for_everyone(open_page: Open, path: str, size: str, theme: str, language: str) -> None:
    page = open_page(path, size, theme, language)
    for details in page.locator("main details").all():
        details.evaluate("(details) => { details.open = true; }")
    assert axe(page) == []
    assert not scrolls_sideways(page)
    page = open_page(path, size, theme, language)
    page.wait_for_timeout(500)
    assert shift(page) < MOST_SHIFT
    assert page.title() != "broken"


def test_an_upload_is_followed_to_its_end_and_refused_in_a_sentence(open_page: Open, tmp_path: Path) -> None:
    """By keyboard but for the choice of the file, which is the system's own."""
    page = open_page("/model", "phone")
    shutil.make_archive(str(tmp_path / "good"), "zip", named(tmp_path / "made", "reader-3"))
    page.locator("input[type=file]").set_input_files(tmp_path / "good.zip")
    page.get_by_role("button", name="Upload", exact=True).press("Enter")
    expect(page.locator(".toast")).to_contain_text("It is here", timeout=90_000)
    expect(page.locator("[data-part=arrival] .badge.good")).to_have_count(3)
    expect(page.get_by_role("button", name="Use reader-3").first).to_be_visible()
    (tmp_path / "bad.zip").write_bytes(b"no archive at all")
    page.locator("input[type=file]").set_input_files(tmp_path / "bad.zip")
    page.get_by_role("button", name="Upload", exact=True).press("Enter")
    expect(page.locator("[data-part=arrival] .notice")).to_contain_text("bad.zip")
    expect(page.locator("[data-part=arrival] .badge.bad")).to_have_count(1)


def test_two_readers_are_compared_while_one_waits(open_page: Open, daemon: FakeDaemon) -> None:
    daemon.see("one", "AB12CDE")
    page = open_page("/model")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("[data-part=comparison]")).to_contain_text("alike", timeout=90_000)
    expect(page.locator("[data-part=comparison]")).to_contain_text("Nobody has said")


def test_a_bundle_is_deleted_only_when_it_is_meant(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/model")
    page.get_by_role("button", name="Delete night-reader-2").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert (tmp_path / "var/bundles/night-reader-2").exists()
    page.get_by_role("button", name="Delete night-reader-2").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There are no others yet")).to_be_visible()
    assert not (tmp_path / "var/bundles/night-reader-2").exists()


def test_without_script_a_bundle_is_chosen_by_a_form(browser: Any, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto("/model")
    page.get_by_role("button", name="Use night-reader-2").click()
    expect(page.locator(".notice.good")).to_be_visible(timeout=60_000)
    assert page.url.endswith("/model")
    context.close()
