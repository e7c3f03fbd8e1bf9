"""The lists and the gate as a person uses them: by mouse, by keyboard alone, on a phone, and without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config
from edge.errands import Answer, Errands
from tests.browser.fake_daemon import FakeDaemon
from tests.browser.looking import MOST_SHIFT, axe, scrolls_sideways, shift
from tests.known import a_household, an_audit, of_the_gate, stamps
from tests.pages import again_and_again, served

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
LOOKS = ("/lists?test=K0O100&plate=AB12CDE", "/lists/family.toml?near=BAB1234", "/lists/family.toml?edit=HHQ7", "/gate", "/gate/protection")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = a_household(tmp_path)
    an_audit(config)
    return config


@pytest.fixture
def address(config: Config, daemon: FakeDaemon, tmp_path: Path) -> Iterator[str]:
    """With a config file, and a daemon that takes lists and runs errands."""
    daemon.see("three", "MXY8801", 0.8)
    errands = Errands(daemon.run, {"gate test": lambda errand: Answer(True, f"the relay was switched on, test by {errand.who}")})

    def live() -> None:
        daemon.tell(lists={"plates": 6, "trouble": "", "files": stamps(config)}, gate=of_the_gate())
        errands.tend()

    live()
    daemon.write_status()
    with served(config, tmp_path / "platewatch.toml") as found, again_and_again(live, 0.2):
        yield found


@pytest.mark.parametrize("path", LOOKS)
def test_a_look_is_fit_for_everyone(open_page: Open, path: str) -> None:
    for size, theme, language in (("phone", "dark", "de"), ("desktop", "light", "fr")):
        page = open_page(path, size, theme, language)
        page.locator("h1").first.wait_for()
        assert (axe(page), size, theme) == ([], size, theme)
        assert (scrolls_sideways(page), size) == (False, size)
        assert shift(page) < MOST_SHIFT, (size, theme)
        page.context.close()


def test_times_are_put_together_by_keyboard_alone_and_the_daemon_takes_them(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/lists/family.toml")
    page.locator("#add summary").focus()
    page.keyboard.press("Enter")
    page.locator("#f-plate").focus()
    page.keyboard.type("k aa 7")
    for day in (0, 1, 2, 5, 6):
        page.locator(f".days input[value='{day}']").focus()
        page.keyboard.press("Space")
    page.locator("[data-start]").fill("07:00")
    page.locator("[data-end]").fill("18:00")
    page.locator("[data-put]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#f-times")).to_have_value("Sat-Wed 07:00-18:00")
    expect(page.locator(".spans li")).to_have_text(["Sat–Wed 07:00–18:00×"])
    page.locator("#f-times").fill("Sat-Wed 07:00-18:00; Fri")
    page.get_by_role("button", name="Remove Sat–Wed 07:00–18:00").click()
    expect(page.locator("#f-times")).to_have_value("Fri")
    page.keyboard.press("Enter")
    expect(page.locator(".rows tbody tr").first).to_contain_text("KAA7")
    assert 'times = ["Fri"]' in (tmp_path / "lists/family.toml").read_text()
    expect(page.locator("#taken")).to_contain_text("In force")


def test_the_odds_follow_the_tolerance(open_page: Open) -> None:
    page = open_page("/lists/family.toml", "phone")
    before = page.locator("[data-odds]").inner_text()
    page.locator("#f-tolerance").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator("[data-is]")).to_have_text("0.7")
    expect(page.locator("[data-odds]")).not_to_have_text(before)
    expect(page.locator("[data-odds]")).to_contain_text("1 in")
    page.get_by_role("button", name="Keep this tolerance").click()
    expect(page.locator("[data-is]")).to_have_text("0.7")


def test_a_plate_is_removed_only_after_a_yes(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/lists/family.toml")
    row = page.locator(".rows tbody tr", has_text="Anna")
    row.get_by_role("button", name="Remove").click()
    page.keyboard.press("Escape")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".rows tbody tr")).to_have_count(3)
    assert "AB 1234" not in (tmp_path / "lists/family.toml").read_text()


def test_a_fault_stands_at_its_field(open_page: Open, complaints: list[str]) -> None:
    page = open_page("/lists/family.toml?plate=AB12CDE")
    page.locator("#f-times").fill("Montag")
    page.locator("#f-times").press("Enter")
    expect(page.locator("#f-times-error")).to_contain_text("is no time of the week")
    expect(page.locator("#f-plate")).to_have_value("AB12CDE")
    complaints.clear()  # of the answer 409


def test_the_gate_is_tested_by_who_types_the_word(open_page: Open) -> None:
    page = open_page("/gate", "phone", language="de")
    page.locator("#f-word").fill("öffnen")
    page.get_by_role("button", name="Tor testen").click()
    expect(page.get_by_role("alert")).to_have_text("The relay was switched on, test by admin.")


def test_the_gates_state_is_painted_anew_when_the_daemon_goes(open_page: Open, daemon: FakeDaemon) -> None:
    page = open_page("/gate")
    expect(page.locator("#state h1")).to_have_text("Gate: armed")
    page.wait_for_timeout(1000)
    daemon.die()
    expect(page.locator("#state h1")).to_have_text("Gate: nobody decides")


def test_an_import_and_a_plate_to_try_need_no_script(browser: Any, address: str, tmp_path: Path) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="en", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/lists")
    page.locator("#f-test").fill("b-ab 1234")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("status").last).to_contain_text("Taken for BAB1234 of Family.")
    page.goto("/lists/family.toml")
    expect(page.locator(".week").first).to_be_hidden()
    page.locator("#f-file").set_input_files({"name": "in.csv", "mimeType": "text/csv", "buffer": b"plate,name\nK AA 7,Eva\n!,x\n"})
    page.get_by_role("button", name="Show what it would change").click()
    expect(page.locator("#asked")).to_contain_text("1 new")
    assert "K AA 7" not in (tmp_path / "lists/family.toml").read_text()
    page.get_by_role("button", name="Write 1 entry").click()
    expect(page.locator(".rows tbody tr").first).to_contain_text("KAA7")
    context.close()
