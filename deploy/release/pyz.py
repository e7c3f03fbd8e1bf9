"""`onboard.pyz`: deploy/onboard as one file that a bare Python 3.11 runs before anything is installed."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

from deploy.release.errors import ReleaseError

SOURCE = Path(__file__).resolve().parents[2]
"""Where the folder `deploy` stands."""
MAIN = "from deploy.onboard.cli import main\n\nraise SystemExit(main())\n"
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def build(out: Path, source: Path = SOURCE) -> Path:
    """Write it to `out`; the same sources make the same bytes (stored, since what packs differs from machine to machine)."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(packed(source))
        out.chmod(0o755)
    except OSError as error:
        raise ReleaseError(f"{out}: cannot be written ({error.strerror})") from None
    return out


def packed(source: Path) -> bytes:
    """The bytes of the file; ReleaseError where `source` does not hold deploy/onboard."""
    onboard = source / "deploy" / "onboard"
    if not (onboard / "__main__.py").is_file():
        raise ReleaseError(f"{onboard}: holds no __main__.py, so there is nothing that could run on the device")
    files = [path for path in sorted(onboard.rglob("*")) if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"]
    contents = {"__main__.py": MAIN.encode(), "deploy/__init__.py": b""} | {path.relative_to(source).as_posix(): path.read_bytes() for path in files}
    buffer = io.BytesIO(b"#!/usr/bin/env python3\n")
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as packed_file:
        for name, raw in sorted(contents.items()):
            about = zipfile.ZipInfo(name, LONG_AGO)
            about.create_system, about.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            packed_file.writestr(about, raw)
    return buffer.getvalue()
