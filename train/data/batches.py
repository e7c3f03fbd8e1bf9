"""Batches by number: the same seed and number give the same batch, so a resumed run goes on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from edge.records import Luma
from edge.vision.quant import normalise

Rng = np.random.Generator
Sampler = Callable[[Rng], tuple[Luma, npt.NDArray[np.float32]]]
Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class Mixture:
    """One sampler out of several, by stated shares."""

    def __init__(self, parts: Sequence[tuple[float, Sampler]]) -> None:
        shares = np.array([share for share, _ in parts], dtype=np.float64)
        self.samplers = [sampler for _, sampler in parts]
        self.shares = np.cumsum(shares / shares.sum())

    def __call__(self, rng: Rng) -> tuple[Luma, npt.NDArray[np.float32]]:
        return self.samplers[min(int(np.searchsorted(self.shares, rng.random())), len(self.samplers) - 1)](rng)


def draw_batch(sampler: Sampler, seed: int, number: int, size: int) -> Batch:
    """Luma (size, H, W, 1) float32 normalised, targets (size, ...) float32."""
    samples = [sampler(np.random.default_rng((seed, number, place))) for place in range(size)]
    return normalise(np.stack([luma for luma, _ in samples]))[..., None], np.stack([target for _, target in samples])


def batches(sampler: Sampler, seed: int, size: int, first: int, last: int, ahead: int = 4) -> Iterator[Batch]:
    """Batches number `first` to `last - 1`, drawn ahead of time in the background."""
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        waiting: list[Future[Batch]] = []
        try:
            for number in range(first, last):
                waiting.append(pool.submit(draw_batch, sampler, seed, number, size))
                if len(waiting) > ahead:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()
