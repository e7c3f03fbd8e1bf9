"""From instructions to milliseconds: an estimate, never a measurement. docs/cost.md argues the clocks and the instructions a cycle."""

from __future__ import annotations

from dataclasses import dataclass

from convert.cost.cpus import Cpu


@dataclass(frozen=True, slots=True)
class Estimate:
    """Milliseconds a run on one core: with everything at its best, and at its worst."""

    fast_ms: float
    slow_ms: float

    def words(self) -> str:
        """Such as `31-70 ms, 14-32/s`."""
        return f"{_short(self.fast_ms)}-{_short(self.slow_ms)} ms, {_short(1000 / self.slow_ms)}-{_short(1000 / self.fast_ms)}/s"


def estimate(instructions: int, cpu: Cpu) -> Estimate:
    """instructions / (clock x instructions a cycle), at both ends."""
    (slow_hz, fast_hz), (few, many) = cpu.clocks_hz, cpu.per_cycle
    return Estimate(1000 * instructions / (fast_hz * many), 1000 * instructions / (slow_hz * few))


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 9.5 else f"{value:.1f}"
