"""Files of a broker's folder: read and written whole."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.broker.errors import BrokerError


def read(path: Path) -> str:
    """Its text; BrokerError where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BrokerError(f"{path}: is damaged, it holds no text; put it back from a copy, or delete it and give `broker init` again") from None


def write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all, on the disk when this returns, and never readable by others for a moment where it must not be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise BrokerError(f"{path}: is a folder, and should be a file (docker makes one where a file that it mounts is missing); remove it")
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)  # a umask must not hide from a container's user what it is to read
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
