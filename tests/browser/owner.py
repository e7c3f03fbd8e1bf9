"""The owner of a yard before a real browser. On every screen the console is silent, axe minds nothing and nothing jumps."""

from __future__ import annotations

from typing import Any

from tests.browser.looking import MOST_SHIFT, SIZES, axe, listen_for_shifts, shift, shifted
from tests.browser.yard import OWNER, Yard

SLOW_MS = 180_000
"""For what waits for vehicles, models or processes on a busy machine."""


def is_complaint(said: Any) -> bool:
    """Not that there is no live picture yet: the page asks for one as soon as it is looked at, and the daemon makes it then."""
    return said.type in ("error", "warning") and not ("503" in said.text and "/live.jpg" in said.location.get("url", ""))


class Owner:
    """One browser. `at` opens a screen and holds it to what is demanded of each."""

    def __init__(self, browser: Any, yard: Yard) -> None:
        self.yard, self.complaints, self.seen = yard, list[str](), set[str]()
        self.context = browser.new_context(base_url=yard.address, locale="en", accept_downloads=True, **SIZES["desktop"])
        self.context.set_default_timeout(SLOW_MS)  # a click waits for the page that it leads to, and so for the daemon
        self.page = self.open()

    def open(self) -> Any:
        page = self.context.new_page()
        listen_for_shifts(page)
        page.on("console", lambda said: self.complaints.append(f"{page.url}: {said.text}") if is_complaint(said) else None)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def at(self, path: str) -> Any:
        self.page.goto(path)
        self.seen.add(path)
        self.hold()
        return self.page

    def hold(self, page: Any = None) -> None:
        page = page or self.page
        page.locator("h1").first.wait_for()
        assert (axe(page), page.url) == ([], page.url)
        assert shift(page) < MOST_SHIFT, (page.url, shifted(page))
        assert self.complaints == [], self.complaints

    def log_in(self) -> None:
        from playwright.sync_api import expect

        self.page.goto("/")
        self.page.locator("[name=password]").fill(OWNER)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("[data-state]")).to_be_visible()

    def leave(self) -> None:
        self.context.close()
        assert self.complaints == [], self.complaints
