"""Stages of a first start: the card as an owner makes it, from power on to the page, and what the boot partition says afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deploy.emulate import device
from deploy.emulate.bench import BOOT_LIMIT_S, FIRST_LIMIT_S, Bench, Figures, release_of, require, well
from deploy.emulate.errors import EmulateError
from deploy.emulate.guest import BY_SSH_S, Guest, card_file
from deploy.emulate.stand_in import FAT_SIZE, FAT_START
from deploy.emulate.suites import BOOKWORM, TRIXIE, Suite

REPOSITORY = Path(__file__).resolve().parents[2]
TOLD = ("1 of 6", "2 of 6", "3 of 6", "4 of 6", "5 of 6", "6 of 6", "DONE")
GOLDEN = "the models compute here what they did where they were measured"
CHUNK = 4 << 20


def flash(bench: Bench) -> Figures:
    return {"release": flashed(bench, TRIXIE, "first")}


def flashed(bench: Bench, suite: Suite, release: str) -> str:
    """The very command that an owner gives, onto a file that stands for a card; the release's id. Raises EmulateError."""
    told, goal, archive = device.write(bench.folder, suite.python), bench.flashed(suite), bench.releases[release]
    goal.unlink(missing_ok=True)
    words = [sys.executable, "-m", "deploy", "flash", told, "--image", bench.parts(suite).image, "--disk", goal, "--yes-really", goal]
    words += ["--release", archive, "--trusted", bench.folder / "releases/release.pub"]
    done = subprocess.run([str(word) for word in words], cwd=REPOSITORY, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    (bench.folder / f"{bench.stage}-flash.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise EmulateError(f"deploy flash: {lines[-1] if lines else done.returncode}")
    shrink(goal)
    return release_of(archive)


def shrink(card: Path) -> None:
    """What was written as zeros takes no room any more: a card is copied more than once."""
    fresh = card.with_suffix(".sparse")
    subprocess.run(["cp", "--sparse=always", str(card), str(fresh)], check=True)
    os.replace(fresh, card)


def first_boot(bench: Bench) -> Figures:
    """Offline, from power on to the real page; then the plug is pulled, and the boot partition read as an owner would at another computer."""
    living = bench.card.with_suffix(".new")
    figures = first_start(bench, TRIXIE, living)
    os.replace(living, bench.card)
    return figures


def bookworm(bench: Bench) -> Figures:
    """The same with the system of before: by firstrun.sh, with two restarts, and Python 3.11."""
    flashed(bench, BOOKWORM, "bookworm")
    living = bench.folder / "bookworm.img"
    figures = first_start(bench, BOOKWORM, living)
    guest = bench.power_on(living, suite=BOOKWORM)
    figures["later power on to page, s"] = round(guest.until("the page", guest.page.alive, BOOT_LIMIT_S))
    guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    figures["Python"] = guest.ssh("/opt/platewatch/current/.venv/bin/python -c 'import platform; print(platform.python_version())'").strip()
    bench.cut()
    living.unlink()
    return figures


def first_start(bench: Bench, suite: Suite, living: Path) -> Figures:
    """Of a copy of the flashed card, which stays at `living`."""
    flash_made = bench.flashed(suite)
    secrets = device.secrets(card_file(flash_made, suite.seed), card_file(flash_made, "platewatch/platewatch.toml"))
    require(len(secrets) == 5, "the flashed card lacks a secret that this stage looks for afterwards")
    bench.copy(flash_made, living)
    guest = bench.power_on(living, suite=suite)
    figures: Figures = {}
    guest.until("the page of the first start", lambda: guest.page.setting_up() or guest.page.alive(), FIRST_LIMIT_S)
    figures["first sign on the page, s"] = round(guest.age_s)
    figures["power on to page, s"] = round(guest.until("the page", guest.page.alive, FIRST_LIMIT_S))
    figures["power on to DONE, s"] = round(guest.until("the end of the first start", lambda: "DONE. The page" in guest.words(), FIRST_LIMIT_S))
    said = log_of(guest)
    (bench.folder / f"{bench.stage}-log.txt").write_text(said, encoding="utf-8")
    require(all(words in said for words in TOLD), f"the log on the boot partition lacks one of its lines: {said[-300:]}")
    require(GOLDEN in said and "NOT INSTALLED" not in said, "the golden self-test is not in the log")
    require("It runs, but" not in said, f"the first start is not content: {said[-300:]}")
    require(guest.ssh("hostname").strip() == device.NAME, "the device does not have the name of the device file")
    require(guest.ssh("systemctl is-active avahi-daemon", check=False).strip() == "active", "avahi, which tells the name in the home network, does not run")
    ours = "systemctl list-unit-files --no-legend 'platewatch*'"
    guest.until("the first start's own unit to go", lambda: "platewatch-firstboot" not in guest.ssh(ours), 120.0, BY_SSH_S)
    failed = guest.ssh("systemctl --failed --no-legend --plain | cut -d' ' -f1 | xargs").strip()
    require("platewatch" not in failed, f"failed units: {failed}")
    figures["failed units"] = failed or "none"
    bench.cut()
    check_boot_partition(living, secrets)
    return figures | {"secrets on the boot partition": "none of 5"}


def log_of(guest: Guest) -> str:
    """The owner's log, read on the device; '' while nobody can log in there."""
    try:
        return guest.ssh("cat /boot/firmware/platewatch-log.txt", check=False, timeout_s=60)
    except EmulateError:
        return ""


def check_boot_partition(card: Path, secrets: dict[str, bytes], length: int = FAT_SIZE) -> None:
    """Its log can be read, and none of its bytes, deleted files' included, is a secret. Raises EmulateError that names all that was found."""
    log = card_file(card, "platewatch-log.txt")
    require(b"DONE." in log and b"\r\n" in log, "after the power cut the log on the boot partition does not tell that it is done")
    found: set[str] = set()
    with card.open("rb") as file:
        file.seek(FAT_START)
        left, before = length, b""
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            found |= {what for what, raw in secrets.items() if raw in before[-200:] + chunk}
            before = chunk
    require(not found, f"still on the boot partition after the first start: {', '.join(sorted(found))}")
