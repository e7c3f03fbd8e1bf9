"""Who may enter, in a browser: a user comes, sees what is theirs, gets another role and goes; a token is made, does what it may, and is revoked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config
from tests.browser.looking import MOST_SHIFT, axe, scrolls_sideways, shift, shifted, texts
from tests.pages import PASSWORD, a_config

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
THEIRS = "a viewer's own words"
EVERYBODYS = {"/", "/events", "/unread", "/corrections", "/lists", "/gate", "/health", "/access"}
BOTH = pytest.mark.parametrize(("size", "theme"), [("phone", "light"), ("desktop", "dark")])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return a_config(tmp_path, host="127.0.0.1")


def enter(page: Any, name: str = "admin", password: str = PASSWORD) -> Any:
    """From the log-in to where one was going."""
    field = page.locator("input[name=name]:not([hidden])")
    if field.count():
        field.fill(name)
    page.locator("[name=password]").fill(password)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Access")
    return page


def hold(page: Any) -> None:
    """Fit for everyone, with everything open."""
    assert shift(page) < MOST_SHIFT, shifted(page)
    for details in page.locator("main details").all():
        details.evaluate("(details) => { details.open = true; }")
    assert axe(page) == []
    assert not scrolls_sideways(page)


def opened(page: Any, place: str, summary: str) -> Any:
    """A part of the room that unfolds."""
    part = page.locator(place).locator("details", has=page.locator("summary", has_text=summary)).first
    if not part.evaluate("(details) => details.open"):
        part.locator("summary").first.click()
    return part


def ways(page: Any) -> set[str]:
    """Where the navigation leads."""
    return {str(link.get_attribute("href")) for link in page.locator("nav.rail a, nav.thumbs a").all()}


@BOTH
def test_a_user_comes_sees_what_is_theirs_gets_a_role_and_goes(open_page: Open, address: str, size: str, theme: str) -> None:
    admin = enter(open_page("/access", size, theme))
    users = "[aria-labelledby=users]"
    hold(admin)
    form = opened(admin, users, "Add a user")
    form.locator("[name=name]").fill("jo")
    form.locator("[name=password]").fill(THEIRS)
    form.get_by_role("radio", name="Viewer").check()
    form.get_by_role("button", name="Add a user").click()
    expect(admin.locator(users)).to_contain_text("jo")
    hold(admin)

    jo = enter(open_page("/access", size, theme), "jo", THEIRS)
    hold(jo)
    assert ways(jo) >= EVERYBODYS
    assert not ways(jo) & {"/settings", "/model", "/setup-aid", "/start"}
    assert jo.locator(users).count() == 0
    assert [jo.request.get(path).status for path in ("/settings", "/model", "/api/users", "/events")] == [403, 403, 403, 200]

    def change(role: str) -> None:
        admin.goto("/access")
        row = admin.locator(f"{users} li", has=admin.locator("b", has_text="jo"))
        row.locator("summary").click()
        row.locator("select[name=role]").select_option(role)
        row.get_by_role("button", name="Save").click()
        expect(row.locator(".badge")).to_have_text(role.capitalize())

    change("operator")
    jo.goto("/access")
    assert "/model" in ways(jo)
    assert "/settings" not in ways(jo)
    change("admin")
    jo.goto("/access")
    assert {"/model", "/settings"} <= ways(jo)
    expect(jo.locator(users)).to_contain_text("admin")

    row = admin.locator(f"{users} li", has=admin.locator("b", has_text="jo"))
    row.locator("summary").click()
    row.get_by_role("button", name="Remove jo").click()
    expect(admin.locator(f"{users} li")).to_have_count(1)
    jo.goto("/access")
    expect(jo.locator("[name=password]")).to_be_visible()
    assert jo.request.get("/api/me").status == 401


@BOTH
def test_a_token_does_what_it_may_until_it_is_revoked(browser: Any, open_page: Open, address: str, size: str, theme: str) -> None:
    admin = enter(open_page("/access", size, theme))
    tokens = "[aria-labelledby=tokens]"
    form = opened(admin, tokens, "Make a token")
    form.locator("[name=name]").fill("logger")
    form.locator("[name=days]").select_option("7")
    for scope in ("status:read", "lists:read"):
        form.locator(f"[value='{scope}']").check()
    form.get_by_role("button", name="Make a token").click()
    secret = admin.locator(".secret output").inner_text().strip()
    assert secret.startswith("pw_")
    hold(admin)
    assert texts(admin, f"{tokens} li .mono") == ["status:read, lists:read"]

    program = browser.new_context(base_url=address).request

    def codes() -> list[int]:
        asked = ("/api/status", "/api/lists", "/api/events", "/api/settings", "/api/users")
        return [program.get(path, headers={"Authorization": f"Bearer {secret}"}).status for path in asked]

    assert codes() == [200, 200, 403, 403, 403]
    assert program.post("/api/detect", headers={"Authorization": f"Bearer {secret}"}, data={"on": False}).status == 403
    admin.goto("/access")
    assert admin.locator(".secret").count() == 0  # shown once
    expect(admin.locator(f"{tokens} li")).to_contain_text("used")
    opened(admin, f"{tokens} li", "Revoke").get_by_role("button", name="Revoke logger").click()
    expect(admin.locator(f"{tokens} li")).to_have_count(0)
    assert codes() == [401] * 5
    hold(admin)
    program.dispose()


@BOTH
def test_what_cannot_be_is_said_and_nothing_is_made(open_page: Open, complaints: list[str], size: str, theme: str) -> None:
    admin = enter(open_page("/access", size, theme))
    form = opened(admin, "[aria-labelledby=tokens]", "Make a token")
    form.locator("[name=name]").fill("logger")
    form.get_by_role("button", name="Make a token").click()
    expect(admin.get_by_role("alert")).to_contain_text("at least one scope")
    complaints.clear()  # of the answer 409
    hold(admin)
    expect(admin.locator("[aria-labelledby=tokens] li")).to_have_count(0)
