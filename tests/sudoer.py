"""Somebody's Linux computer with a card reader: a Debian in a container, a user who may use sudo with a password, loop devices in the place of cards."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import nspawn
from tests.cards import TRIXIE, image
from tests.nspawn import CLEAN, GENTLE, ROOT, Container
from tests.terminal import Terminal

HOME = "/home/anna"
CHECKOUT = f"{HOME}/platewatch"
IMAGE = "2025-11-24-raspios-trixie-arm64-lite.img.xz"
PASSWORD = "anna's own word"
LOGIN, WIFI, PAGE = "correct horse", "the wifi's word", "garden gate"
PROFILE = f"""export PIP_NO_INDEX=1 PIP_FIND_LINKS='/wheels /device'
PS1='rc=$? $ '
bind 'set enable-bracketed-paste off'
cd {CHECKOUT}
"""
READER = """#!/usr/bin/python3
# As the real one tells it, but loop devices in a USB reader.
import json, subprocess, sys
told = subprocess.run(["/usr/bin/lsblk", *sys.argv[1:]], capture_output=True, text=True, check=True).stdout
found = json.loads(told)
for entry in found["blockdevices"]:
    if entry["path"] in open("/run/reader").read().split():
        entry |= {"type": "disk", "rm": True, "hotplug": True, "tran": "usb", "vendor": "Generic", "model": "Reader"}
