"""What int8 does to each layer: sums over pictures, and the figures made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from convert.layers.matching import Pair

Floats = npt.NDArray[np.float32]
Int8 = npt.NDArray[np.int8]
Sums = npt.NDArray[np.float64]
LOW, HIGH = -128, 127
FIRST, BIN, BARS = -384.5, 4, 192
"""The histogram: floats in int8 steps from FIRST on, BIN steps a bar, so that -128 and 127 end one; what lies beyond is in the outermost bars."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's figures. SQNR in dB: 10 log10 of the float signal's power over the error's; None where there is no error at all.

    whole      the whole int8 network against the whole float network: everything lost up to here
    alone      this layer's own int8 kernel, with int8 weights, fed with what the float network has before it
    rounding   the float layer's result rounded and clipped to int8, nothing else
    weights    the int8 weights against the float ones
    fell       how much `whole` is below that of the worst of what the layer reads
    relative   rms of the whole network's error over the float values' standard deviation
    clipped    share of float values outside what int8 can say, by more than half a step; `clipping` what that alone costs, dB
    at_low, at_high   share of the int8 network's values at -128 and at 127; after a ReLU -128 is zero and no loss
    used       share of the 256 numbers between the smallest and the largest that occurred
    idle_bits  mean over the channels of log2(what int8 reaches / the channel's largest float value): bits that channels leave unused, as all share one
               scale; equalizing the channels across layers would win them back
    channel, channel_db   the channel (last axis) with the least `whole`, and what it has
    """

    operation: int
    kind: str
    name: str
    fold: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    output: bool
    moves: bool
    whole: float | None
    alone: float | None
    rounding: float | None
    weights: float | None
    fell: float | None
    relative: float
    clipped: float
    clipping: float | None
    at_low: float
    at_high: float
    used: float
    idle_bits: float
    channel: int
    channel_db: float | None


@dataclass(slots=True)
class Tally:
    """Sums of one layer over all pictures; those with a channel are along the last axis."""

    pair: Pair
    signal: Sums
    error: Sums
    peaks: Sums
    total: float = 0.0
    alone: float = 0.0
    rounding: float = 0.0
    clipping: float = 0.0
    values: int = 0
    clipped: int = 0
    at_low: int = 0
    at_high: int = 0
    smallest: int = HIGH
    largest: int = LOW
    histogram: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BARS, np.int64))

    @classmethod
    def of(cls, pair: Pair) -> Tally:
        channels = pair.shape[-1] if pair.shape else 1
        return cls(pair, np.zeros(channels), np.zeros(channels), np.zeros(channels))

    def add(self, floats: Floats, whole: Int8, alone: Int8) -> None:
        """One picture: the float network's values, the int8 network's, and those of the layer's int8 kernel on float inputs."""
        scale, zero = np.float32(self.pair.scale), np.float32(self.pair.zero_point)
        steps = floats / scale + zero
        kept = np.clip(np.rint(steps), LOW, HIGH)
        channels = len(self.signal)
        error = (whole - zero) * scale - floats
        self.signal += np.square(floats.reshape(-1, channels), dtype=np.float64).sum(axis=0)
        self.error += np.square(error.reshape(-1, channels), dtype=np.float64).sum(axis=0)
        self.peaks = np.maximum(self.peaks, np.abs(floats.reshape(-1, channels)).max(axis=0))
        self.total += float(floats.sum(dtype=np.float64))
        self.alone += _power((alone - zero) * scale - floats)
        self.rounding += _power((kept - steps) * scale)
        self.values += floats.size
        beyond = (steps < LOW - 0.5) | (steps > HIGH + 0.5)
        self.clipped += int(beyond.sum())
        self.clipping += _power((kept - steps)[beyond] * scale)
        self.at_low += int((whole == LOW).sum())
        self.at_high += int((whole == HIGH).sum())
        self.smallest, self.largest = min(self.smallest, int(whole.min())), max(self.largest, int(whole.max()))
        bars = np.clip((steps.ravel() - FIRST) / BIN, 0, BARS - 1).astype(np.int64)
        self.histogram += np.bincount(bars, minlength=BARS)

    @property
    def whole(self) -> float | None:
        return decibels(float(self.signal.sum()), float(self.error.sum()))


def _power(error: npt.NDArray[np.floating]) -> float:
    return float(np.square(error, dtype=np.float64).sum())


def decibels(signal: float, error: float) -> float | None:
    """10 log10(signal / error); None without an error, -inf cannot be: no signal and some error is -200."""
    if error <= 0.0:
        return None
    return 10.0 * float(np.log10(max(signal / error, 1e-20)))


def fake_quantized(values: Floats, scale: float, zero_point: int) -> Floats:
    """The values as int8 would keep them: rounded to a step, clipped to the range."""
    return np.asarray((quantized(values, scale, zero_point).astype(np.float32) - np.float32(zero_point)) * np.float32(scale), np.float32)


def quantized(values: Floats, scale: float, zero_point: int) -> Int8:
    """float32 -> int8, rounded to nearest, clipped."""
    return np.asarray(np.clip(np.rint(values / np.float32(scale)) + zero_point, LOW, HIGH), np.int8)


def layers(tallies: list[Tally], weights: dict[int, float | None]) -> list[Layer]:
    """The figures. `weights`: SQNR of the weights by the layer's int8 tensor."""
    whole = {tally.pair.int8: tally.whole for tally in tallies}
    return [_layer(tally, whole, weights.get(tally.pair.int8)) for tally in tallies]


def _idle_bits(tally: Tally) -> float:
    reach = max(HIGH - tally.pair.zero_point, tally.pair.zero_point - LOW) * tally.pair.scale
    peaks = tally.peaks[tally.peaks > 0]
    return float(np.log2(reach / peaks).mean()) if len(peaks) else 0.0


def _layer(tally: Tally, whole: dict[int, float | None], weights: float | None) -> Layer:
    pair, signal, error = tally.pair, float(tally.signal.sum()), float(tally.error.sum())
    number = max(1, tally.values)
    deviation = float(np.sqrt(max(0.0, signal / number - (tally.total / number) ** 2)))
    here = tally.whole
    before = [said for source in pair.sources if (said := whole.get(source)) is not None]
    live = np.flatnonzero((tally.error > 0) & (tally.signal > 1e-6 * max(float(tally.signal.max()), 1e-30)))
    ratios = tally.signal[live] / tally.error[live]
    worst = int(live[int(ratios.argmin())]) if len(live) else -1
    return Layer(
        pair.operation, pair.kind, pair.name, pair.fold, pair.shape, pair.scale, pair.zero_point, pair.output, pair.moves,
        whole=here,
        alone=decibels(signal, tally.alone),
        rounding=decibels(signal, tally.rounding),
        weights=weights,
        fell=None if here is None or not before else min(before) - here,
        relative=float(np.sqrt(error / number)) / deviation if deviation > 0 else 0.0,
        clipped=tally.clipped / number,
        clipping=decibels(signal, tally.clipping),
        at_low=tally.at_low / number,
        at_high=tally.at_high / number,
        used=(max(0, tally.largest - tally.smallest) + 1) / 256 if tally.values else 0.0,
        idle_bits=_idle_bits(tally),
        channel=worst,
        channel_db=decibels(float(tally.signal[worst]), float(tally.error[worst])) if worst >= 0 else None,
    )  # fmt: skip
