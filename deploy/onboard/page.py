"""A page of its own for the time in which there is none: how far the first start is, or why it does not go on. Started as `platewatch-failure`."""

from __future__ import annotations

import html
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.onboard import state
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import Layout

PORTS = (80, 8080)
MOST_LINES = 60
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="5">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1f24;background:#fff}}
h1{{font-size:1.6rem}}h2{{font-size:1.1rem}}.bad{{border-left:.4rem solid #b3261e;padding:.6rem 1rem;background:#fdeceb}}
td,th{{padding:.15rem 0;vertical-align:top;text-align:left;overflow-wrap:anywhere}}tr>:first-child{{padding-right:.8rem;white-space:nowrap;color:#5b6472}}
@media (prefers-color-scheme:dark){{body{{color:#e8eaed;background:#16181b}}.bad{{background:#3b1512}}tr>:first-child{{color:#a4abb5}}}}</style></head>
<body><main><h1>{title}</h1>{words}<h2>What has happened so far</h2><table><tr><th>min:s</th><th>since power-on</th></tr>
{log}</table>
<p>The same stands in <code>platewatch-log.txt</code> on the card's boot partition, which every computer can open.</p></main></body></html>
"""


def compose(layout: Layout, log: Path) -> str:
    """The page as it is now."""
    trouble = state.load(layout).trouble
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-MOST_LINES:]
    except OSError:
        lines = ["The log cannot be read."]
    title = "Platewatch could not be set up" if trouble else "Platewatch is being set up"
    told = f'<p class="bad" role="alert">{html.escape(trouble)}</p><p>Mend that and switch the device off and on; it goes on from where it was.</p>'
    busy = "<p>This takes a few minutes. Leave the power on; this page renews itself, and the real one follows at the same address.</p>"
    return PAGE.format(title=title, words=told if trouble else busy, log="\n".join(map(_row, lines)))


def _row(line: str) -> str:
    """Of a line of the log, `    70 s  words`."""
    since, _, words = line.strip().partition(" s  ")
    told = f"{int(since) // 60}:{int(since) % 60:02d}" if since.isdecimal() else ""
    return f"<tr><td>{told}</td><td>{html.escape(words if told else line)}</td></tr>"


def serve(layout: Layout, log: Path, ports: tuple[int, ...] = PORTS, host: str = "") -> list[ThreadingHTTPServer]:
    """One server a port that is free, each in a thread; raises OnboardError where none is."""

    class Page(BaseHTTPRequestHandler):
        """The one page, at every address; 503, so that no program takes it for the real one."""

        server_version, sys_version = "platewatch", ""
        timeout = 10

        def do_GET(self) -> None:
            raw = compose(layout, log).encode(errors="replace")
            self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
            for name, value in (
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Length", str(len(raw))),
                ("Cache-Control", "no-store"),
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
                ("X-Content-Type-Options", "nosniff"),
            ):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(raw)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Who looks is nobody's business."""

    servers = []
    for port in ports:
        try:
            servers.append(ThreadingHTTPServer((host, port), Page))
        except OSError:
            continue
    if not servers:
        raise OnboardError(f"no page: the ports {' and '.join(map(str, ports))} are taken")
    for server in servers:
        threading.Thread(target=server.serve_forever, name="page", daemon=True).start()
    return servers
