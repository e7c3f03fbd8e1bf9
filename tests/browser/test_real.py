"""The whole page against the real daemon: one owner, one evening. On every screen the console is silent, axe minds nothing and nothing jumps."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.web.rooms import ROOMS
from tests.browser.looking import SIZES
from tests.browser.owner import SLOW_MS, Owner
from tests.browser.yard import Yard

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect


@pytest.fixture
def yard(browser: Any, tmp_path: Path) -> Iterator[Yard]:
    with Yard(tmp_path) as found:
        yield found


class Evening(Owner):
    """What one does."""

    def see_it_live(self) -> None:
        page = self.page
        page.wait_for_function("() => { const seen = document.querySelector('[data-picture]'); return !seen.hidden && seen.naturalWidth > 200; }")
        expect(page.locator("[data-over] *").first).to_be_attached(timeout=SLOW_MS)  # a quad over the picture
        expect(page.locator(".card").first).to_be_visible(timeout=SLOW_MS)
        self.seen.add("/")
        self.hold()

    def leave_a_phone_on_live(self) -> Any:
        page = self.open()
        page.set_viewport_size(SIZES["phone"]["viewport"])
        page.goto("/")
        return page

    def see_that_it_lay_still(self, phone: Any) -> None:
        """While passes came in."""
        expect(phone.locator(".card.fresh").nth(1)).to_be_attached(timeout=SLOW_MS)
        self.hold(phone)
        phone.close()

    def correct_it(self) -> str:
        """In the list of corrections it is what was typed."""
        page = self.page
        read = self.yard.until(lambda: [one for one in self.yard.events() if not one.preview])[-1]
        self.at(f"/events/{read.id}")
        page.locator("#fix input[name=text]").fill("AB12CDE")
        page.locator("#fix button[name=judgement][value=corrected]:visible").click()
        expect(page.locator("article > header")).to_contain_text("admin")  # who said it
        self.at("/corrections")
        expect(page.locator("td", has_text="AB12CDE").first).to_be_visible()
        return str(read.text)

    def add_it_to_a_list(self, text: str) -> None:
        """The daemon takes the list by itself, and the next pass is known."""
        page = self.page
        self.at(f"/lists?plate={text}")
        page.locator("a.button", has_text="family").first.click()
        form = page.locator("#add form")
        if not form.is_visible():
            page.locator("#add summary").click()
        form.locator("[name=plate]").fill(text)
        form.locator("[name=name]").fill("Guest")
        form.locator(".actions button").click()
        expect(page.locator("table.rows, .entries").filter(has_text="Guest").first).to_be_visible()
        self.hold()
        assert text in (self.yard.folder / "family.csv").read_text()
        known = self.yard.until(lambda: [one for one in self.yard.events() if one.match and one.text == text and not one.preview], SLOW_MS / 1000)
        self.at(f"/events/{known[0].id}")
        expect(page.locator(".came")).to_contain_text("Guest")

    def see_what_the_gate_would_have_done(self) -> None:
        page = self.at("/gate")
        expect(page.locator("#decisions tbody tr").first).to_be_visible(timeout=SLOW_MS)
        expect(page.locator("#decisions .badge", has_text=re.compile("would", re.I)).first).to_be_visible(timeout=SLOW_MS)

    def change_a_setting(self) -> None:
        """It is written, comments kept, and in force at once."""
        page, log = self.page, len(self.yard.log())
        self.at("/settings?q=repeat_after_s")
        page.locator("[name='tracking.repeat_after_s']").fill("5")
        page.locator("[data-save]").click()
        expect(page.locator("[data-result]")).to_contain_text("tracking.repeat_after_s", timeout=SLOW_MS)
        self.hold()
        text = self.yard.config.read_text()
        assert re.search(r"repeat_after_s = 5(\.0)?\n", text)
        assert text.startswith("# The yard of the tests.")
        self.yard.until(lambda: "errand reload" in self.yard.log()[log:])

    def ask_the_doctor_and_pack_for_help(self) -> None:
        page = self.at("/health")
        page.locator("form[action='/health/doctor'] button").click()
        expect(page.locator("[data-part=doctor] li, [data-part=doctor] tr").first).to_be_visible(timeout=SLOW_MS)
        with page.expect_download(timeout=2 * SLOW_MS) as waiting:
            page.locator("form[action='/health/support'] button").click()
        content = zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes()))
        words = b"\n".join(content.read(name) for name in content.namelist())
        assert not any(one.text.encode() in words for one in self.yard.events())
        assert b"scrypt" not in words
        assert b"Guest" not in words
        self.hold()

    def lose_the_daemon_and_get_it_back(self) -> None:
        page = self.at("/")
        self.yard.kill_daemon()
        expect(page.locator("[data-state] h1")).to_have_text("Daemon gone", timeout=SLOW_MS)
        page.goto("/events")
        expect(page.locator(".plate").first).to_be_visible()
        page.goto("/")
        self.yard.start_daemon()
        expect(page.locator("[data-state] h1")).to_have_text("Watching", timeout=SLOW_MS)
        self.complaints[:] = [said for said in self.complaints if "503" not in said]  # of the live picture while there was none
        self.hold()


def test_an_evening_with_the_page(browser: Any, yard: Yard) -> None:
    owner = Evening(browser, yard)
    owner.log_in()
    owner.see_it_live()
    phone = owner.leave_a_phone_on_live()
    text = owner.correct_it()
    owner.add_it_to_a_list(text)
    owner.see_that_it_lay_still(phone)
    owner.see_what_the_gate_would_have_done()
    expect(owner.at("/unread").locator("main")).to_contain_text(re.compile(r"\w"))
    expect(owner.at("/model").locator("main")).to_contain_text(re.compile(r"[0-9a-f]{8}"))
    owner.change_a_setting()
    owner.ask_the_doctor_and_pack_for_help()
    for path in sorted({room.path for room in ROOMS} - owner.seen | {"/start", "/privacy/record"}):
        owner.at(path)
    owner.lose_the_daemon_and_get_it_back()
    owner.leave()
    assert "Traceback" not in yard.log()
