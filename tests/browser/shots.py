"""`python -m tests.browser.shots --out docs/images`: every screen on a phone and on a desk, a few in the dark, of the real daemon on the drawn clip.

PNG with a palette, each below 80 KB, so that a repository can carry them.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from edge.web.rooms import ROOMS
from tests.browser.conftest import PATIENCE_MS, SWITCHES
from tests.browser.looking import SIZES
from tests.browser.yard import OWNER, Yard

MOST_BYTES = 80_000
DARK = {"live", "events"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.shots", description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", metavar="ROOM,ROOM", default="", help="of these rooms alone")
    parser.add_argument("--language", default="en")
    parser.add_argument("--passes", type=int, default=6, metavar="N", help="so many vehicles pass before (default: 6)")
    args = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("tests.browser.shots: Debian's chromium is not installed; sudo apt install chromium")
    from playwright.sync_api import sync_playwright

    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="platewatch-shots-") as name, Yard(Path(name)) as yard, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(SWITCHES))
        page = log_in(browser, yard, args.language)
        yard.until(lambda: len([one for one in yard.events() if not one.preview]) >= args.passes, 240)
        furnish(page, yard)
        for name, path in screens(page, yard, [one for one in args.only.split(",") if one]):
            for size in ("desktop", "phone"):
                for theme in ("light", "dark") if name in DARK and size == "desktop" else ("light",):
                    file = args.out / f"page-{name}{'-phone' if size == 'phone' else ''}{'-dark' if theme == 'dark' else ''}.png"
                    take(page, path, size, theme, file)
                    print(f"{file} {file.stat().st_size}", flush=True)
        browser.close()
    return 0


def log_in(browser: Any, yard: Yard, language: str) -> Any:
    context = browser.new_context(base_url=yard.address, locale=language, **SIZES["desktop"])
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/login")
    page.locator("[name=password]").fill(OWNER)
    page.keyboard.press("Enter")
    page.locator("[data-state]").wait_for()
    return page


def furnish(page: Any, yard: Yard) -> None:
    """A corrected event and a few known plates, so that no screen is empty."""
    first, *others = [one for one in yard.events() if not one.preview]
    ask = """async ([path, body, method]) => { const me = await (await fetch('/api/me')).json();
        await fetch(path, { method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': me.csrf } }); }"""
    for one, judgement, text in ((first, "confirmed", ""), (others[0], "corrected", others[0].text[:-1] + "X"), (others[1], "confirmed", "")):
        page.evaluate(ask, [f"/api/labels/{one.id}", {"judgement": judgement, "text": text}, "PUT"])
    rows = "".join(f"{one.text},{name}\n" for one, name in zip(others, ("Anna", "Post", "Bakery"), strict=False))
    (yard.folder / "family.csv").write_text(f"plate,name\nB AB 1234,Carla\n{rows}")


def screens(page: Any, yard: Yard, only: list[str]) -> list[tuple[str, str]]:
    """Name and address of each: the rooms, one event, one list, the API."""
    page.goto("/lists")
    a_list = page.locator("main td a").first.get_attribute("href")
    event = next(one for one in yard.events() if not one.preview)
    found = [*((room.name, room.path) for room in ROOMS), ("event", f"/events/{event.id}"), ("list", a_list), ("api", "/api")]
    return [one for one in found if not only or one[0] in only]


def take(page: Any, path: str, size: str, theme: str, file: Path) -> None:
    from PIL import Image

    page.set_viewport_size(SIZES[size]["viewport"])
    page.emulate_media(color_scheme=theme)
    page.goto(path)
    if path == "/":
        page.wait_for_function("() => { const seen = document.querySelector('[data-picture]'); return !seen.hidden && seen.naturalWidth > 200; }")
        page.wait_for_timeout(2500)
    page.wait_for_timeout(700)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 128, 64, 32, 16):
        picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, optimize=True)
        if file.stat().st_size < MOST_BYTES:
            return
    raise SystemExit(f"tests.browser.shots: {file} stays above {MOST_BYTES} bytes")


if __name__ == "__main__":
    sys.exit(main())
