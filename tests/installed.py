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
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deploy.release.source import PARTS
from tests import nspawn
from tests.nspawn import ROOT, Container, NotHere

HOME = "/home/pi/platewatch"
SANDBOX = (
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "SystemCallFilter=@system-service",
    "MemoryMax=200M",
)
"""Of a unit that is none of ours: what this kernel does not grant in a container is no fault of our units."""
CLIP = f"/opt/platewatch/current/.venv/lib/python{nspawn.PYTHON}/site-packages/edge/clips/demo.mp4"
CONFIG = """[camera]
kind = "files"
source = "{clip}"
loop = true
fps_limit = 6
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
def or_skipped() -> Iterator[None]:
    """Where no container can be had, the tests that wanted one are skipped with the reason."""
    try:
        yield
    except NotHere as error:
        pytest.skip(str(error))


@contextmanager
def owned(folder: Path) -> Iterator[Container]:
    """A Debian, its owner, and a checkout in the owner's home. `/dev/video9` is /dev/null as a camera of the group video, `/data` a partition.

    Raises NotHere where an untouched Debian, or a unit of nobody's in a sandbox, does not even start, too.
    """
    node = folder / "node"
    subprocess.run(["mknod", "-m", "660", str(node), "c", "1", "3"], check=True)
    shutil.chown(node, 0, 44)
    (folder / "data").mkdir()
    binds = (f"--bind-ro={nspawn.cached_wheels()}:/wheels", f"--bind={node}:/dev/video9", f"--bind={folder / 'data'}:/data")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            container = stack.enter_context(Container(folder / "device", binds))
        except AssertionError as error:
            raise NotHere(f"a Debian without anything of ours does not start in a container here: {error}") from None
        try:
            container("systemd-run", "--wait", "--quiet", "--collect", *(f"--property={one}" for one in SANDBOX), "true")
        except AssertionError as error:
            raise NotHere(f"a unit in a sandbox does not start in a container here: {error}") from None
        container("useradd", "--create-home", "--shell", "/bin/bash", "pi")
        container("sh", "-c", "echo 'pi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/pi")
        (container.root / HOME.strip("/")).mkdir()
        for part in (*PARTS, "setup.sh"):
            goal = container.root / HOME.strip("/") / part
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, goal, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, goal)
        container("chown", "-R", "pi:pi", HOME)
        yield container


def set_up(container: Container, *words: str, check: bool = True) -> str:
    """`./setup.sh pi` as the user pi, with a folder of wheels in the place of the network."""
    line = f"cd {HOME} && PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels ./setup.sh pi {' '.join(words)} 2>&1"
    return container("sh", "-c", line, user="pi", check=check, HOME="/home/pi")
