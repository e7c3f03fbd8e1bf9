"""A Debian in a container on which Platewatch was installed by `./setup.sh pi`, and what its owner asks of it from outside."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import nspawn
from tests.nspawn import ROOT, Container

HOME = "/home/pi/platewatch"
CLIP = f"/opt/platewatch/current/.venv/lib/python{nspawn.PYTHON}/site-packages/edge/clips/demo.mp4"
CONFIG = """[camera]
kind = "files"
source = "{clip}"
loop = true
[tracking]
repeat_after_s = 4.0
[models]
depot = "/var/lib/platewatch/bundles"
measured = "/var/lib/platewatch/bench.json"
[store]
path = "/var/lib/platewatch/events.sqlite"
keep_at_least_mb_free = 0
[gate]
audit = "/var/lib/platewatch/gate.sqlite"
[runtime]
directory = "/run/platewatch"
[web]
host = "0.0.0.0"
port = {port}
access = "/etc/platewatch/access.json"
setup_code_file = "/etc/platewatch/setup-code"
"""


class Device:
    """The container, and what stands outside of it: a browser and a shell's history."""

    def __init__(self, container: Container, port: int, said: str) -> None:
        self.container, self.address, self.said = container, f"http://127.0.0.1:{port}", said
        self.token = ""
        self._browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay, urllib.request.HTTPCookieProcessor())

    def ask(self, path: str, body: object = None, method: str = "") -> tuple[int, bytes]:
        """(status, body); (0, b"") where nobody answers."""
        raw = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/x-www-form-urlencoded" if isinstance(body, bytes) else "application/json"
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        request = urllib.request.Request(self.address + path, raw, headers, method=method or None)
        try:
            with self._browser.open(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def post(self, path: str, **form: str) -> tuple[int, bytes]:
        """As a browser does, with what stands hidden in the form."""
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.ask(path)[1].decode()))
        return self.ask(path, urllib.parse.urlencode(hidden | form).encode())

    def settings(self, **changes: object) -> tuple[int, dict]:
        wanted = [{"name": name.replace("__", "."), "value": value} for name, value in changes.items()]
        status, raw = self.ask("/api/settings", {"changes": wanted}, "PUT")
        return status, json.loads(raw)

    def status(self) -> dict:
        try:
            return json.loads(self.container("cat", "/run/platewatch/status.json", check=False))
        except ValueError:
            return {}

    def events(self) -> int:
        return len(json.loads(self.ask("/api/events?limit=200")[1])["events"])

    def watches(self, but: str = "") -> str:
        """The daemon's process once it watches, another one than `but`."""
        c = self.container
        c.wait(lambda: self.status().get("state") == "watching" and self.status()["pid"] not in (0, int(but or 0)) and self.pid() not in ("0", but), "pictures")
        return self.pid()

    def pid(self, unit: str = "platewatch") -> str:
        return self.container.show(unit, "MainPID")

    def journal(self, unit: str = "platewatch") -> str:
        return self.container("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@contextmanager
def owned(folder: Path) -> Iterator[Container]:
    """A Debian, its owner, and a checkout in the owner's home. `/dev/video9` is /dev/null as a camera of the group video, `/data` a partition."""
    node = folder / "node"
    subprocess.run(["mknod", "-m", "660", str(node), "c", "1", "3"], check=True)
    shutil.chown(node, 0, 44)
    (folder / "data").mkdir()
    binds = (f"--bind-ro={nspawn.cached_wheels()}:/wheels", f"--bind={node}:/dev/video9", f"--bind={folder / 'data'}:/data")
    with Container(folder / "device", binds) as container:
        container("useradd", "--create-home", "--shell", "/bin/bash", "pi")
        container("sh", "-c", "echo 'pi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/pi")
        tracked = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in sorted(set(filter(None, tracked.decode().split("\0")))):
            if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "runs/")):
                goal = container.root / HOME.strip("/") / name
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, goal)
        container("chown", "-R", "pi:pi", HOME)
        yield container


def set_up(container: Container, *words: str, check: bool = True) -> str:
    """`./setup.sh pi` as the user pi, with a folder of wheels in the place of the network."""
    line = f"cd {HOME} && PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels ./setup.sh pi {' '.join(words)} 2>&1"
    return container("sh", "-c", line, user="pi", check=check, HOME="/home/pi")
