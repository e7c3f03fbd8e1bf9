"""`python -m tests.crowd --first-bytes`: how long each room and each address of the API takes until its first byte.

The real page, with what the real daemon left after a while and 500 more events; then the page alone, one viewer, logged in, over one connection that is
kept, on the same machine. In each round every address is asked once, and before each a static file: what the machine is slow at in general is in both, and
the ratio says what the page itself does.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from edge.store import Store
from edge.web.rooms import ROOMS
from tests.browser.yard import OWNER, Yard
from tests.builders import an_event

STATIC = "/static/page.css"
EVENTS = 500
ALSO = ("/healthz", "/readyz", "/metrics", "/live.jpg")


@dataclass(frozen=True, slots=True)
class Times:
    """Until the first byte, ms; `ratio` of the medians, to the static file's of the same rounds. `cpu_ms` is what the page works for the whole answer,
    which a busy machine changes little. `size` of the body in bytes."""

    path: str
    median_ms: float
    p95_ms: float
    ratio: float
    cpu_ms: float
    size: int


class Visitor:
    """One browser's connection."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self._line = http.client.HTTPConnection(host, int(port), timeout=60)
        self._cookie = ""

    def log_in(self) -> None:
        _, _, form = self.ask("/login")
        found = re.search(rb'name="csrf" value="([^"]+)"', form)
        assert found is not None
        code, _, _ = self.ask("/login", urlencode({"csrf": found[1].decode(), "name": "admin", "password": OWNER}))
        if code != 303:
            sys.exit(f"tests.crowd: the log-in was answered with {code}")

    def ask(self, path: str, form: str | None = None) -> tuple[int, float, bytes]:
        """Code, seconds to the first byte, body."""
        headers = {"Accept-Language": "en", "Accept": "text/html,application/json", **({"Cookie": self._cookie} if self._cookie else {})}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        if self._line.sock is None:
            self._line.connect()
        began = time.perf_counter()
        self._line.request("GET" if form is None else "POST", path, form, headers)
        self._line.sock.recv(1, socket.MSG_PEEK)
        took = time.perf_counter() - began
        answer = self._line.getresponse()
        if told := answer.headers.get("Set-Cookie"):
            self._cookie = told.partition(";")[0]
        return answer.status, took, answer.read()


def addresses(visitor: Visitor) -> Iterator[str]:
    """Every room, then what the API answers without further words, files and streams left out."""
    yield from (room.path for room in ROOMS)
    yield from ALSO
    found = json.loads(visitor.ask("/api/openapi.json")[2])["paths"]
    for path, methods in found.items():
        answers = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" in answers and "{" not in path and path not in ALSO:
            yield path


def main(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="platewatch-bytes-") as name, Yard(Path(name)) as yard:
        yard.until(lambda: len(yard.events()) >= 3)
        yard.daemon.terminate()
        yard.daemon.wait(60)
        with Store(Path(name) / "events.sqlite") as store:
            for number in range(EVENTS):
                seen = (datetime.now(UTC) - timedelta(minutes=number)).isoformat(timespec="milliseconds")
                store.add(an_event(f"more-{number}", f"AB{number:03}", seen))
        visitor = Visitor(yard.address)
        visitor.log_in()
        found = tell(visitor, args.times, yard.page.pid)
    if args.json:
        args.json.write_text(json.dumps([{name: getattr(one, name) for name in Times.__slots__} for one in found], indent=1))
    return 0


def tell(visitor: Visitor, times: int, pid: int) -> list[Times]:
    paths = [path for path in addresses(visitor) if visitor.ask(path)[0] == 200]  # and all is loaded that is loaded once
    waits, sizes, still = {path: list[float]() for path in paths}, dict[str, int](), list[float]()
    works = {path: list[float]() for path in (STATIC, *paths)}
    gc.disable()
    for _ in range(times):
        for path in paths:
            before = worked_ms(pid)
            still.append(visitor.ask(STATIC)[1])
            works[STATIC].append(worked_ms(pid) - before)
            before = worked_ms(pid)
            _, took, body = visitor.ask(path)
            waits[path].append(took)
            works[path].append(worked_ms(pid) - before)
            sizes[path] = len(body)
    gc.enable()
    waits[STATIC], sizes[STATIC] = still, len(visitor.ask(STATIC)[2])
    of_still = statistics.median(still)
    found = [
        Times(path, *spread(waits[path]), statistics.median(waits[path]) / of_still, statistics.median(works[path]), sizes[path]) for path in (STATIC, *paths)
    ]
    print("\n| address | median ms | 95 % ms | of a static file | processor ms | bytes |\n|---|---|---|---|---|---|")
    for one in found:
        print(f"| `{one.path}` | {one.median_ms:.1f} | {one.p95_ms:.1f} | {one.ratio:.1f} | {one.cpu_ms:.1f} | {one.size:,} |")
    return found


def worked_ms(pid: int) -> float:
    """Processor time of all threads of a process so far; those that ended do not count."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6


def spread(waits: list[float]) -> tuple[float, float]:
    """Median and 95th percentile, ms."""
    return 1000 * statistics.median(waits), 1000 * statistics.quantiles(waits, n=20)[-1]
