"""`platewatch support OUT.zip`: what somebody needs who helps from afar, and nothing of anybody who drove past.

No plate, no picture, no list, no secret, no coordinate, no address of a target. What could hold one is scrubbed (`edge.scrubbing`), or not taken at all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, PlatewatchError

if TYPE_CHECKING:
    from edge.config import Config
    from edge.scrubbing import Scrubber

LOG_LINES = 500
UNITS = ("platewatch", "platewatch-web")
PATIENCE_S = 200.0
PACKAGES = ("a2wsgi", "ai-edge-litert", "flask", "h11", "numpy", "opencv-python-headless", "paho-mqtt", "picamera2", "pydantic", "tomlkit", "uvicorn")
KERNEL_WORDS = ("voltage", "throttl", "oom", "out of memory", "i/o error", "mmc", "usb", "v4l2", "unicam", "ext4", "read-only")
"""Lines of the kernel's log that hold one of these are taken."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT.zip", help="the file to write")
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--log", metavar="FILE", action="append", default=[], help="a log file to take the end of; without, the journal is asked")


def run(args: argparse.Namespace) -> int:
    """0; raises PlatewatchError where nothing can be written."""
    out = Path(args.out)
    if out.suffix.lower() != ".zip":
        raise ConfigError(f"{out}: name a file that ends in .zip")
    config_file = Path(args.config)
    if not config_file.exists():
        raise ConfigError(f"{config_file}: there is no such file; name the config with --config")
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(bundle(config_file, [Path(name) for name in args.log]))
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from None
    print(f"{out}: written; look into it before you send it to anybody")
    return 0


def bundle(config_file: Path, logs: list[Path] | None = None, examined: str | None = None) -> bytes:
    """The whole zip. A part that cannot be had is a sentence in its place. `examined`: what `doctor --json` has said already."""
    import io

    from edge import safe
    from edge.scrubbing import Scrubber

    config, trouble = safe.page_config(config_file)
    scrubber = Scrubber.of(config, config_file)
    parts: dict[str, Callable[[], Any]] = {
        "versions.json": versions,
        "config.json": lambda: config_told(config, trouble, scrubber),
        "status.json": lambda: status_told(config),
        "doctor.jsonl": lambda: doctor(config_file) if examined is None else examined,
        "log.txt": lambda: log_tail(logs or []),
        "kernel.txt": kernel_log,
        "models.json": lambda: models(config),
        "sizes.json": lambda: sizes(config, config_file),
        "metrics.txt": lambda: metrics(config),
    }
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as box:
        for name, make in parts.items():
            try:
                made = make()
            except (PlatewatchError, OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
                made = f"cannot be had: {error}"
            text = made if isinstance(made, str) else json.dumps(scrubber.values(made), indent=1, ensure_ascii=False, default=str)
            box.writestr(name, scrubber.text(text) if isinstance(made, str) else text)
    return room.getvalue()


def versions() -> dict[str, Any]:
    from importlib import metadata

    from edge.status import utc_iso, version

    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    model = Path("/proc/device-tree/model")
    board = model.read_text().rstrip("\0") if model.is_file() else platform.machine()
    return {
        "platewatch": version(), "python": platform.python_version(), "system": platform.platform(), "board": board, "cores": os.cpu_count(),
        "made_at": utc_iso(datetime.now(UTC)), "packages": found,
    }  # fmt: skip


def config_told(config: Config, trouble: str, scrubber: Scrubber) -> dict[str, Any]:
    """Every key that is not at its default, as far as it may be told."""
    from edge.config import sections

    told: dict[str, Any] = {"trouble": scrubber.text(trouble)}
    for section in sections():
        found = getattr(config, section)
        told[section] = [scrubber.section(section, one) for one in found] if isinstance(found, tuple) else scrubber.section(section, found)
    return {name: value for name, value in told.items() if value}


def status_told(config: Config) -> dict[str, Any] | str:
    """Without what is in view."""
    from edge.status import read

    told = read(Path(config.runtime.directory))
    if told is None:
        return "the daemon has left no status"
    left = {name: value for name, value in told.items() if name not in ("plates_in_view", "aid")}
    gate = left.get("gate")
    return left | ({"gate": {name: value for name, value in gate.items() if name != "last"}} if isinstance(gate, dict) else {})


def doctor(config_file: Path) -> str:
    root = str(Path(__file__).parents[1])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    words = [sys.executable, "-m", "edge", "doctor", "--json", "--config", str(config_file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=os.environ | {"PYTHONPATH": paths})
    return done.stdout


def log_tail(files: list[Path]) -> str:
    """The last lines of log files or, without any, of the journal."""
    if files:
        return "\n".join(f"== {file.name}\n" + "\n".join(_tail(file)) for file in files)
    words = ["journalctl", "--no-pager", "--output=short-iso", "--no-hostname", f"--lines={LOG_LINES}", *(f"--unit={unit}" for unit in UNITS)]
    return _asked(words) or "there is no journal that this user may read"


def kernel_log() -> str:
    said = _asked(["dmesg", "--notime"]) or _asked(["journalctl", "--dmesg", "--no-pager", "--output=cat", "--lines=2000"])
    lines = [line for line in said.splitlines() if any(word in line.lower() for word in KERNEL_WORDS)]
    return "\n".join(lines[-200:]) or "the kernel's log may not be read by this user, or says nothing of note"


def models(config: Config) -> list[dict[str, Any]]:
    """Name and hash of each bundle; what it learnt from is its own affair."""
    from edge.wiring import bundle_dir

    found = []
    for kind in ("detector", "reader"):
        folder = bundle_dir(getattr(config.models, kind))
        about = json.loads((folder / "manifest.json").read_bytes())
        found.append({"kind": kind, "shipped": "/" not in getattr(config.models, kind)} | {name: about.get(name) for name in ("sha256", "codec", "git", "v")})
    return found


def sizes(config: Config, config_file: Path) -> dict[str, Any]:
    """Bytes of the files, rows of the tables, and room on the disk; no names of files but our own."""
    import shutil
    import sqlite3

    store = Path(config.store.path)
    told: dict[str, Any] = {"config_bytes": config_file.stat().st_size}
    told["store_bytes"] = {part: _size(Path(f"{store}{suffix}")) for part, suffix in (("file", ""), ("wal", "-wal"))}
    if store.exists():
        told["disk"] = dict(zip(("total", "used", "free"), shutil.disk_usage(store.parent), strict=True))
        try:
            with sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=1.0) as db:
                tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
                told["rows"] = {name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}
            db.close()
        except sqlite3.Error as error:
            told["rows"] = f"the store cannot be read ({error})"
    from edge.lists.settings import KINDS

    told["lists"] = {kind: [_size(Path(name)) for name in getattr(config.lists, kind)] for kind in KINDS}
    return told


def metrics(config: Config) -> str:
    """Of the daemon's last status."""
    from edge.status import read

    told = read(Path(config.runtime.directory)) or {}
    lines = [f"{stage} {json.dumps(figures)}" for stage, figures in (told.get("stages_ms") or {}).items()]
    lines += [f"{name} {told[name]}" for name in ("fps", "events", "threads") if name in told]
    return "\n".join(lines + [f"reason {json.dumps(name)} {count}" for name, count in (told.get("reasons") or {}).items()])


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _tail(path: Path, most: int = 1 << 20) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - most))
        return file.read(most).decode("utf-8", "replace").splitlines()[-LOG_LINES:]


def _asked(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
