"""Memory and handles over the day, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.soak.watching import Sample


def plot(samples: Sequence[Sample], warm_up_h: float, path: Path) -> None:
    """PNG; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    hours = [one.hours for one in samples]
    figure, (memory, counts, disk) = pyplot.subplots(3, 1, figsize=(7, 6), sharex=True, layout="constrained")
    memory.plot(hours, [one.rss_mb for one in samples], label="resident")
    memory.plot(hours, [one.private_mb for one in samples], label="private")
    memory.set_ylabel("MB")
    memory.set_ylim(0)
    counts.plot(hours, [one.handles for one in samples], label="open handles")
    counts.plot(hours, [one.threads for one in samples], label="threads")
    counts.set_ylim(0)
    disk.plot(hours, [one.files_mb for one in samples], label="all files, MB")
    disk.plot(hours, [one.wal_mb for one in samples], label="write-ahead log, MB")
    disk.plot(hours, [one.waiting / 10 for one in samples], label="waiting for a target, tens")
    disk.set_ylim(0)
    disk.set_xlabel("simulated hours")
    for axes in (memory, counts, disk):
        axes.axvspan(0, warm_up_h, color="0.92")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
