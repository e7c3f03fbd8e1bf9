"""The page as a server: waitress on a port of this machine's own, and the front that others connect to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException

from edge.errors import ConfigError
from edge.web import tls
from edge.web.framing import LARGEST_HEADER
from edge.web.front import Front
from edge.web.limits import LARGEST_FORM, largest_body, largest_of_all

if TYPE_CHECKING:
    from flask import Flask

    from edge.web.settings import WebConfig

LOOK_EVERY_S = 3600.0


class Server:
    """`run` serves until the process is told to end; `close` gives the port back."""

    def __init__(self, app: Flask, config: WebConfig, threads: int) -> None:
        """Listens already; ConfigError when a port is taken or the certificate cannot be used."""
        import waitress

        found = tls.certificate_of(config)
        context = tls.context_of(found) if found else None
        if found:
            app.extensions["fingerprint"] = tls.fingerprint_of(found.certificate)
        behind: list[Front] = []
        self._waitress: Any = waitress.create_server(
            Named(app.wsgi_app, lambda: behind[0], "https" if context else "http"),
            host="127.0.0.1",
            port=0,
            threads=threads,
            ident=None,
            connection_limit=512,  # the front has fewer
            max_request_body_size=largest_of_all(app.view_functions.values()),
            max_request_header_size=LARGEST_HEADER,
            channel_request_lookahead=1,  # else a closed browser holds its stream's thread until the next message fails
            clear_untrusted_proxy_headers=False,  # they are never believed, but noticed: another machine may stand behind such a request
        )
        self.front = Front(config.host, config.port, ("127.0.0.1", self._waitress.effective_port), context=context, redirect_port=config.redirect_port)
        self.front.largest, self.front.small = largest_of(app), LARGEST_FORM
        behind.append(self.front)
        try:
            self.front.start()
        except OSError as error:
            self._waitress.close()
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
        self._waitress.run()

    def close(self) -> None:
        self.front.stop()
        self._waitress.close()


class Named:
    """Gives each request the address of who is at the other end of the front. What comes past the front is refused."""

    def __init__(self, app: Callable[..., Iterable[bytes]], front: Callable[[], Front], scheme: str) -> None:
        self._app, self._front, self._scheme = app, front, scheme

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        address = self._front().clients.get((str(environ.get("REMOTE_ADDR")), int(environ.get("REMOTE_PORT") or 0)))
        if address is None:
            start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
            return [b"This port is the page's own; use the one in its configuration.\n"]
        environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = address
        environ["wsgi.url_scheme"] = self._scheme
        return self._app(environ, start_response)


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
