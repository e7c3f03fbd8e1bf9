"""The status page's own small process: it reads what the daemon writes, and stands when the daemon does not.

The command line imports this module for its `--help`, so that flask, numpy and the rest are imported only where the page begins.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ConfigError
from edge.web.access import command

if TYPE_CHECKING:
    from flask import Flask

    from edge.config import Config
    from edge.web.server import Server

log = logging.getLogger(__name__)
REST_EVERY_S = 10.0
NICE = 5
"""The daemon comes first."""
THREADS, STREAMS = 6, 150
"""A thread works and never waits for a viewer; a live stream holds none."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    command.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    if (work := command.chosen(args)) is not None:
        return work(args)
    from edge import heap, logs, safe

    logs.set_up()
    with contextlib.suppress(OSError):  # under systemd CPUWeight says it
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    config, trouble = safe.page_config(Path(args.config))
    again = threading.Event()
    server, app = make_server(config, Path(args.config))
    app.extensions["config_file"] = Path(args.config)
    if trouble:
        log.error("%s; the page shows it until it is mended", trouble)
        app.extensions["daemon_files"].trouble = trouble

        def go_again() -> None:
            again.set()
            server.close()

        safe.when_valid(Path(args.config), go_again)

    def leave(*_: object) -> None:
        raise SystemExit(0)

    heap.give_back()  # compiling the templates took some megabytes
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    log.info("the page is at http%s://%s:%d/", "s" if config.web.encrypted else "", config.web.host, config.web.port)
    try:
        server.run()
    finally:
        close(server, app)
    if again.is_set():
        begin_anew()  # when every live stream has been ended as it should
    return 0


def begin_anew() -> None:
    """The same command in the same process, with the config as it is now."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def check(config: Config) -> None:
    """ConfigError when the page would stand open to others, or its password could never be right."""
    from edge.web import auth
    from edge.web.access.access import Access

    web = config.web
    if not auth.is_loopback(web.host) and not web.setup_code_file and not Access(Path(web.access), web.password_hash).has_users:
        raise ConfigError(
            f"the page will not listen on {web.host}, where others can reach it, without a password: "
            "run `platewatch web --set-password` and put the line it prints under [web] in the configuration file, or name a web.setup_code_file there"
        )
    if web.password_hash:
        try:
            auth.hash_parts(web.password_hash)
        except ValueError:
            raise ConfigError("web.password_hash is not a hash that `platewatch web --set-password` printed; run it again") from None


def create_app(config: Config, config_file: Path | None = None) -> Flask:
    """The whole page as a WSGI application; without a file it can change no settings and read no pictures."""
    from edge.web.site import build

    check(config)
    return build(config, STREAMS, config_file)


def make_server(config: Config, config_file: Path | None = None) -> tuple[Server, Flask]:
    """A server that already listens; ConfigError when it cannot."""
    from edge.web import phrases
    from edge.web.server import Server

    app = create_app(config, config_file)
    for name in app.jinja_env.list_templates():  # compiled now, and not before the first viewer's eyes
        app.jinja_env.get_template(name)
    phrases.catalogue()
    server = Server(app, config.web, THREADS)
    server.every(REST_EVERY_S, lambda: "reading" in app.extensions and app.extensions["reading"].rest())
    return server, app


def close(server: Server, app: Flask) -> None:
    """Ends the streams first."""
    app.extensions["stop"].set()
    if "reading" in app.extensions:
        app.extensions["reading"].close()
    server.close()
    app.extensions["daemon_files"].close()
