"""`python -m tests.browser.first_card --out docs/images`: the pictures of docs/first-card.md, each of what the real programs say.

The terminal is `./setup.sh card` in a copy of this folder, on a file that stands for a card (the first time with a network: it builds a release); the pages are
those of a first start on a made-up root, and of the real page. The drawing of what to plug in is drawn here.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import lzma
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.conftest import SWITCHES
from tests.browser.drawing import DRAWING
from tests.browser.looking import SIZES
from tests.browser.shots import log_in
from tests.browser.yard import ROOT, Yard
from tests.terminal import Terminal

MOST_BYTES = 60_000
COLUMNS = 100
LEFT_OUT = (".venv", ".git", "dist", "runs", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
ANSWERS = (
    ("as you downloaded it", ""),
    ("Name of the device", ""),
    ("Time zone", "Europe/London"),
    ("Login name", ""),
    ("public SSH key", ""),
    ("Password for logging in", "correct horse"),
    ("The same again", "correct horse"),
    ("Name of your Wi-Fi", "Home"),
    ("Password of the Wi-Fi", "battery staple"),
    ("The same again", "battery staple"),
    ("Country where it stands", "GB"),
    ("Camera", ""),
    ("Plates expected", "gb"),
    ("Password of the page", "garden gate"),
    ("The same again", "garden gate"),
)
SCREEN = """<!doctype html><meta charset="utf-8"><style>body{{margin:0;background:#e9ebee}}
pre{{margin:10px;padding:12px 14px;border-radius:8px;background:#fff;border:1px solid #c9ced6;white-space:pre-wrap;overflow-wrap:anywhere;
font:13.2px/1.42 "DejaVu Sans Mono",monospace;color:#1b1f24}}</style><pre>{text}</pre>"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.first_card", description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--desk", type=Path, metavar="FOLDER", help="where the copy is made and kept, so that the next time is fast (default: one that goes)")
    parser.add_argument("--log", type=Path, metavar="FILE", help="platewatch-log.txt of a device, as ./setup.sh emulate leaves it (default: of a made-up one)")
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="of drawing, terminal, page, start")
    args = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("tests.browser.first_card: Debian's chromium is not installed; sudo apt install chromium")
    from playwright.sync_api import sync_playwright

    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="platewatch-first-") as name, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(SWITCHES))
        makers: dict[str, Callable[[], None]] = {
            "drawing": lambda: plugs(args.out / "first-plugs.svg"),
            "terminal": lambda: terminal(browser, args.desk or Path(name), args.out),
            "page": lambda: first_start(browser, Path(name) / "device", args.log, args.out / "first-page.png"),
            "start": lambda: wizard(browser, Path(name), args.out / "first-start.png"),
        }
        for what, make in makers.items():
            if not args.only or what in args.only.split(","):
                make()
        browser.close()
    for file in sorted(args.out.glob("first-*")):
        print(f"{file} {file.stat().st_size}")
    return 0


def plugs(file: Path) -> None:
    file.write_text(DRAWING, encoding="utf-8")


def terminal(browser: Any, desk: Path, out: Path) -> None:
    """The questions in one picture, the writing in another."""
    words = "./setup.sh card --disk card.img --yes-really card.img"
    seen = session(desk, words)
    questions, _, writing = screen(seen).partition("Your answers are kept")
    assert writing, seen
    for name, text in (("questions", f"$ {words}\n{questions}"), ("writing", f"Your answers are kept{writing}")):
        with opened(browser, {"viewport": {"width": 860, "height": 100}, "device_scale_factor": 1.5}) as page:
            page.set_content(SCREEN.format(text=coloured(text.rstrip())))
            save(page.screenshot(full_page=True), out / f"first-{name}.png")


def session(desk: Path, words: str) -> str:
    """All that a newcomer sees, in a copy of these sources that has been set up once; every answer is typed."""
    sources, home = desk / "platewatch", desk / "home"
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    (home / "Downloads").mkdir(parents=True)
    for name in ("card.img", "gate.toml"):
        (sources / name).unlink(missing_ok=True)
    an_image(home / "Downloads")
    env = os.environ | {"HOME": str(home), "USER": "anna", "LOGNAME": "anna", "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    env.pop("COLUMNS", None)
    with Terminal(["./setup.sh", "card", "--help"], sources, env) as setting_up:
        assert setting_up.end(600) == 0, setting_up.seen
    with Terminal(words.split(), sources, env, COLUMNS) as typed:
        for question, answer in ANSWERS:
            typed.answer(question, answer, 60, secret="assword" in question or "again" in question)
        assert typed.end(900) == 0, typed.seen
    return typed.seen.replace(str(desk), "/home/anna").replace("/home/anna/home", "/home/anna")


def an_image(folder: Path) -> None:
    """As it is downloaded, but that it starts nothing."""
    from tests.cards import TRIXIE, image

    plain = image(folder / "plain", TRIXIE, boot_mib=160)
    packed = folder / "2025-11-24-raspios-trixie-arm64-lite.img.xz"
    packed.write_bytes(lzma.compress(plain.read_bytes(), preset=0))
    packed.with_name(f"{packed.name}.sha256").write_text(f"{hashlib.sha256(packed.read_bytes()).hexdigest()}  {packed.name}\n")
    plain.unlink()


def screen(seen: str) -> str:
    """What stands on the screen at the end, colours kept: bars and spinners have drawn over themselves."""
    lines, row, fresh = [""], 0, False
    for token in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", seen.replace("\r\n", "\n")):
        if token == "\n":
            row, fresh = row + 1, False
            lines += [""] * (row == len(lines))
        elif token == "\r":
            fresh = True
        elif token == "\x1b[2K":
            lines[row], fresh = "", False
        elif up := re.fullmatch(r"\x1b\[(\d*)A", token):
            row = max(0, row - int(up[1] or 1))
        elif token and (token.endswith("m") or not token.startswith("\x1b")):
            lines[row], fresh = ("" if fresh else lines[row]) + token, False
    return "\n".join(lines)


def coloured(text: str) -> str:
    """As HTML."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, file=io.StringIO(), width=1000, force_terminal=True, legacy_windows=False)
    console.print(Text.from_ansi(text), soft_wrap=True)
    return console.export_html(inline_styles=True, code_format="{code}")


def first_start(browser: Any, root: Path, log: Path | None, file: Path) -> None:
    """The page that stands there while the device installs itself: with the log of a first start, or of one on a made-up root, whose clock stands."""
    from deploy.onboard import page as pages
    from tests.onboard import Device

    device = Device.bare(root)
    until = root / "so-far.txt"
    text = log.read_text(encoding="utf-8") if log else made_up(device)
    until.write_text(text.partition("5 of 6")[0].rpartition("\n")[0] + "\n", encoding="utf-8")
    with opened(browser, SIZES["phone"] | {"device_scale_factor": 2}) as page:
        page.set_content(pages.compose(device.layout, until))
        save(page.screenshot(full_page=True), file)


def made_up(device: Any) -> str:
    """The log of the real program there."""
    from deploy.onboard import signature
    from deploy.onboard.log import NAME, writer
    from deploy.onboard.site import Site
    from tests.onboard import Fake, make_kit, verify

    signature.verify = verify  # type: ignore[assignment]  # the kit's signature is a stand-in
    boot = device.root / "boot/firmware"
    make_kit(boot, a_release(device.root.parent / "packs"))
    machine = Fake(device.root)
    device.first_start(Site(device.layout, machine, lambda name: None, writer(boot / NAME, machine.now, device.said.append)))
    return (boot / NAME).read_text(encoding="utf-8")


def a_release(folder: Path) -> Path:
    """Named as one of these sources would be, with nothing in it."""
    from deploy.here.source import of_checkout
    from deploy.release.archive import build
    from tests.onboard import UNITS, sign

    with of_checkout() as source:
        told = {"version": source.version, "serial": source.serial, "commit": source.commit}
    files = {f"wheels/platewatch-{told['version']}-py3-none-any.whl": "good", "wheels/pip-1-py3-none-any.whl": "pip", "onboard.pyz": "judge"} | UNITS
    made = build(folder, {name: text.encode() for name, text in files.items()}, pythons=("3.13",), **told)  # type: ignore[arg-type]
    sign(made, "KEY")
    return made


def wizard(browser: Any, folder: Path, file: Path) -> None:
    """The first step of the first start, of the real page."""
    with Yard(folder) as yard:
        page = log_in(browser, yard, "en")
        with opened(
            browser, SIZES["phone"] | {"device_scale_factor": 2, "base_url": yard.address, "locale": "en", "storage_state": page.context.storage_state()}
        ) as phone:
            phone.goto("/start/language")
            phone.wait_for_timeout(700)
            save(phone.screenshot(), file)


@contextmanager
def opened(browser: Any, options: dict[str, Any]) -> Iterator[Any]:
    context = browser.new_context(color_scheme="light", **options)
    try:
        yield context.new_page()
    finally:
        context.close()


def save(raw: bytes, file: Path) -> None:
    """With a palette as small as it must be."""
    from PIL import Image

    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    for colours in (64, 32, 16, 8):
        picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, optimize=True)
        if file.stat().st_size < MOST_BYTES:
            return
    picture.resize((picture.width * 2 // 3, picture.height * 2 // 3), Image.Resampling.LANCZOS).quantize(16).save(file, optimize=True)
    if file.stat().st_size >= MOST_BYTES:
        raise SystemExit(f"tests.browser.first_card: {file} stays above {MOST_BYTES} bytes")


if __name__ == "__main__":
    sys.exit(main())
