"""How many threads the networks get."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.config import Config, ModelsConfig


def threads_for(models: ModelsConfig) -> tuple[int, str]:
    """How many, and why: as set, or with 0 as was measured here, else a guess.

    Networks this small gain nothing from more than two threads, and one core stays free for the camera.
    """
    if models.threads:
        return models.threads, "set"
    if not Path(models.measured).is_file():
        return max(1, min(2, (os.cpu_count() or 1) - 1)), "guessed"
    from edge.bench.advice import best_count, thread_times
    from edge.bench.result import load_result

    result = load_result(Path(models.measured))
    times = thread_times(result.cells)
    if not times or result.machine.cores != os.cpu_count():
        raise ConfigError(f"{models.measured}: was not measured on this device; run platewatch bench --json {models.measured} here, or set models.threads")
    return best_count(times), "measured"


def with_threads(config: Config) -> tuple[Config, str]:
    """The config with the number of threads that it comes to here, and why it is so many."""
    threads, why = threads_for(config.models)
    return config.model_copy(update={"models": config.models.model_copy(update={"threads": threads})}), why
