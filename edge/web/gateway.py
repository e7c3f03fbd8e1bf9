"""From a request to the WSGI application and back. The application runs in a few threads; none of them ever waits for a slow client."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import io
import logging
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, TypeVar
from urllib.parse import unquote_to_bytes

from edge.web.framing import Request

WHOLE = 1024 * 1024
"""Answers of at most so many bytes, whose length is known, are taken from the application in one go."""
Found = TypeVar("Found")
App = Callable[..., Iterable[bytes]]
log = logging.getLogger(__name__)


class Pool:
    """A few threads. `waiting` counts what nobody has begun yet."""

    def __init__(self, count: int) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._serve, name=f"page-{number}", daemon=True).start()  # none of them holds up the end of the process

    @property
    def waiting(self) -> int:
        return self._work.qsize()

    def run(self, work: Callable[[], Found]) -> asyncio.Future[Found]:
        """To be called in a loop, and awaited there."""
        loop = asyncio.get_running_loop()
        promised: asyncio.Future[Found] = loop.create_future()

        def act() -> None:
            found: Found | None = None
            error: Exception | None = None
            try:
                found = work()
            except Exception as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, promised, found, error)

        self._work.put(act)
        return promised

    def post(self, work: Callable[[], object]) -> None:
        """Without waiting for it."""
        self._work.put(lambda: void(work))

    def _serve(self) -> None:
        while True:
            self._work.get()()


def settle(promised: asyncio.Future[Any], found: object, error: Exception | None) -> None:
    if promised.cancelled():
        return
    if error is None:
        promised.set_result(found)
    else:
        promised.set_exception(error)


def void(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        log.exception("the end of an answer failed")


class Call:
    """One request in the application. Its steps run one after the other, in whichever thread, with the same context."""

    def __init__(self, app: App, environ: dict[str, Any]) -> None:
        self._app, self.environ = app, environ
        self._context, self._lock = contextvars.Context(), threading.Lock()
        self._result: Iterable[bytes] | None = None
        self._ended = False
        self._parts: Iterator[bytes] = iter(())
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None

    def begin(self) -> tuple[bytes, bool]:
        """The first bytes, and whether they are all. Raises what the application raises."""
        return self._step(self._begin)

    def more(self) -> bytes | None:
        """The next bytes; None where there are none."""
        return self._step(lambda: next(self._parts, None))

    def close(self) -> None:
        """At once, or at the end of the step that is just being taken. It may be called again and again."""
        self._ended = True
        if self._lock.acquire(blocking=False):
            try:
                self._context.run(self._close)
            finally:
                self._lock.release()

    def _step(self, act: Callable[[], Found]) -> Found:
        try:
            with self._lock:
                return self._context.run(act)
        finally:
            if self._ended:
                self.close()

    def _begin(self) -> tuple[bytes, bool]:
        self._result = self._app(self.environ, self._start)
        self._parts = iter(self._result)
        told = next((value for name, value in self.headers if name.lower() == "content-length"), None)
        self.length = int(told) if told is not None else None
        if self.length is None or self.length > WHOLE:
            return b"", False
        return b"".join(self._parts), True

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        self.status, self.headers = int(status[:3]), headers

        def write(_: bytes) -> object:
            raise NotImplementedError("write() of WSGI is not offered")

        return write

    def _close(self) -> None:
        result, self._result = self._result, None
        if result is not None and hasattr(result, "close"):
            result.close()
        self.environ["wsgi.input"].close()


def environ_of(asked: Request, address: str, scheme: str, server: tuple[str, int], body: IO[bytes] | None = None) -> dict[str, Any]:
    """PEP 3333. Names with an underscore are left out, since they would look like others; nothing that a proxy says is believed."""
    found: dict[str, Any] = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(asked.path).decode("latin-1"),
        "QUERY_STRING": asked.target.partition("?")[2],
        "REQUEST_URI": asked.target,
        "REMOTE_ADDR": address,
        "REMOTE_HOST": address,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/1.{asked.minor}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": body or io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in asked.fields:
        if b"_" in name:
            continue
        key = name.decode("ascii").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.decode("latin-1")
        found[key] = f"{found[key]}{'; ' if key == 'HTTP_COOKIE' else ', '}{text}" if key in found else text
    return found
