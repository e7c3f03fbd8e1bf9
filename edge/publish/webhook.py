"""A webhook: each event is one POST."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from edge.errors import ConfigError
from edge.publish.base import Occasional, Refused, Stumbled, Unreachable, secret
from edge.publish.dialects import DIALECTS
from edge.publish.exchange import Exchange
from edge.publish.settings import TargetConfig
from edge.publish.signature import HEADER, sign
from edge.publish.told import Told, slug

LONGEST_RETRY_AFTER_S = 3600.0
LATER = (408, 425, 429, 502, 503, 504)
"""They mean: not now."""
STRANGER = (401, 403, 404, 405, 407, 410)
"""They are about the address or the password more often than about one event: a token that ran out must not set a whole queue aside."""


class Webhook(Occasional):
    """POSTs a dialect's document; with a picture as multipart where the dialect has that."""

    def __init__(self, config: TargetConfig, *, unix_s: Callable[[], float] = time.time, environment: dict[str, str] | None = None) -> None:
        dialect, environment = DIALECTS[config.dialect], dict(os.environ) if environment is None else environment
        assert dialect.document is not None
        self._document, self._part, self._config, self._unix_s = dialect.document, dialect.picture_part, config, unix_s
        where = f"target {config.name!r}: url"
        self._exchange = Exchange(secret(config.url, where, environment), where, timeout_s=config.timeout_s, ca_file=config.ca_file)
        self._secret = secret(config.secret, f"target {config.name!r}, secret", environment)
        self._headers = {key: secret(value, f"target {config.name!r}, header {key}", environment) for key, value in config.headers.items()}
        for key, value in self._headers.items():
            if not key or not key.replace("-", "").isalnum() or any(char < " " or char > "~" for char in value):
                raise ConfigError(f"target {config.name!r}: header {key!r} cannot be sent; names are letters, digits and -, values are one line of ASCII")

    def send(self, told: Told) -> None:
        kind, body = self._body(told)
        headers = {"User-Agent": f"platewatch/{told.site.version or '0'}", "Idempotency-Key": told.key, "Connection": "close"}
        headers |= self._headers | {"Content-Type": kind}
        if self._secret:
            headers[HEADER] = sign(body, self._secret, int(self._unix_s()))
        self._judge(*self._exchange.post(body, headers))

    def _body(self, told: Told) -> tuple[str, bytes]:
        document = json.dumps(self._document(told), ensure_ascii=False, default=float).encode()
        if self._part and told.picture and not told.picture_file:
            return multipart(document, told.picture, self._part, f"{slug(told.key)}.jpg")
        return "application/json", document

    def _judge(self, status: int, retry_after: str) -> None:
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise Stumbled(f"it answers {status}, another address; redirects are not followed, so give the last address as url")
        words = f"it answers {status} {http.client.responses.get(status, '')}".rstrip()
        if status in LATER:
            raise Unreachable(words, retry_after_s(retry_after, self._unix_s()))
        raise (Refused if 400 <= status < 500 and status not in STRANGER else Stumbled)(words)

    def close(self) -> None:
        self._exchange.close()


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
