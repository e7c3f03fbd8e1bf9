"""The kit on the boot partition: checked before it is believed, and its secrets moved away from where every computer can read them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from deploy.onboard import cmdline, disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.site import Site

ABOUT, RELEASE, TRUSTED, CONFIG, SECRETS, PROGRAM = "kit.json", "release.tar", "trusted.pub", "platewatch.toml", "secrets.json", "onboard.pyz"
FORMAT = 1
NEEDED = (RELEASE, f"{RELEASE}.minisig", TRUSTED, CONFIG, PROGRAM)
SECRET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
MOST_SECRETS = 256 << 10
SEEDS = ("user-data", "network-config", "rpi-preseed.toml")
"""Files of the system's own first start, in which passwords stand; they are used once."""
SCRIPT = "firstrun.sh"
"""Bookworm's, which removes itself; a power cut may leave it."""
FILLING = "platewatch-filling.tmp"
PASSWORD = re.compile(rb"""^(\s*(?:- )?["']?(?:(?:hashed_|plain_text_)?passwd|password|psk|token)["']?\s*[:=])[ \t]*(?![|>&*{\[])[^\s#][^\r\n]*""", re.M)


def check(kit: Path, *, without_secrets: bool = False) -> None:
    """Every file is there as it was put there; raises OnboardError for the first that is not. `without_secrets`: they are in their place already."""
    try:
        told = json.loads((kit / ABOUT).read_bytes())
        files = {str(name): (str(about["sha256"]), int(about["size"])) for name, about in told["files"].items()}
    except FileNotFoundError:
        raise OnboardError(f"{ABOUT} is missing in the folder {kit.name} on the boot partition; put the kit there again") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise OnboardError(f"{ABOUT} on the boot partition is damaged; put the kit there again") from None
    if told.get("format") != FORMAT:
        raise OnboardError(f"the kit is of the format {str(told.get('format'))[:20]}, and this program knows the format {FORMAT} only; make the card anew")
    if missing := [name for name in NEEDED if name not in files]:
        raise OnboardError(f"the kit holds no {missing[0]}; put the kit on the card again")
    for name, (sha256, size) in sorted(files.items()):
        path = kit / name
        if name == SECRETS and without_secrets:
            continue
        if "/" in name or name.startswith(".") or not path.is_file():
            raise OnboardError(f"{name} is missing on the boot partition; put the kit on the card again")
        try:
            damaged = path.stat().st_size != size or _sha256(path) != sha256
        except OSError:  # its sectors are gone
            damaged = True
        if damaged:
            raise OnboardError(f"{name} on the boot partition is damaged; put the kit on the card again, and try another card if that does not help")


def place_secrets(site: Site, kit: Path) -> int:
    """Each in a file of its own that only the daemon's user can read; how many. Nothing is taken from the card yet."""
    path = kit / SECRETS
    if not path.is_file():
        return 0
    try:
        if path.stat().st_size > MOST_SECRETS:
            raise ValueError("too large")
        told = json.loads(path.read_bytes())
        secrets = {str(name): value for name, value in told.items()}
    except (ValueError, AttributeError, RecursionError):
        raise OnboardError(f"{SECRETS} on the boot partition is damaged; put the kit on the card again") from None
    for name, value in sorted(secrets.items()):
        if not SECRET.fullmatch(name) or not isinstance(value, str):
            raise OnboardError(f"{SECRETS} holds {name[:40]!r}, which is no name of a secret with its text; put the kit on the card again")
        site.write(site.layout.secrets / name, value, 0o600, theirs=True)
        site.step("secret")
    return len(secrets)


def wipe(path: Path) -> None:
    """Overwritten, then removed: on FAT a removed file's blocks stay readable. A card may keep an old copy that no program can reach."""
    if not path.is_file():
        return
    _overwrite(path, b"\0" * path.stat().st_size)
    disk.take_away(path)


def blank_seeds(bootfs: Path) -> list[str]:
    """Passwords in the system's own first-start files, which have done their work; the files stay: later starts ask for them. Names of those changed."""
    changed = []
    for name in SEEDS:
        path = bootfs / name
        raw = disk.contents(path)
        blank = PASSWORD.sub(rb'\1 "removed after the first start"', raw)
        if blank != raw:
            _overwrite(path, PASSWORD.sub(_crossed_out, raw))  # where they stand: blocks that nothing leads to any more are out of reach after a cut
            disk.write_whole(path, blank, path.stat().st_mode & 0o7777)
            changed.append(name)
    if (bootfs / SCRIPT).is_file() and b"systemd.run=" not in disk.contents(bootfs / "cmdline.txt"):
        wipe(bootfs / SCRIPT)
        changed.append(SCRIPT)
    return changed


def overwrite_free(site: Site, bootfs: Path) -> None:
    """Zeros into all free room, where the system's own first start removed (Bookworm) or rewrote (preseed) its files and let their bytes lie. FAT alone."""
    filling = bootfs / FILLING
    disk.take_away(filling)
    mounts = [line.split()[:3] for line in disk.contents(site.layout.at("proc/self/mounts")).decode(errors="replace").splitlines()]
    if (bootfs / "user-data").is_file() or not any(where == site.layout.inside(bootfs) and kind in ("vfat", "msdos") for _, where, kind in mounts):
        return
    site.say("Overwriting the free room of the boot partition, where passwords of before may still be read.")
    try:
        with filling.open("wb", buffering=0) as stream:
            while stream.write(bytes(8 * disk.CHUNK)):
                os.fdatasync(stream.fileno())  # in step with the card: the system goes on working beside this
    except OSError as error:
        if error.errno not in disk.FULL:
            site.say(f"It could not be overwritten: {disk.plainly(error)}")
    disk.take_away(filling)
    site.step("free-overwritten")


def _crossed_out(found: re.Match[bytes]) -> bytes:
    """As long as what it replaces, and YAML as before."""
    length = len(found[0]) - len(found[1])
    return found[1] + (b' "' + b"x" * (length - 3) + b'"' if length >= 3 else b" " * length)


def _overwrite(path: Path, content: bytes) -> None:
    """In the very blocks of the file, which is as long as `content`."""
    with path.open("r+b") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def clear(site: Site, kit: Path) -> None:
    """What is large and no longer needed, since the system's own updates need the room; and the configuration, in which a camera's password may stand."""
    wipe(kit / CONFIG)
    site.step(f"cleared {CONFIG}")
    wipe(kit / ABOUT)  # the hash of a file of short passwords tells them to who tries all
    disk.take_away(kit / cmdline.ADDED)
    site.step(f"cleared {ABOUT}")
    for name in (RELEASE, f"{RELEASE}.minisig"):
        disk.take_away(kit / name)
        site.step(f"cleared {name}")


def remove(site: Site) -> None:
    """The whole folder, as it is on a device that goes back to what it was; with a release in it the next start would set it up again."""
    folder = site.layout.at("boot/firmware/platewatch")
    try:
        for name in (SECRETS, CONFIG, ABOUT):
            wipe(folder / name)
        disk.take_away(folder)
    except OSError as error:
        site.say(f"{folder} stays: {disk.plainly(error)}")
    site.step("kit-removed")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
