"""A Debian on a card, with its own systemd: switched on, looked at from outside, its plug pulled."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.nspawn import CLEAN, GENTLE, Container
from tests.powercuts.card import Card, Plug
from tests.powercuts.errors import NotBack

OWN = "var/lib/platewatch-deploy"
PAGE = "http://127.0.0.1:8080/healthz"
ASK = """import json, sys, urllib.error, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=5) as answer: told = [answer.status, answer.read(2000).decode(errors='replace')]
except urllib.error.HTTPError as error: told = [error.code, '']
except OSError: told = [0, '']
try: status = json.load(open('/run/platewatch/status.json'))
except (OSError, ValueError): status = {}
print(json.dumps({'page': told[0], 'state': status.get('state', ''), 'pid': status.get('pid', 0), 'frames': (status.get('camera') or {}).get('frames', 0)}))
"""
BOOT_S = 120.0
"""Until something answers, however busy this machine is."""


class Device(Container):
    """Its network is its own, so that its ports meet nobody else's; `/releases` is the folder of archives, as a stick would be."""

    def __init__(self, card: Card, releases: Path) -> None:
        self.card, self.folder, self.root = card, card.folder, card.root
        self.binds = ("--private-network", f"--bind-ro={releases}:/releases")
        self._process: subprocess.Popen[bytes] | None = None
        self._plug: Plug | None = None
        self.leader, self.since = 0, 0.0

    def on(self) -> None:
        """Power on; returns at once."""
        self.card.mount()
        self._plug = self.card.plug()
        self.since = time.monotonic()
        self.begin()

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.since

    def cut(self) -> None:
        """The plug is pulled. What was not yet on the disk is lost; then the file systems are checked. Raises NotBack where they are broken."""
        if self._plug is not None:
            self._plug.pull()
            self._plug = None
        self.off()
        self.card.replay()

    def off(self) -> None:
        """The processes end, and the card is let go."""
        if self._process is not None and not self.leader:
            with contextlib.suppress(AssertionError):
                self._find_leader()
        self.cut_power()
        if self._plug is not None:
            self._plug.drop()
            self._plug = None
        self.card.unmount()

    def shut_down(self, limit_s: float = 60.0) -> None:
        """As the owner's `poweroff` does it."""
        self("systemctl", "poweroff", check=False)
        end = time.monotonic() + limit_s
        while self._process is not None and self._process.poll() is None:
            if time.monotonic() > end:
                raise NotBack(f"it does not shut down within {limit_s:.0f} s")
            time.sleep(0.2)
        self._process, self.leader = None, 0

    def awake(self) -> bool:
        """Whether programs can be run in it by now."""
        return bool(self.leader) or self._find_leader()

    def ask(self) -> dict[str, Any]:
        """{page, state, pid, frames} as it stands, {} before it is awake."""
        if not self.awake():
            return {}
        try:
            return dict(json.loads(self("python3", "-c", ASK, PAGE, check=False)))
        except ValueError:
            return {}

    def well(self) -> bool:
        """A release's page answers and its daemon has pictures."""
        told = self.ask()
        return told.get("page") == 200 and told.get("state") == "watching" and told.get("frames", 0) > 0

    def answers(self) -> bool:
        """A release's page, or that on which the first start tells how far it is."""
        return self.ask().get("page") in (200, 503)

    def state(self) -> dict[str, Any]:
        """The updater's own, as it is on the disk or about to be; {} where there is none."""
        try:
            return dict(json.loads((self.root / OWN / "state.json").read_bytes()))
        except (OSError, ValueError):
            return {}

    def settled(self) -> bool:
        """Nothing is begun and not ended."""
        state = self.state()
        return state.get("trial") is None and not state.get("pending") and not state.get("restoring")

    def told(self) -> dict[str, Any]:
        return dict(json.loads(self("platewatch-deploy", "status", "--json")))

    def order(self, *words: str) -> subprocess.Popen[bytes]:
        """A command of the owner's, while its outcome is awaited elsewhere; its words go to `said` in the card's folder."""
        inside = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--wd=/", "--", *CLEAN]
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen([*GENTLE, *inside, *words], stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)

    def until(self, what: str, seen: Callable[[], object], limit_s: float, every_s: float = 1.0) -> float:
        """Seconds since power-on when it came about; raises NotBack where it does not, or where the device's first process ended."""
        end = time.monotonic() + limit_s
        while not seen():
            if self._process is not None and self._process.poll() is not None:
                raise NotBack(f"the system ended by itself while waiting for {what}")
            if time.monotonic() > end:
                raise NotBack(f"{what}: not within {limit_s:.0f} s; {self._why()}")
            time.sleep(every_s)
        return self.age_s

    def _why(self) -> str:
        state = {name: value for name, value in self.state().items() if value and name in ("current", "trial", "pending", "firstboot", "trouble", "failed")}
        return f"the updater's state {json.dumps(state)}, daemon and page {self.ask()}, the log's end {last_line(self.card.boot)!r}"


def last_line(boot: Path) -> str:
    """Of the owner's log, without its time; '' where there is none."""
    try:
        lines = (boot / "platewatch-log.txt").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1].partition(" s  ")[2] if lines else ""
