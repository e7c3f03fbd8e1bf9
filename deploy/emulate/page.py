"""The page as a browser or a program uses it: logged in with name and password, through the forwarded port."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from deploy.emulate.errors import EmulateError

TIMEOUT_S = 20.0
CSRF = re.compile(r'name="csrf"[^>]*value="([^"]+)"')
FAILURES = (OSError, http.client.HTTPException)


class Page:
    """At `address`, without a slash at its end."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener = _opener()

    def get(self, path: str, form: dict[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> tuple[int, bytes]:
        """(code, body); (0, b'') where nothing answers."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with self._opener.open(urllib.request.Request(self._address + path, data), timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            try:
                return error.code, error.read()
            except FAILURES:
                return error.code, b""
        except FAILURES:
            return 0, b""

    def alive(self) -> bool:
        """The real page, not the one that the first start shows meanwhile."""
        code, body = self.get("/healthz", timeout_s=5)
        return code == 200 and b'"ok":true' in body.replace(b" ", b"")

    def setting_up(self) -> bool:
        """The page of the first start."""
        code, body = self.get("/", timeout_s=5)
        return code == 503 and b"Platewatch is being set up" in body

    def log_in(self, password: str) -> None:
        """Anew, whoever was logged in before; raises EmulateError."""
        self._opener = _opener()
        _, body = self.get("/login")
        found = CSRF.search(body.decode(errors="replace"))
        code, body = self.get("/login", {"name": "admin", "password": password, "next": "/api/me", **({"csrf": found[1]} if found else {})})
        if code != 200:
            raise EmulateError(f"the page does not take the password of the device file ({code})")

    def json(self, path: str) -> dict[str, Any]:
        """Raises EmulateError where it is no answer of the API."""
        code, body = self.get(path)
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        if code != 200 or not isinstance(told, dict):
            raise EmulateError(f"{path} answers {code or 'nothing'}: {body[:120].decode(errors='replace')}")
        return told


def _opener() -> urllib.request.OpenerDirector:
    """With cookies of its own, and without a proxy."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
