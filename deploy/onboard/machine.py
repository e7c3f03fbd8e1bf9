"""The system around our files: its programs, services, users and clock, behind one object. Tests have another one that keeps the same rules."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import USER

SYSTEMD = Path("/run/systemd/system")
QUIET = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "LC_ALL": "C.UTF-8"}
"""Pi OS names an index on the network in /etc/pip.conf."""


class Machine:
    """The real one."""

    python = "/usr/bin/python3"

    @property
    def architecture(self) -> str:
        return platform.machine()

    @property
    def python_version(self) -> str:
        """Of the system's Python, which runs this too: `3.13`."""
        return f"{sys.version_info.major}.{sys.version_info.minor}"

    @property
    def boot_id(self) -> str:
        """Another one after each start."""
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return ""

    def run(self, words: Sequence[str | Path], *, user: str = "", feed: bytes = b"", timeout_s: float = 1800.0) -> str:
        """What the program printed; raises OnboardError with its last words where it failed. `user` runs it with that user's rights alone."""
        named = [str(word) for word in words]
        command = ["runuser", "-u", user, "--", *named] if user else named
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))} | QUIET
        try:
            done = subprocess.run(command, input=feed, capture_output=True, timeout=timeout_s, check=False, env=environment, cwd="/")
        except FileNotFoundError:
            raise OnboardError(f"{command[0]}: is not installed") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OnboardError(f"{named[0]}: did not end well ({error})") from None
        said = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            raise OnboardError(f"{Path(named[0]).name} {' '.join(named[1:3])}: {last_words(done.stderr.decode(errors='replace') or said)}")
        return said

    def has_program(self, name: str) -> bool:
        return shutil.which(name) is not None

    def systemctl(self, *words: str) -> None:
        """Nothing where systemd does not run, as in a chroot in which an image is made."""
        if SYSTEMD.is_dir():
            self.run(["systemctl", *words], timeout_s=180)

    def stop(self, *units: str) -> None:
        """And wait; a unit that is not there is stopped."""
        with contextlib.suppress(OnboardError):
            self.systemctl("stop", *units)

    def start(self, *units: str) -> None:
        """Without waiting: early in a start the units wait for who calls this."""
        with contextlib.suppress(OnboardError):  # one that is new has not failed yet
            self.systemctl("reset-failed", *units)
        self.systemctl("start", "--no-block", *units)

    def reload(self) -> None:
        """Read the unit files and the settings beside them again."""
        self.systemctl("daemon-reload")

    def hand_over(self, unit: str) -> bool:
        """Let `unit` go on instead of this process; False where there is no systemd to do so."""
        if not SYSTEMD.is_dir():
            return False
        self.systemctl("start", "--no-block", unit)
        return True

    def ready(self) -> None:
        """Tell systemd, where it waits (Type=notify), that who waits for this unit may start."""
        where = os.environ.pop("NOTIFY_SOCKET", "")
        if where:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"READY=1", "\0" + where[1:] if where.startswith("@") else where)

    def give(self, path: Path) -> None:
        """To the user that Platewatch runs as; a link is never followed."""
        try:
            about = pwd.getpwnam(USER)
        except KeyError:
            return
        os.chown(path, about.pw_uid, about.pw_gid, follow_symlinks=False)

    def share(self, path: Path) -> None:
        """Root's, and its group may use it as the mode says."""
        try:
            about = pwd.getpwnam(USER)
        except KeyError:
            return
        os.chown(path, 0, about.pw_gid, follow_symlinks=False)

    def keep(self, path: Path) -> None:
        """Root's: whoever runs this is root, so there is nothing to do."""

    def now(self) -> float:
        """Monotonic, in seconds; since the start of the machine."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def utc(self) -> str:
        """For people: a Pi without network has no true time."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def alive(self, pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        except (ProcessLookupError, OverflowError):
            return False
        return True

    def program(self, pid: int) -> str:
        """The first 15 letters of the name of what runs under that number, '' for nothing."""
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return ""

    def page(self, address: str, timeout_s: float = 5.0) -> dict[str, object] | None:
        """The JSON at an address of this machine itself, None where it does not answer so. Its own certificate is not asked for its name."""
        loose = ssl.create_default_context()
        loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=loose))
        try:
            with opener.open(address, timeout=timeout_s) as answer:
                found = json.loads(answer.read(65536))
        except (OSError, ValueError, OverflowError, RecursionError, http.client.HTTPException):  # also what is no HTTP, or no address at all
            return None
        return found if isinstance(found, dict) else None


def last_words(text: str) -> str:
    """The last line that says something, without the progress before it."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it failed without a word"
