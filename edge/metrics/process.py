"""What another process takes, as the kernel tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes resident now, bytes that reached the disk since the start, seconds of processor; None where the kernel does not tell."""

    resident_bytes: int | None = None
    written_bytes: int | None = None
    cpu_s: float | None = None


def footprint(pid: int, root: Path = Path("/proc"), *, ticks_per_s: int = 100) -> Footprint:
    """Of process `pid`. Nothing here raises: it may have ended, or belong to another user."""
    folder = root / str(pid)
    resident_kb, written, cancelled = (
        counted(folder / "status", "VmRSS"),
        counted(folder / "io", "write_bytes"),
        counted(folder / "io", "cancelled_write_bytes"),
    )
    return Footprint(
        None if resident_kb is None else 1024 * resident_kb,
        None if written is None else max(0, written - (cancelled or 0)),
        _cpu_s(folder / "stat", ticks_per_s),
    )


def counted(path: Path, name: str) -> int | None:
    """A number of `name: number unit` lines, such as those of /proc/PID/status; None where there is none."""
    try:
        for line in path.read_text().splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0])
    except (OSError, ValueError, IndexError):
        pass
    return None


def _cpu_s(path: Path, ticks_per_s: int) -> float | None:
    """The program's name stands in brackets and may hold anything: what counts comes after the last one."""
    try:
        words = path.read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / ticks_per_s
    except (OSError, ValueError, IndexError):
        return None
