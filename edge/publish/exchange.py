"""One HTTP POST: redirects are not followed, an answer has a time and a size that it may not exceed. The errors hold no address: it may be a secret."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from edge.errors import ConfigError
from edge.publish.base import Stumbled, Unreachable, in_words

LARGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    host: str
    port: int | None
    path: str


def address(url: str, what: str) -> Address:
    """The parts of a URL; ConfigError, without the URL, which may hold a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(f"{what} is no address; it looks like 'https://host/path'") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(char <= " " or char > "~" for char in url):
        raise ConfigError(f"{what} is no http or https address; it looks like 'https://host/path'")
    if parts.username or parts.password:
        raise ConfigError(f"{what} holds a user name, which is not sent; put an Authorization header into 'headers' instead")
    return Address(parts.scheme, parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


class Exchange:
    """POSTs to one address, one at a time. `what` names who wants that in a ConfigError."""

    def __init__(self, url: str, what: str, *, timeout_s: float, ca_file: str = "") -> None:
        self._address, self._timeout_s = address(url, what), timeout_s
        self._tls = _tls(what, ca_file) if self._address.scheme == "https" else None
        self._line: socket.socket | None = None
        self._closed = self._reached = False

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Status and `Retry-After`. Unreachable where nobody is there, Stumbled where somebody is and gives no answer."""
        self._reached = False
        try:
            return self._post(body, headers)
        except TimeoutError:
            raise self._failed(f"no answer within {self._timeout_s:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"its certificate is not trusted ({error.verify_message})") from None
        except OSError as error:
            if isinstance(error, Unreachable):
                raise
            raise self._failed(f"cannot be reached ({in_words(error)})") from None
        except (http.client.HTTPException, ValueError) as error:
            raise self._failed(f"its answer is not HTTP ({type(error).__name__})") from None

    def _failed(self, words: str) -> Unreachable | Stumbled:
        return Stumbled(words) if self._reached and not self._closed else Unreachable(words)

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """The whole exchange, however slowly the other side drips, ends within `timeout_s`."""
        at, limit = self._address, self._timeout_s
        line: http.client.HTTPConnection
        if self._tls is None:
            line = http.client.HTTPConnection(at.host, at.port, timeout=limit)
        else:
            line = http.client.HTTPSConnection(at.host, at.port, timeout=limit, context=self._tls)
        began, late = time.monotonic(), threading.Event()

        def cut() -> None:
            late.set()
            _hang_up(self._line)

        bell = threading.Timer(limit, cut)
        bell.daemon = True
        try:
            line.connect()
            self._line, self._reached = line.sock, True
            if self._closed:
                raise Unreachable("stopped")
            bell.interval = max(0.01, limit - (time.monotonic() - began))
            bell.start()
            line.request("POST", at.path, body, headers)
            answer = line.getresponse()
            answer.read(LARGEST_ANSWER)
            if late.is_set():
                raise TimeoutError
            return answer.status, answer.getheader("Retry-After") or ""
        except (OSError, http.client.HTTPException, ValueError):
            if late.is_set():
                raise TimeoutError from None
            raise
        finally:
            bell.cancel()
            self._line = None
            line.close()

    def close(self) -> None:
        self._closed = True
        _hang_up(self._line)


def _tls(what: str, ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{what}: ca_file {ca_file} cannot be used ({in_words(error)})") from None


def _hang_up(line: socket.socket | None) -> None:
    if line is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)  # below TLS, whose own shutdown would wait or fall over
