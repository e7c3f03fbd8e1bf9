"""The stages, in their order: each takes the bench and returns what it measured, or raises with the reason why not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.emulate import device, releases, root, stand_in
from deploy.emulate.bench import FIRST_LIMIT_S, Bench, Figures, release_of, require
from deploy.emulate.cuts import cut_first_boot, cut_update
from deploy.emulate.errors import EmulateError
from deploy.emulate.guest import BY_SSH_S, Guest, card_file
from deploy.emulate.living import bad_update, plates, raspi3b, second_boot, update, vivid
from deploy.emulate.stand_in import FAT_SIZE, FAT_START

REPOSITORY = Path(__file__).resolve().parents[2]
TOLD = ("1 of 6", "2 of 6", "3 of 6", "4 of 6", "5 of 6", "6 of 6", "DONE")
GOLDEN = "the models compute here what they did where they were measured"
CHUNK = 4 << 20


@dataclass(frozen=True, slots=True)
class Stage:
    """`after`: what must have been run before it, in this run or in one whose files were kept; `done` says whether that is so."""

    name: str
    words: str
    run: Callable[[Bench], Figures]
    after: str = ""
    done: Callable[[Bench], bool] = lambda bench: False


def make_root(bench: Bench) -> Figures:
    made = root.make(bench.cache, bench.folder / "root.log")
    return {"MB": round(made.stat().st_size / 1e6)}


def make_image(bench: Bench) -> Figures:
    made = stand_in.make(bench.cache, root.make(bench.cache, bench.folder / "root.log"), bench.folder / "image.log")
    return {"MB on the disk": round(made.image.stat().st_blocks * 512 / 1e6)}


def make_releases(bench: Bench) -> Figures:
    made = releases.make(bench.folder / "releases", bench.cache / "wheels", bench.say)
    return {"releases": ", ".join(release_of(path) for path in made.values())}


def flash(bench: Bench) -> Figures:
    """The very command that an owner gives, onto a file that stands for a card."""
    told = device.write(bench.folder)
    bench.flashed.unlink(missing_ok=True)
    words = [sys.executable, "-m", "deploy", "flash", told, "--image", bench.parts.image, "--disk", bench.flashed, "--yes-really", bench.flashed]
    words += ["--release", bench.releases["first"], "--trusted", bench.folder / "releases/release.pub"]
    done = subprocess.run([str(word) for word in words], cwd=REPOSITORY, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    (bench.folder / "flash.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise EmulateError(f"deploy flash: {lines[-1] if lines else done.returncode}")
    shrink(bench.flashed)
    return {"release": release_of(bench.releases["first"])}


def shrink(card: Path) -> None:
    """What was written as zeros takes no room any more: a card is copied more than once."""
    fresh = card.with_suffix(".sparse")
    subprocess.run(["cp", "--sparse=always", str(card), str(fresh)], check=True)
    os.replace(fresh, card)


def first_boot(bench: Bench) -> Figures:
    """Offline, from power on to the real page; then the plug is pulled, and the boot partition read as an owner would at another computer."""
    secrets = device.secrets(card_file(bench.flashed, "user-data"), card_file(bench.flashed, "platewatch/platewatch.toml"))
    require(len(secrets) == 5, "the flashed card lacks a secret that this stage looks for afterwards")
    living = bench.card.with_suffix(".new")
    bench.copy(bench.flashed, living)
    guest = bench.power_on(living)
    figures: Figures = {}
    guest.until("the page of the first start", lambda: guest.page.setting_up() or guest.page.alive(), FIRST_LIMIT_S)
    figures["first sign on the page, s"] = round(guest.age_s)
    figures["power on to page, s"] = round(guest.until("the page", guest.page.alive, FIRST_LIMIT_S))
    figures["power on to DONE, s"] = round(guest.until("the end of the first start", lambda: "DONE. The page" in guest.words(), FIRST_LIMIT_S))
    said = log_of(guest)
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
    os.replace(living, bench.card)
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


STAGES = (
    Stage("root", "an arm64 Debian root (cached)", make_root),
    Stage("image", "an image like Raspberry Pi OS Lite's (cached)", make_image, "", lambda bench: bench.parts.whole),
    Stage("releases", "four signed releases of this tree", make_releases, "", lambda bench: len(bench.releases) == len(releases.NAMES)),
    Stage("flash", "`python -m deploy flash` writes the card, with device file and kit", flash, "image releases", lambda bench: bench.flashed.is_file()),
    Stage("first-boot", "first start, offline, from power on to the page", first_boot, "flash", lambda bench: bench.card.is_file()),
    Stage("second-boot", "after that power cut, from power on to the page", second_boot, "first-boot"),
    Stage("plates", "the daemon reads the bundled clip's plates, seen through the API", plates, "first-boot"),
    Stage("update", "takes a newer release", update, "first-boot"),
    Stage("bad-update", "takes a release whose camera gives no pictures, and goes back by itself", bad_update, "first-boot"),
    Stage("cut-update", "power cut in the middle of an update", cut_update, "first-boot"),
    Stage("cut-first-boot", "power cuts in the middle of the first start", cut_first_boot, "flash"),
    Stage("vivid", "a live picture of a V4L2 device in the guest", vivid, "first-boot"),
    Stage("raspi3b", "the same card in QEMU's Raspberry Pi 3", raspi3b, "first-boot"),
)
"""In the order of a whole run."""
