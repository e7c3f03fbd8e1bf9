"""What every room is held to, on a phone and on a desk, in the light and in the dark, and in every language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge.errands import KINDS, Answer, Errands
from edge.web import rooms
from edge.web.language import LANGUAGES
from tests.browser.fake_daemon import FakeDaemon
from tests.browser.looking import MOST_SHIFT, SIZES, axe, scrolls_sideways, shift, shifted
from tests.pages import again_and_again

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Open = Callable[..., Any]
ROOMS = (
    *(room.path for room in rooms.ROOMS),
    *("/events/two", "/events?text=ZZZZ", "/settings/text", "/settings/targets", "/start/camera", "/start/test", "/privacy/record", "/nowhere"),
)
"""One for each screen, with a state of it that is worth a look."""
LOOKS = (("phone", "dark"), ("desktop", "light"), ("phone", "light"), ("desktop", "dark"))
WIDTHS = (360, 1000)


@pytest.fixture
def seen(daemon: FakeDaemon) -> Iterator[None]:
    """Two events, and a daemon that answers errands: a room asks for what it needs, and minds when nobody answers."""
    daemon.see("one", "AB12CDE", country="gb")
    daemon.see("two", "B0O8DQ", 0.8, looks=1, agreeing=1)
    errands = Errands(daemon.run, dict.fromkeys(KINDS, lambda errand: Answer(True, "done", {"controls": []})))
    with again_and_again(errands.tend):
        yield


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("turn", range(len(LOOKS)), ids=tuple(LANGUAGES))
def test_every_room_is_fit_for_everyone(open_page: Open, complaints: list[str], turn: int) -> None:
    """A Latin square: through four turns each room is seen once in each language, and once in each size and theme. None scrolls sideways, at whatever width.

    axe looks in two of the turns, which have both sizes and both themes: what it finds does not depend on the language.
    """
    language = tuple(LANGUAGES)[turn]
    pages = {size: open_page("/", size, language=language) for size in SIZES}
    for place, path in enumerate(ROOMS):
        size, theme = LOOKS[(place + turn) % len(LOOKS)]
        page, look = pages[size], f"{path} {size} {theme} {language}"
        page.set_viewport_size(SIZES[size]["viewport"])
        page.emulate_media(color_scheme=theme)
        page.goto(path)
        page.locator("h1").first.wait_for()
        assert page.locator("html").get_attribute("lang") == language
        if turn < 2:
            assert (axe(page), look) == ([], look)
        assert shift(page) < MOST_SHIFT, (look, shifted(page))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 780})
            assert not scrolls_sideways(page), (look, width)
        assert [said for said in complaints if "404" not in said] == [], look
    complaints.clear()  # that /nowhere is not there


def test_the_way_to_all_rooms_by_keyboard_on_a_phone(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/", "phone")
    menu = page.locator(".more summary")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sheet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".sheet")).to_be_hidden()
    assert menu.evaluate("(summary) => summary === document.activeElement")


def test_light_or_dark_and_the_language_are_chosen_once_for_all_rooms(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/", "desktop", "light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator(".rail-foot select").select_option("dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.locator(".rail-foot a[lang=de]").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/events")
    expect(page.locator("h1")).to_have_text("Ereignisse")
    assert page.evaluate(ground) == dark


def test_the_script_writes_numbers_and_times_as_the_template_does(daemon: FakeDaemon, open_page: Open) -> None:
    """A figure that the script paints over one of the template may not change."""
    numbers = [(0, 0), (7, 0), (999, 0), (1000, 0), (9999, 0), (12345, 0), (1234567, 0), (0.05, 1), (0.25, 1), (2.675, 2), (1234.5, 1), (-3.5, 1)]
    shares, sizes, ages = (
        [0, 0.125, 0.505, 0.995, 0.9999, 1],
        [0, 999, 1000, 12_345, 99_950, 123_456_789, 5e12],
        [0.4, 12.9, 60, 3599, 3600, 172_000, 176_400, 90_000_000],
    )
    page = open_page("/events")
    for language, speak in LANGUAGES.items():
        page.goto(f"/events?lang={language}")
        assert page.evaluate("(all) => all.map(([value, digits]) => page.number(value, digits))", numbers) == [speak.number(*one) for one in numbers]
        assert page.evaluate("(all) => all.map(page.percent)", shares) == [speak.percent(share) for share in shares]
        assert page.evaluate("(all) => all.map(page.size)", sizes) == [speak.size(size) for size in sizes]
        # The clock stands still, else a second may pass between two looks at it.
        page.evaluate("() => { const now = Date.now(); Date.now = () => now; }")
        told = "(all) => all.map((age) => page.ago(new Date(Date.now() - page.skewMs - age * 1000).toISOString()))"
        assert page.evaluate(told, ages) == [speak.ago(age) for age in ages]


def test_a_fault_stands_beside_its_field_and_goes_with_the_next_try(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/events")
    page.evaluate("""() => {
        const form = document.querySelector('form');
        form.elements.text.id = 'f-text';
        const line = page.element('p', 'error', '');
        Object.assign(line, { id: 'f-text-error', hidden: true });
        form.append(line);
        let tries = 0;
        page.form(form, async () => { tries += 1; if (tries === 1) throw new Problem(400, 'text holds <b>nothing</b>.'); page.announce('done'); });
    }""")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#f-text-error")).to_have_text("text holds <b>nothing</b>.")
    expect(page.locator("#f-text")).to_be_focused()
    assert page.locator("#f-text").get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".toast")).to_have_text("done")
    expect(page.locator("#f-text-error")).to_be_hidden()
    assert page.locator("#f-text").get_attribute("aria-invalid") is None


def test_what_cannot_be_undone_is_asked_before(daemon: FakeDaemon, open_page: Open) -> None:
    """With the focus on the harmless button; Escape is no."""
    page = open_page("/events")
    for button, means in (("Delete", True), ("Cancel", False), (None, False)):
        page.evaluate("() => { window.said = page.confirm({ title: 'Delete <b>it</b>?', action: 'Delete', danger: true }); }")
        expect(page.get_by_role("dialog", name="Delete <b>it</b>?")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        page.get_by_role("button", name=button).click() if button else page.keyboard.press("Escape")
        assert page.evaluate("window.said") is means
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_meter_and_a_dialog_need_no_script_of_their_own_for_what_is_common(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/events")
    page.evaluate("""() => { document.querySelector('main').innerHTML = `<div class="meter good" role="meter" aria-label="Light"><b class="badge good">90</b>
        <svg class="bar" viewBox="0 0 100 8"><rect class="core" width="90" height="8"/></svg></div>
        <button type="button" data-opens="more">Open</button><dialog id="more" aria-label="More"><button type="button" data-closes>Shut</button></dialog>`;
        page.meter(document.querySelector('.meter'), 31.4, 'bad', '31, too dark'); }""")
    meter = page.get_by_role("meter", name="Light")
    assert [meter.get_attribute(name) for name in ("class", "aria-valuenow", "aria-valuetext")] == ["meter bad", "31", "31, too dark"]
    expect(meter.locator("b")).to_have_text("31, too dark")
    assert meter.locator(".core").get_attribute("width") == "31.4"
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("dialog", name="More")).to_be_visible()
    page.get_by_role("button", name="Shut").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_jump_is_measured(daemon: FakeDaemon, open_page: Open) -> None:
    """Else the bound on every other room would hold nothing."""
    daemon.see("one", "AB12CDE")
    page = open_page("/events")
    assert shift(page) < MOST_SHIFT
    page.wait_for_timeout(600)  # what follows an input within half a second is no jump
    page.evaluate("() => { const block = document.createElement('div'); block.style.height = '300px'; document.querySelector('main').prepend(block); }")
    page.wait_for_function(f"window.__shift > {MOST_SHIFT}")


def test_what_axe_finds_is_told(daemon: FakeDaemon, open_page: Open) -> None:
    page = open_page("/events")
    page.evaluate("() => { document.querySelector('main').append(document.createElement('button')); }")
    assert any(said.startswith("button-name") for said in axe(page))


def test_without_script_every_room_says_its_words(browser: Any, address: str, daemon: FakeDaemon) -> None:
    daemon.see("one", "AB12CDE")
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="es", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/")
    expect(page.locator("[data-state] h1")).to_have_text("En servicio")
    page.locator(".more summary").click()
    page.locator(".sheet a[lang=fr]").click()
    expect(page.locator("[data-state] h1")).to_have_text("En service")
    expect(page.locator(".theme").first).to_be_hidden()
    context.close()
