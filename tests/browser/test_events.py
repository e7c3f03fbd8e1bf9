"""Events, not read and corrections in a browser: what comes, what keys do, correcting in two clicks, deleting, with script and without."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.evidence import Candidate, Evidence, KeptLook
from edge.records import Character
from edge.status import utc_iso
from tests.browser.fake_daemon import EVIL, FakeDaemon
from tests.browser.looking import MOST_SHIFT, axe, scrolls_sideways, shift, texts

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
LOOK = KeptLook(0.0, "B0O8DQ", 0.9, (0.9,) * 6, 0.5, 120.0, 0.8, 1.0, True)
EVIDENCE = Evidence((LOOK,), 1, "B0O8DQ", ((), (Character("O", 0.2),), (Character("0", 0.4),), (), (), ()), (Candidate("B0O8DQ", 1, -0.1),))


def unread(daemon: FakeDaemon, reason: str = "too small", number: int = 1, **facts: Any) -> str:
    folder, at = daemon.run / "unread", datetime.now(UTC) - timedelta(minutes=number)
    folder.mkdir(exist_ok=True)
    name = f"{at:%Y%m%dT%H%M%S%f}-{number:04}"
    (folder / f"{name}.jpg").write_bytes(cv2.imencode(".jpg", np.full((20, 60), 90, np.uint8))[1].tobytes())
    told = {"v": 1, "at": utc_iso(at), "camera": "gate", "reason": reason, "crop": True, "width_px": 38.0, "frames": 4} | facts
    (folder / f"{name}.json").write_text(json.dumps(told))
    return name


@pytest.fixture
def seen(daemon: FakeDaemon) -> None:
    daemon.see("one", "AB12CDE", country="gb", direction="approaching")
    daemon.see("two", "B0O8DQ", 0.8, looks=1, agreeing=1, evidence=EVIDENCE)
    daemon.see("three", "AB12CDE")
    unread(daemon)
    unread(daemon, "reads disagree", 2, text=EVIL, reads=4, agreeing=1)
    daemon.store.add_reason("same pass", utc_iso(datetime.now(UTC)), 5)


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("path", ["/events?country=gb", "/events/two", "/unread", "/unread?reason=same+pass", "/corrections"])
def test_each_is_fit_for_everyone(open_page: Open, path: str) -> None:
    for size, theme, language in (("phone", "dark", "de"), ("desktop", "light", "fr")):
        page = open_page(path, size, theme, language)
        page.locator("h1").first.wait_for()
        assert (axe(page), size) == ([], size)
        assert shift(page) < MOST_SHIFT
        assert not scrolls_sideways(page)
        page.context.close()


@pytest.mark.usefixtures("seen")
def test_a_new_event_appears_where_it_fits_the_filter_and_moves_no_choice(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/events?country=gb")
    page.locator("[data-event=one] [type=checkbox]").check()
    expect(page.locator(".pass")).to_have_count(1)
    page.wait_for_timeout(500)
    daemon.see("four", "XY34ZZZ", country="de")
    daemon.see("five", "XY99ZZZ", country="gb")
    expect(page.locator(".pass")).to_have_count(2)
    assert page.locator(".pass").first.get_attribute("data-event") == "five"
    expect(page.locator("[data-head]")).to_contain_text("2 events")
    expect(page.locator("[data-event=one] [type=checkbox]")).to_be_checked()


@pytest.mark.usefixtures("seen")
def test_a_wrong_text_is_put_right_in_two_clicks(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/events", "phone")
    row = page.locator("[data-event=two]")
    row.get_by_role("link", name="Correct").click()
    page.get_by_role("button", name="B008DQ").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row.locator("[data-said]")).to_contain_text("Corrected")
    assert page.request.get("/api/events/two").json()["text_corrected"] == "B008DQ"
    page.reload()
    expect(row.locator("[data-said]")).to_contain_text("Corrected")


@pytest.mark.usefixtures("seen")
def test_a_character_is_exchanged_with_one_tap_on_the_list_and_on_the_event(open_page: Open) -> None:
    page = open_page("/events")
    page.locator("[data-event=two] [data-fixes]").click()
    page.locator("dialog [data-place='1']").click()
    expect(page.locator("dialog [name=text]")).to_have_value("BOO8DQ")
    page.keyboard.press("Escape")
    page.goto("/events/two")
    page.locator("[data-place='2']").click()
    expect(page.locator("[name=text]")).to_have_value("B008DQ")
    page.keyboard.press("Enter")
    expect(page.locator(".detail > header")).to_contain_text("Corrected")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator(".detail > header")).not_to_contain_text("Corrected")


@pytest.mark.usefixtures("seen")
def test_the_list_by_keyboard_alone(open_page: Open) -> None:
    page = open_page("/events")
    page.keyboard.press("/")
    expect(page.locator("[name=text]").first).to_be_focused()
    page.keyboard.type("jkyx")  # letters of a search are letters
    expect(page.locator("[name=text]").first).to_have_value("jkyx")
    page.locator("h1").click()
    for key in "jjky":
        page.keyboard.press(key)
    expect(page.locator("[data-event=three] .open")).to_be_focused()
    expect(page.locator("[data-event=three] [data-said]")).to_have_text("Confirmed")
    page.keyboard.press("x")
    expect(page.locator("[data-event=three] [type=checkbox]")).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.type("ab 12 xyz")
    page.keyboard.press("Enter")
    expect(page.locator("[data-event=two] [data-said]")).to_contain_text("Corrected")
    assert page.request.get("/api/events/two").json()["text_corrected"] == "AB12XYZ"


@pytest.mark.usefixtures("seen")
def test_what_is_no_plate_is_said_beside_the_field(open_page: Open, complaints: list[str]) -> None:
    page = open_page("/events")
    page.locator("[data-event=two] [data-fixes]").click()
    page.locator("dialog [name=text]").fill("!!")
    page.keyboard.press("Enter")
    expect(page.locator("dialog [data-fault]")).to_be_visible()
    complaints.clear()  # of the 409


@pytest.mark.usefixtures("seen")
def test_days_are_clicked_and_hours_then_too(open_page: Open) -> None:
    page = open_page("/events")
    page.reload()  # the viewer's zone is known from now on
    page.locator(".charts figure").first.locator("a").last.click()
    expect(page.locator(".filter")).to_have_count(1)
    expect(page.locator(".pass")).to_have_count(3)
    hours = page.locator(".charts figure").nth(1).locator("a")
    now = datetime.now().astimezone()
    hours.nth((now - timedelta(hours=6)).hour).click()
    expect(page.locator(".pass")).to_have_count(0)
    page.get_by_role("link", name="Show all events").first.click()
    expect(page.locator(".pass")).to_have_count(3)


@pytest.mark.usefixtures("seen")
def test_deleting_says_the_number_and_that_it_is_for_good(open_page: Open) -> None:
    page = open_page("/events?text=AB12")
    page.get_by_role("button", name="Delete all 2 found").click()
    expect(page.locator("main")).to_contain_text("Delete 2 events?")
    expect(page.locator("main")).to_contain_text("cannot be undone")
    assert axe(page) == []
    page.get_by_role("button", name="Delete 2 events").click()
    expect(page.locator(".notice")).to_have_text("2 events deleted.")
    assert [row.get_attribute("data-event") for row in page.locator(".pass").all()] == ["two"]


@pytest.mark.usefixtures("seen")
def test_an_unread_plate_is_written_down_and_stands_among_the_corrections(open_page: Open) -> None:
    page = open_page("/unread", "phone")
    expect(page.locator(".tiles > li")).to_have_count(2)
    expect(page.locator(".advice").first).to_contain_text("38 px wide; about 70 are wanted")
    assert page.title() != "broken"
    assert any(EVIL in text for text in texts(page, ".tiles .read"))
    tile = page.locator(".tiles > li").first
    tile.locator("[name=text]").fill("AB12 CDE")
    tile.get_by_role("button", name="Save").click()
    expect(tile.locator("[data-said]")).to_contain_text("Corrected")
    page.get_by_role("link", name=re.compile("The looks disagreed")).click()
    expect(page.locator(".tiles > li")).to_have_count(1)
    page.goto("/corrections")
    expect(page.locator("main")).to_contain_text("AB12CDE")
    page.get_by_role("button", name="Delete AB12CDE").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("main")).to_contain_text("Nothing was corrected yet.")


@pytest.mark.usefixtures("seen")
def test_without_script_all_of_it_works_too(browser: Any, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto("/events")
    page.locator("[data-event=two] [data-fixes]").click()
    page.locator("#fix [name=text]").fill("B008DQ")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".detail > header")).to_contain_text("Corrected")
    page.goto("/events")
    page.locator("[data-event=one] [type=checkbox]").check()
    page.get_by_role("button", name="Delete chosen").click()
    page.get_by_role("button", name="Delete 1 event").click()
    expect(page.locator(".pass")).to_have_count(2)
    page.goto("/events")
    page.locator("summary", has_text="More filters").click()
    page.locator("[name=label]").select_option("corrected")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".pass")).to_have_count(1)
    context.close()


@pytest.mark.usefixtures("seen")
def test_taking_events_and_labels_away(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/events?text=AB12")
    with page.expect_download() as found:
        page.get_by_role("link", name="CSV").click()
    assert found.value.suggested_filename.endswith(".csv")
    assert Path(found.value.path()).read_text().count("AB12CDE") == 2
    page.goto("/events/two")
    page.get_by_role("button", name="It is right").click()
    expect(page.locator(".detail > header")).to_contain_text("Confirmed")
    page.goto("/corrections")
    with page.expect_download() as found:
        page.get_by_role("link", name="Download as .zip").click()
    assert found.value.suggested_filename == "corrections.zip"
