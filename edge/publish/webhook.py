"""A webhook: each event is one POST. Redirects are not followed, an answer has a time and a size that it may not exceed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from edge.errors import ConfigError
from edge.publish.base import Occasional, PublishError, Refused, Unreachable, in_words, secret
from edge.publish.dialects import DIALECTS
from edge.publish.settings import TargetConfig
from edge.publish.signature import HEADER, sign
from edge.publish.told import Told, slug

LARGEST_ANSWER = 64 * 1024
LONGEST_RETRY_AFTER_S = 3600.0
LATER = (408, 425, 429)
"""4xx that mean: not now."""


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    host: str
    port: int | None
    path: str


def address(url: str, name: str) -> Address:
    """The parts of a URL; ConfigError, without the URL, which may hold a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(f"target {name!r}: url is no address; it looks like 'https://host/path'") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(char <= " " or char > "~" for char in url):
        raise ConfigError(f"target {name!r}: url is no http or https address; it looks like 'https://host/path'")
    if parts.username or parts.password:
        raise ConfigError(f"target {name!r}: a user name in the url is not sent; put an Authorization header into 'headers' instead")
    return Address(parts.scheme, parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


class Webhook(Occasional):
    """POSTs a dialect's document; with a picture as multipart where the dialect has that."""

    def __init__(self, config: TargetConfig, *, unix_s: Callable[[], float] = time.time, environment: dict[str, str] | None = None) -> None:
        dialect, environment = DIALECTS[config.dialect], dict(os.environ) if environment is None else environment
        assert dialect.document is not None
        self._document, self._part, self._config, self._unix_s = dialect.document, dialect.picture_part, config, unix_s
        self._address = address(secret(config.url, f"target {config.name!r}, url", environment), config.name)
        self._secret = secret(config.secret, f"target {config.name!r}, secret", environment)
        self._headers = {key: secret(value, f"target {config.name!r}, header {key}", environment) for key, value in config.headers.items()}
        for key, value in self._headers.items():
            if not key or not key.replace("-", "").isalnum() or any(char < " " or char > "~" for char in value):
                raise ConfigError(f"target {config.name!r}: header {key!r} cannot be sent; names are letters, digits and -, values are one line of ASCII")
        self._tls = _tls(config) if self._address.scheme == "https" else None
        self._line: socket.socket | None = None
        self._closed = False

    def send(self, told: Told) -> None:
        kind, body = self._body(told)
        headers = {"User-Agent": f"platewatch/{told.site.version or '0'}", "Idempotency-Key": told.key, "Connection": "close"}
        headers |= self._headers | {"Content-Type": kind}
        if self._secret:
            headers[HEADER] = sign(body, self._secret, int(self._unix_s()))
        try:
            self._judge(*self._post(body, headers))
        except PublishError:
            raise
        except TimeoutError:
            raise Unreachable(f"no answer within {self._config.timeout_s:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"its certificate is not trusted ({error.verify_message})") from None
        except OSError as error:
            raise Unreachable(f"cannot be reached ({in_words(error)})") from None
        except (http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"its answer is not HTTP ({type(error).__name__})") from None

    def _body(self, told: Told) -> tuple[str, bytes]:
        document = json.dumps(self._document(told), ensure_ascii=False, default=float).encode()
        if self._part and told.picture and not told.picture_file:
            return multipart(document, told.picture, self._part, f"{slug(told.key)}.jpg")
        return "application/json", document

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Status and `Retry-After`. The whole exchange, however slowly the other side drips, ends within `timeout_s`."""
        at, limit = self._address, self._config.timeout_s
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
            self._line = line.sock
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

    def _judge(self, status: int, retry_after: str) -> None:
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise Refused(f"it answers {status}, another address; redirects are not followed, so give the last address as url")
        words = f"it answers {status} {http.client.responses.get(status, '')}".rstrip()
        if 400 <= status < 500 and status not in LATER:
            raise Refused(words)
        raise Unreachable(words, retry_after_s(retry_after, self._unix_s()))

    def close(self) -> None:
        self._closed = True
        _hang_up(self._line)


def retry_after_s(value: str, unix_s: float) -> float:
    """Seconds that a `Retry-After` asks for, as a number or a date; at most an hour, 0 for what makes no sense."""
    value = value.strip()
    if value.isdecimal():
        asked = float(value[:9])
    else:
        try:
            asked = parsedate_to_datetime(value).timestamp() - unix_s
        except (ValueError, TypeError, IndexError, OverflowError):
            return 0.0
    return min(max(asked, 0.0), LONGEST_RETRY_AFTER_S)


def multipart(document: bytes, picture: bytes, part: str, filename: str) -> tuple[str, bytes]:
    """(content type, body) of a form with `json` and a picture. The same parts give the same bytes."""
    boundary = f"platewatch-{filename.rsplit('.', 1)[0]}"[:70].encode()
    head = b"--%b\r\nContent-Disposition: form-data; name=" % boundary
    body = head + b'"json"\r\nContent-Type: application/json\r\n\r\n' + document + b"\r\n"
    body += head + f'"{part}"; filename="{filename}"\r\nContent-Type: image/jpeg\r\n\r\n'.encode() + picture + b"\r\n"
    return f"multipart/form-data; boundary={boundary.decode()}", body + b"--%b--\r\n" % boundary


def _tls(config: TargetConfig) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=config.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"target {config.name!r}: ca_file {config.ca_file} cannot be used ({in_words(error)})") from None


def _hang_up(line: socket.socket | None) -> None:
    if line is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)  # below TLS, whose own shutdown would wait or fall over
