"""What the board says about itself."""

from __future__ import annotations

from pathlib import Path

THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")


def temperature_c(path: Path = THERMAL) -> float | None:
    """The processor's temperature in degrees Celsius, None where the machine does not tell."""
    try:
        return int(path.read_text()) / 1000.0
    except (OSError, ValueError):
        return None


def resident_mb() -> float | None:
    """This process's resident memory, MiB (1024 * 1024 bytes); None outside Linux."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None
