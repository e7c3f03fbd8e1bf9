"""The processors of the boards, as QEMU and the runtime's processor detection know them, and what an estimate assumes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import ConfigError

CORES = 4


@dataclass(frozen=True, slots=True)
class Cpu:
    """One processor. `part` is ARM's number for it, by which XNNPACK picks its kernels; `features` as /proc/cpuinfo tells them.

    The clocks in Hz and the instructions a cycle are the slow and the fast end of what docs/cost.md argues.
    """

    name: str
    board: str
    part: int
    features: str
    clocks_hz: tuple[float, float]
    per_cycle: tuple[float, float]

    def cpuinfo(self) -> str:
        """/proc/cpuinfo of the board."""
        lines = ["processor\t: {}", "BogoMIPS\t: 108.00", f"Features\t: {self.features}", "CPU implementer\t: 0x41", "CPU architecture: 8"]
        lines += ["CPU variant\t: 0x0", f"CPU part\t: {self.part:#05x}", "CPU revision\t: 3", ""]
        core = "\n".join(lines)
        return "\n".join(core.format(number) for number in range(CORES))


_V8 = "fp asimd evtstrm crc32 cpuid"
_V8_2 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
CPUS = {
    cpu.name: cpu
    for cpu in (
        Cpu("cortex-a53", "Pi 3", 0xD03, _V8, (1.2e9, 1.4e9), (0.7, 1.4)),
        Cpu("cortex-a72", "Pi 4", 0xD08, _V8, (1.5e9, 1.8e9), (1.2, 2.2)),
        Cpu("cortex-a76", "Pi 5", 0xD0B, _V8_2, (2.4e9, 2.4e9), (1.2, 2.9)),
    )
}
"""Name -> processor. QEMU's `max` is not among them: it computes wrong results."""


def choose(words: str) -> Sequence[Cpu]:
    """From `cortex-a72,cortex-a76`. Raises ConfigError naming what is not known."""
    names = [word.strip() for word in words.split(",") if word.strip()]
    unknown = [name for name in names if name not in CPUS]
    if unknown or not names:
        raise ConfigError(f"--cpu {words}: {unknown[0] if unknown else 'nothing'} is not known; known are {', '.join(CPUS)}")
    return [CPUS[name] for name in dict.fromkeys(names)]