print(json.dumps(found))
"""
ANSWERS = (
    ("as you downloaded it", ""),
    ("Name of the device", ""),
    ("Time zone", "Europe/London"),
    ("Login name for the device", ""),
    ("public SSH key", ""),
    ("Password for logging in", LOGIN),
    ("The same again", LOGIN),
    ("Name of your Wi-Fi", "Home"),
    ("Password of the Wi-Fi", WIFI),
    ("The same again", WIFI),
    ("Country where it stands", "gb"),
    ("Camera", ""),
    ("Plates", ""),
    ("Password of the page", PAGE),
    ("The same again", PAGE),
)
SUDO = ("[sudo] password for anna", PASSWORD)


def device_wheels() -> Path:
    """What the Raspberry Pi installs, 83 MB; fetched where one is missing."""
    folder = nspawn.CACHE / "device"
    subprocess.run([*GENTLE, sys.executable, "-m", "deploy", "wheelhouse", "--python", nspawn.PYTHON, "--out", str(folder)], cwd=ROOT, check=True)
    return folder


class Window(Terminal):
    """A shell in it, which tells in its prompt how the last command ended."""

    def type(self, line: str, *answers: tuple[str, str]) -> None:
        """A line, and what is answered then; Enter after each."""
        self._begin = len(self.seen)
        os.write(self._master, line.encode() + b"\n")
        for question, words in answers:
            self.answer(question, words, 120.0, secret="assword" in question or "same again" in question)

    def ended(self, seconds: float = 240.0) -> tuple[int, str]:
        """The exit code of what was typed, and all that it said."""
        self.wait("rc=", seconds)
        begin = self._read
        self.wait(" $ ", seconds)
        return int(self.seen[begin : self._read - 3]), self.seen[self._begin : begin].replace("\r", "")

    def do(self, line: str, *answers: tuple[str, str]) -> tuple[int, str]:
        self.type(line, *answers)
        return self.ended()

    def echoes(self) -> bool:
        """Whether the last command has left the terminal showing what is typed."""
        return self.do("stty -a | grep -q ' echo '")[0] == 0


class Computer:
    """`root` is the container's tree, seen from outside; `folder` is for cards."""

    def __init__(self, container: Container, folder: Path) -> None:
        self.container, self.root, self.folder = container, container.root, folder

    @contextmanager
    def card(self, mib: int = 1024, path: Path | None = None) -> Iterator[tuple[str, Path]]:
        """A card in the reader: its name, and the file that it is. A file that is there is another card, or the same one again."""
        path = path or self.folder / "card.img"
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(mib << 20)
        name = subprocess.run(["losetup", "--find", "--show", str(path)], capture_output=True, text=True, check=True).stdout.strip()
        about = os.stat(name).st_rdev
        try:
            self.container.sh(f"mknod -m 660 {name} b {os.major(about)} {os.minor(about)} && chgrp disk {name} && echo {name} >/run/reader")
            yield name, path
        finally:
            self.container.sh(f"rm -f {name} /run/reader")
            subprocess.run(["losetup", "-d", name], check=False, capture_output=True)

    @contextmanager
    def window(self) -> Iterator[Window]:
        """A terminal in which anna has logged in; shutting it ends what runs there."""
        inside = ["nsenter", "-t", str(self.container.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--wd=/", "--"]
        words = [*GENTLE, *inside, "setsid", "--ctty", "--wait", "runuser", "-l", "anna"]
        with Window(words, Path("/"), dict(line.split("=", 1) for line in CLEAN[2:]) | {"TERM": "dumb"}) as window:
            window.wait(" $ ")
            yield window

    def mark(self) -> None:
        """From now on files are new."""
        self.container.sh("sleep 0.1; touch /root/mark; sleep 0.1")

    def others(self) -> list[str]:
        """New files where anna's are, which are not anna's, and any that lie where temporary files do."""
        shown = self.container.sh(f"find {HOME} -newer /root/mark ! -user anna; find /tmp /var/tmp /dev/shm -mindepth 1 -newer /root/mark")
        return [line for line in shown.splitlines() if "systemd-private" not in line]

    def secrets_told(self) -> list[str]:
        """Files, wherever, that hold one of the passwords; and those that others may read and hold a hash of one."""
        words = "|".join(word.replace("'", ".") for word in (LOGIN, WIFI, PAGE, PASSWORD))
        plain = self.container.sh(f"grep -rlE '{words}' {HOME} /tmp /var /root /etc /dev/shm --exclude-dir=.venv 2>/dev/null; true").splitlines()
        hashes = self.container.sh(r"find /home /tmp /var /dev/shm -newer /root/mark -type f -perm /077 -exec grep -lE '\$6\$|scrypt\$' {} + 2>/dev/null; true")
        return [*plain, *(name for name in hashes.splitlines() if not name.endswith((".py", ".pyc", ".tar", ".whl", ".md")))]


@contextmanager
def computer(folder: Path) -> Iterator[Computer]:
    """With a checkout as an unpacked download, the image in the folder Downloads, and mtools."""
    binds = (f"--bind-ro={nspawn.cached_wheels()}:/wheels", f"--bind-ro={device_wheels()}:/device")
    with Container(folder / "computer", binds) as c:
        c("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo", "anna")
        c("chpasswd", feed=f"anna:{PASSWORD}\n")
        c.sh("echo 127.0.0.1 localhost $(hostname) >/etc/hosts")
        programs, home = c.root / "usr/local/bin", c.root / HOME.strip("/")
        shutil.copy(shutil.which("mtools") or "", programs / "mtools")
        for name in ("mcopy", "mdir", "mtype", "mdel", "mmd"):
            (programs / name).symlink_to("mtools")
        (home / ".bash_profile").write_text(PROFILE)
        _checkout(c.root / CHECKOUT.strip("/"))
        _download(home / "Downloads" / IMAGE)
        c("chown", "-R", "anna:anna", HOME)
        yield Computer(c, folder)


def _checkout(goal: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in sorted(set(filter(None, tracked.decode().split("\0")))):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "runs/")):
            (goal / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, goal / name)


def _download(goal: Path) -> None:
    """Large enough that somebody has the time to stop its writing."""
    goal.parent.mkdir()
    plain = image(goal.with_suffix(""), TRIXIE, boot_mib=160, root_mib=200)
    goal.write_bytes(lzma.compress(plain.read_bytes(), preset=0))
    plain.unlink()
    goal.with_name(f"{IMAGE}.sha256").write_text(f"{hashlib.sha256(goal.read_bytes()).hexdigest()}  {IMAGE}\n")
