"""The page as a server: the application behind the front that others connect to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException

from edge.errors import ConfigError
from edge.web import tls
from edge.web.answering import Answering
from edge.web.front import Front
from edge.web.limits import LARGEST_FORM, largest_body
from edge.web.stream import Desk

if TYPE_CHECKING:
    from flask import Flask

    from edge.web.settings import WebConfig

LOOK_EVERY_S = 3600.0


class Server:
    """`run` serves until the process is told to end; `close` gives the port back."""

    def __init__(self, app: Flask, config: WebConfig, threads: int) -> None:
        """Listens already; ConfigError when a port is taken or the certificate cannot be used."""
        found = tls.certificate_of(config)
        context = tls.context_of(found) if found else None
        if found:
            app.extensions["fingerprint"] = tls.fingerprint_of(found.certificate)
        answering = Answering(app.wsgi_app, threads, "https" if context else "http", Desk(app.extensions["daemon_files"]).tell)
        self.front = Front(config.host, config.port, answering, context=context, redirect_port=config.redirect_port)
        self._done = threading.Event()
        self.front.largest, self.front.small = largest_of(app), LARGEST_FORM
        try:
            self.front.start()
        except OSError as error:
            raise ConfigError(f"cannot listen on {config.host}:{config.port} ({error.strerror}); stop what does, or change web.port") from None
        if found and context:
            renewal = tls.Renewal(config, context, found)

            def look() -> None:
                if renewal.look():
                    app.extensions["fingerprint"] = tls.fingerprint_of(found.certificate)

            self.front.every(LOOK_EVERY_S, look)

    @property
    def effective_port(self) -> int:
        return self.front.port

    def run(self) -> None:
        self._done.wait()

    def close(self) -> None:
        self.front.stop()
        self._done.set()


def largest_of(app: Flask) -> Callable[[str, str], int]:
    """How much each address of the page takes, before a byte of it has come."""
    addresses = app.url_map.bind("localhost")

    def largest(method: str, path: str) -> int:
        try:
            endpoint, _ = addresses.match(path, method)
        except HTTPException:
            return LARGEST_FORM
        return largest_body(app.view_functions[endpoint])

    return largest
