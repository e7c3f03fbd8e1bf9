"""What computer this is, and what state it is in. Everything that it does not tell is None; nothing here raises."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from edge.bench.result import Busy, Machine, Software, State
from edge.firmware import ask as ask
from edge.firmware import text_of as text_of
from edge.firmware import throttling as throttling
from edge.health import temperature_c

CPUS = Path("/sys/devices/system/cpu")
FLAGS = {
    "asimddp": "dotprod", "i8mm": "i8mm", "sve": "sve", "asimd": "neon", "avx2": "avx2", "fma": "fma", "avx512f": "avx512f",
    "avx512_vnni": "avx512_vnni", "avx_vnni": "avx_vnni", "amx_int8": "amx_int8",
}  # fmt: skip
"""Name in /proc/cpuinfo -> the usual name of an instruction set that int8 or float networks gain from."""
PACKAGES = ("ai-edge-litert", "tflite-runtime", "tensorflow-cpu", "tensorflow", "keras", "numpy", "opencv-python-headless")
HOT_C = 80.0


def machine(root: Path = Path("/")) -> Machine:
    """The computer. `root` is where /proc and /sys are."""
    cpuinfo = text_of(root / "proc/cpuinfo") or ""
    first = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in cpuinfo.splitlines()) if key.strip()}
    words = set((first.get("flags") or first.get("Features") or "").split())
    board = text_of(root / "proc/device-tree/model") or first.get("Model")
    maker, product = (text_of(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name"))
    processor = first.get("model name") or (f"{first['CPU implementer']} {first['CPU part']}" if "CPU part" in first else None)
    memory = re.search(r"MemTotal:\s+(\d+) kB", text_of(root / "proc/meminfo") or "")
    return Machine(
        model=board or " ".join(part for part in (maker, product) if part) or processor or platform.machine(),
        processor=processor,
        architecture=platform.machine(),
        flags=tuple(name for word, name in FLAGS.items() if word in words),
        cores=os.cpu_count() or 1,
        memory_mb=round(int(memory[1]) / 1024) if memory else None,
        governor=text_of(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        virtual="hypervisor" in words,
    )


def state() -> State:
    """How the computer is just now."""
    speeds = [text_of(path) for path in sorted(CPUS.glob("cpu[0-9]*/cpufreq/scaling_cur_freq"))]
    return State(
        frequency_mhz=tuple(int(speed) / 1000 for speed in speeds if speed and speed.isdigit()) or None,
        temperature_c=temperature_c(),
        throttled=throttling(ask("vcgencmd", "get_throttled")),
        load=(round(os.getloadavg()[0], 2), round(os.getloadavg()[1], 2), round(os.getloadavg()[2], 2)),
    )


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds since the start: the wall's, those of all processes on all cores, those stolen by a host, our own."""

    wall_s: float
    all_s: float
    stolen_s: float
    own_s: float

    @classmethod
    def read(cls) -> Clocks | None:
        """None where /proc/stat is missing."""
        words = (text_of(Path("/proc/stat")) or "").split("\n")[0].split()
        if len(words) < 9 or words[0] != "cpu":
            return None
        user, nice, system, _, _, irq, softirq, stolen = (int(word) / os.sysconf("SC_CLK_TCK") for word in words[1:9])
        times = os.times()
        return cls(time.monotonic(), user + nice + system + irq + softirq, stolen, sum(times[:4]))

    def until(self, later: Clocks) -> Busy:
        """What others took in between; our children count as ours once they have ended."""
        wall_s = max(0.01, later.wall_s - self.wall_s)
        others_s = (later.all_s - self.all_s) - (later.own_s - self.own_s)
        return Busy(others=round(max(0.0, others_s) / wall_s, 2), stolen=round(max(0.0, later.stolen_s - self.stolen_s) / wall_s, 2))


def command(*program: str) -> str:
    """What was typed, of paths their last part alone: the result may be published, and a home folder's name is a person's."""
    return shlex.join([*program, *(Path(word).name if "/" in word else word for word in sys.argv[1:])])


def software() -> Software:
    """Versions of what matters here."""
    from importlib.metadata import PackageNotFoundError, version

    from edge.status import version as own_version

    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    release = re.search(r'^PRETTY_NAME="?([^"\n]+)', text_of(Path("/etc/os-release")) or "", re.MULTILINE)
    git = _git(Path(__file__).parents[2])
    system = f"{release[1] if release else platform.system()}, kernel {platform.release()}"
    return Software(platewatch=own_version(), python=platform.python_version(), system=system, packages=packages, git=git)


def _git(folder: Path) -> str | None:
    """The commit that the folder is at, with + where files differ from it; None outside a repository."""
    if not (folder / ".git").exists():
        return None
    commit = ask("git", "-C", str(folder), "rev-parse", "--short=12", "HEAD")
    return commit and commit + ("+" if ask("git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no") else "")


def warnings(before: State, after: State, busy: Busy | None, cores: int) -> list[str]:
    """What makes the figures doubtful, a sentence each."""
    said = []
    if busy is not None and busy.others > 0.15:
        said.append(f"other programs took {busy.others:.1f} of {cores} cores while measuring: stop them and measure again")
    if busy is not None and busy.stolen > 0.05:
        said.append(f"the host of this virtual machine took {busy.stolen:.1f} cores away while measuring: the figures are too high")
    if before.load and before.load[0] > 0.5 * cores and not said:
        said.append(f"the load was {before.load[0]:.1f} on {cores} cores before the start: the first figures may be too high")
    for what in after.throttled or ():
        new = before.throttled is None or what not in before.throttled
        since = what.endswith("since the start")
        if not since or new:
            said.append(f"the board reports {what}: give it a proper power supply, a heat sink or a fan, and measure again")
    if after.temperature_c is not None and after.temperature_c >= HOT_C:
        said.append(f"the processor ended at {after.temperature_c:.0f} C: a Raspberry Pi slows down from 80 C")
    if before.frequency_mhz and after.frequency_mhz and max(after.frequency_mhz) < 0.9 * max(before.frequency_mhz):
        said.append(f"the clock fell from {max(before.frequency_mhz):.0f} to {max(after.frequency_mhz):.0f} MHz while measuring")
    return said
