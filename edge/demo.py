"""`platewatch demo`: the real daemon and the real page, on a bundled clip of drawn plates played as a camera."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.child import running
from edge.errors import PlatewatchError

if TYPE_CHECKING:
    from rich.console import Console

    from edge.records import Event

CLIP = Path(__file__).parent / "clips" / "demo.mp4"
HOST = "127.0.0.1"
GRACE_S = 8.0


class DemoError(PlatewatchError):
    """The demo cannot start, or one of its two processes ended by itself."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--for", dest="for_s", type=float, metavar="SECONDS", help="end by itself after so long and print a summary")
    parser.add_argument("--port", type=int, default=8080, help="port of the status page (default: %(default)s)")
    parser.add_argument("--clip", type=Path, default=CLIP, metavar="PATH", help="a video or a folder of pictures instead of the bundled clip")


def run(args: argparse.Namespace) -> int:
    """Until Ctrl-C, or for as long as asked; both processes are stopped in either case."""
    from rich.console import Console

    if not args.clip.exists():
        raise DemoError(f"{args.clip}: no such clip; name another with --clip")
    if not 1 <= args.port <= 65535:
        raise DemoError(f"there is no port {args.port}; name one from 1 to 65535 with --port")
    _require_free(args.port)
    console, shown = Console(highlight=False), set[str]()
    folder = Path(tempfile.mkdtemp(prefix="platewatch-demo-"))
    try:
        config = _write_config(folder, args.clip.resolve(), args.port)
        with _stopping_by_signal(), _started("daemon", "run", config) as daemon, _started("page", "web", config) as page:
            try:
                _watch(console, folder, {"daemon": daemon, "page": page}, args, shown)
            except KeyboardInterrupt:
                console.print("\nstopping")
        for event in _new_events(folder, shown):  # what settled as the daemon ended
            _show(console, event)
        if args.for_s is not None:
            _summarise(console, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DemoError(f"port {port} cannot be used ({error.strerror}); choose another, such as --port {port + 1 if port < 65535 else 8080}") from None


def _write_config(folder: Path, clip: Path, port: int) -> Path:
    """TOML takes JSON's strings as they are. The clip comes round soon, so a plate counts again sooner than on a street."""
    path = folder / "demo.toml"
    lines = [
        "[camera]", 'name = "demo"', 'kind = "files"', f"source = {json.dumps(str(clip))}", "loop = true",
        "[tracking]", "repeat_after_s = 4.0",
        "[store]", 'path = "events.sqlite"', "keep_at_least_mb_free = 0",
        "[web]", f'host = "{HOST}"', f"port = {port}",
        "[runtime]", 'directory = "run"',
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@contextmanager
def _stopping_by_signal() -> Iterator[None]:
    """A closed terminal and a polite kill end the demo as Ctrl-C does (which a shell that starts it with `&` has turned off)."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _started(name: str, command: str, config: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """In a session of its own: Ctrl-C reaches this process alone, which then stops the two in order."""
    return running(["edge", command, "--config", str(config)], config.parent / f"{name}.log", grace_s=GRACE_S, session=True)


def _watch(console: Console, folder: Path, processes: dict[str, subprocess.Popen[bytes]], args: argparse.Namespace, shown: set[str]) -> None:
    """Print the address and each event as it settles; DemoError when a process ends by itself."""
    ends_at = None if args.for_s is None else time.monotonic() + args.for_s
    told = False
    while ends_at is None or time.monotonic() < ends_at:
        for name, process in processes.items():
            if process.poll() is not None:
                last = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
                # A process that was killed had no last words: what stands there last is some other line.
                end = f"was killed by signal {-process.returncode}" if process.returncode < 0 else f"ended by itself (exit {process.returncode})"
                raise DemoError(f"the {name} {end}" + (f": {last[0]}" if last and process.returncode > 0 else ""))
        if not told and _answers(args.port):
            told = True
            console.print(f"Watching {args.clip.name} as a camera. Look at [bold]http://{HOST}:{args.port}/[/bold]  (Ctrl-C stops)")
        for event in _new_events(folder, shown):
            _show(console, event)
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0


def _new_events(folder: Path, shown: set[str]) -> list[Event]:
    """Events not shown yet, oldest first."""
    from edge.errors import StoreError
    from edge.store import Store

    try:
        with Store(folder / "events.sqlite", read_only=True) as store:
            fresh = [event for event in store.events(50) if event.id not in shown]
    except StoreError:  # the daemon has not made it yet
        return []
    shown.update(event.id for event in fresh)
    return fresh[::-1]


def _show(console: Console, event: Event) -> None:
    """The plates of the clip are drawn, so their text may be shown."""
    clock = event.last_seen[11:19]
    looks = f"{event.agreeing} of {event.looks} looks agree" + (", two lines" if event.lines == 2 else "")
    console.print(f"{clock}  [bold green]{event.text:<10}[/bold green]  confidence {event.confidence:.2f}  {looks}  {event.duration_s:.1f} s in view")


def _summarise(console: Console, folder: Path) -> None:
    from rich.table import Table

    from edge import status

    found: dict[str, Any] = status.read(folder / "run") or {}
    if not found.get("camera", {}).get("frames"):
        raise DemoError("the daemon worked no frame in that time; try a longer --for")
    camera, table = found["camera"], Table(title="Summary", show_header=False)
    rows = {
        "frames": f"{camera['frames']} from the camera at {camera['fps']:.1f}/s, {camera['dropped']} dropped",
        "worked": f"{found['fps']:.1f} frames/s",
        "events": str(found["events"]),
        "median": ", ".join(f"{stage} {ms['median']:.2f} ms" for stage, ms in found["stages_ms"].items()),
        "no event": ", ".join(f"{reason} {count}" for reason, count in found["reasons"].items()) or "-",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)
