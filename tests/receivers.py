"""The other sides of targets, real ones on the loopback: an HTTP server that misbehaves on demand, and mosquitto with a listener."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def wait_for(true: Callable[[], Any], within_s: float = 10.0) -> Any:
    """What `true` says once it says something; fails when that takes too long."""
    give_up_at = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < give_up_at, "it did not come"
        time.sleep(0.01)
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def status(code: int, **headers: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for key, value in headers.items():
            request.send_header(key.replace("_", "-"), value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def raw(content: bytes, then_wait_s: float = 0.0) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            request.wfile.write(content)
            request.wfile.flush()
        time.sleep(then_wait_s)
        request.close_connection = True

    return answer


def dripping(for_s: float) -> Answer:
    """Never silent for long, never done."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        end = time.monotonic() + for_s
        with contextlib.suppress(OSError):
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while time.monotonic() < end:
                request.wfile.write(b"X-Drip: 1\r\n")
                request.wfile.flush()
                time.sleep(0.05)

    return answer


@dataclass
class Receiver:
    """Answers as `script` says, in order, and 204 when that is over; `got` holds (headers, body) of all that came, `times` when it did (monotonic).

    `judge`, where there is one, decides by the body instead. `at_once` is how many were answered at the same time, at most.
    """

    port: int = 0
    script: list[Answer] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    judge: Callable[[bytes], Answer] | None = None
    at_once: int = 0
    _now: int = 0

    def __enter__(self) -> Self:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(length := int(self.headers["Content-Length"]))
                if len(body) < length:  # the sender died half way
                    self.close_connection = True
                    return
                receiver._now += 1
                receiver.at_once = max(receiver.at_once, receiver._now)
                receiver.got.append((dict(self.headers), body))
                receiver.times.append(time.monotonic())
                answer = receiver.judge(body) if receiver.judge else receiver.script.pop(0) if receiver.script else status(204)
                receiver._now -= 1
                answer(self)

            def log_message(self, *_: object) -> None:
                return

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                return

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


PROGRAMS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
MOSQUITTO = shutil.which("mosquitto", path=PROGRAMS)


class Broker:
    """mosquitto on the loopback, with its settings and nothing kept."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true", port: int | None = None) -> None:
        self.port = port or free_port()
        folder.mkdir(exist_ok=True)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"user root\nlistener {self.port} 127.0.0.1\npersistence false\n{settings}\n")

    def __enter__(self) -> Self:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def answers() -> bool:
            assert self._process.poll() is None, "mosquitto ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                return True
            return False

        wait_for(answers)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Heard:
    topic: str
    payload: bytes
    retained: bool


@contextlib.contextmanager
def listening(port: int, *topics: str) -> Iterator[tuple[list[Heard], Callable[..., Any]]]:
    """What comes on the topics, and a way to publish: `say(topic, payload, retain=False)`."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    heard: list[Heard] = []
    there = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.append(Heard(message.topic, message.payload, bool(message.retain)))
    client.on_subscribe = lambda *_: there.set()
    client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics])
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert there.wait(10)
        yield heard, lambda topic, payload, retain=False: client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)
    finally:
        client.disconnect()
        client.loop_stop()
