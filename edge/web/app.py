"""The status page's own small process: it reads what the daemon writes, and stands when the daemon does not.

The command line imports this module for its `--help`, so that flask, numpy and the rest are imported only where the page begins.
"""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError

if TYPE_CHECKING:
    from flask import Flask

    from edge.config import Config

log = logging.getLogger(__name__)
THREADS, STREAMS = 6, 3
"""A live stream holds a thread; the other half answers everyone else."""
SHORTEST_PASSWORD = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--set-password", action="store_true", help="ask for a password and print the line to put under [web] in the configuration file")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    if args.set_password:
        return set_password()
    from edge import logs, safe

    logs.set_up()
    logging.getLogger("waitress").setLevel(logging.WARNING)  # below, it tells of every page that was closed
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # and here of every request that waits a moment for a thread
    config, trouble = safe.page_config(Path(args.config))
    server, app = make_server(config)
    if trouble:
        log.error("%s; the page shows it until it is mended", trouble)
        app.extensions["daemon_files"].trouble = trouble
        safe.when_valid(Path(args.config), begin_anew)

    def leave(*_: object) -> None:
        app.extensions["stop"].set()  # waitress waits 5 s for its threads, which the streams would hold
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    log.info("the page is at http://%s:%d/", config.web.host, config.web.port)
    try:
        server.run()  # ends by SystemExit, which waitress swallows
    finally:
        close(server, app)
    return 0


def begin_anew() -> None:
    """The same command in the same process, with the config as it is now."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def set_password() -> int:
    """Asked twice, shown never; the password itself is kept nowhere."""
    from edge.web.auth import hash_password

    try:
        password = getpass.getpass("New password for the page: ")
        if len(password) < SHORTEST_PASSWORD:
            raise ConfigError(f"a password has at least {SHORTEST_PASSWORD} characters; nothing was changed")
        if getpass.getpass("The same again: ") != password:
            raise ConfigError("the two passwords differ; nothing was changed")
    except (EOFError, KeyboardInterrupt):
        raise ConfigError("no password was given; nothing was changed") from None
    print("Put this line under [web] in the configuration file and restart the page:", file=sys.stderr)
    print(f'password_hash = "{hash_password(password)}"')
    return 0


def check(config: Config) -> None:
    """ConfigError when the page would stand open to others, or its password could never be right."""
    from edge.web import auth

    if not config.web.password_hash and not auth.is_loopback(config.web.host):
        raise ConfigError(
            f"the page will not listen on {config.web.host}, where others can reach it, without a password: "
            "run `platewatch web --set-password` and put the line it prints under [web] in the configuration file"
        )
    if config.web.password_hash:
        try:
            auth.is_password("", config.web.password_hash)
        except ValueError:
            raise ConfigError("web.password_hash is not a hash that `platewatch web --set-password` printed; run it again") from None


def create_app(config: Config) -> Flask:
    """The whole page as a WSGI application."""
    from edge.web.site import build

    check(config)
    return build(config, STREAMS)


def make_server(config: Config) -> tuple[Any, Flask]:
    """A waitress server that already listens; ConfigError when the port is taken."""
    import waitress

    from edge.web.site import LARGEST_FORM

    app = create_app(config)
    for name in app.jinja_env.list_templates():  # compiled now, and not before the first viewer's eyes
        app.jinja_env.get_template(name)
    try:
        server = waitress.create_server(
            app,
            host=config.web.host,
            port=config.web.port,
            threads=THREADS,
            ident=None,
            max_request_body_size=LARGEST_FORM,
            channel_request_lookahead=1,  # else a closed browser holds its stream's thread until the next message fails
        )
    except OSError as error:
        raise ConfigError(f"cannot listen on {config.web.host}:{config.web.port} ({error.strerror}); stop what does, or change web.port") from None
    return server, app


def close(server: Any, app: Flask) -> None:
    """Ends the streams first."""
    app.extensions["stop"].set()
    server.close()
    app.extensions["daemon_files"].close()
