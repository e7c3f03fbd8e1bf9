"""`platewatch bench --stream`: the real daemon, measured from outside while it plays recordings as its camera."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.bench.circumstances import Circumstances
from edge.bench.device import model_file, show
from edge.bench.figures import Samples
from edge.bench.glass import glass, watch
from edge.bench.machine import command
from edge.bench.power import find_meter
from edge.bench.probe import NOTES
from edge.bench.recordings import CLIP, FASTEST_FPS, STILL_FPS, Film, drive, film, still
from edge.bench.result import Cell, Result, Setting
from edge.bench.streamed import Glass, Goal, Streamed, StreamRun
from edge.bench.watched import BenchError, config_text, daemon
from edge.model.manifest import load_manifest
from edge.tracking.settings import TrackingConfig

WARM_FRAMES = 30
MANY_FRAMES = 1000
FPS_720P, CORE_SHARE, MEMORY_MB, PREVIEW_FRAMES = 30.0, 0.25, 150.0, 3.0
"""What is demanded: frames a second at 720p with one thread, share of a core while nothing moves, resident memory (MB of a million bytes), frames from the
last agreeing read that a preview needs to the preview."""
SMALL = "720p"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: recordings (none: the bundled clip and drawn streams), the two bundles, threads; `rounds` times `budget_s` seconds of each."""

    recordings: Sequence[str]
    folders: tuple[Path, Path]
    threads: int
    rounds: int
    budget_s: float
    seed: int


class Bench:
    """One measurement in a folder of its own."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder, self._numbers = plan, folder, itertools.count(1)

    def films(self) -> list[Film]:
        """What is played as fast as it goes, and again for the events."""
        if self._plan.recordings:
            return [film(path) for path in self._plan.recordings]
        return [film(CLIP), drive(self._folder, SMALL), drive(self._folder, "1080p"), drive(self._folder, "1080p", plates=4)]

    def fast(self, played: Film, frames: int = 0) -> StreamRun:
        """Every frame, as fast as it goes, for the budget's seconds and at least so many frames."""
        text = config_text(played.path, self._plan.folders, self._plan.threads, loop=True, real_time=False)
        with daemon(self._fresh(), text) as one:
            first = one.until(lambda now: now.looked >= WARM_FRAMES)
            last = one.until(lambda now: now.at_s - first.at_s >= self._plan.budget_s and now.looked >= frames)
            return one.run("as fast as it goes", played.facts.name, self._plan.threads, first, last)

    def live(self, played: Film, how: str) -> StreamRun:
        """At the recording's own pace, for the budget's seconds twice over: the processor's time is counted in hundredths."""
        text = config_text(played.path, self._plan.folders, self._plan.threads, loop=True, real_time=True)
        with daemon(self._fresh(), text) as one:
            first = one.until(lambda now: now.frames >= WARM_FRAMES)
            last = one.until(lambda now: now.at_s - first.at_s >= 2 * self._plan.budget_s)
            return one.run(how, played.facts.name, self._plan.threads, first, last)

    def glass(self, played: Film) -> Glass:
        """Once through, at its own pace."""
        text = config_text(played.path, self._plan.folders, self._plan.threads, loop=False, real_time=True)
        with daemon(folder := self._fresh(), text, ("edge.bench.probe",)) as one:
            outlook = watch(one)
        try:
            notes = json.loads((folder / NOTES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise BenchError(f"the daemon that played {played.facts.name} ended without its notes") from None
        return glass(played.facts.name, TrackingConfig().preview_reads, notes, outlook)

    def _fresh(self) -> Path:
        return self._folder / f"daemon-{next(self._numbers)}"


def measure_stream(plan: Plan) -> Result:
    """All of it, with a bar on stderr; some minutes. Raises BundleError, ImageError and BenchError."""
    manifests = [load_manifest(folder, kind)[0] for folder, kind in zip(plan.folders, ("detector", "reader"), strict=True)]
    circumstances = Circumstances.now()
    with tempfile.TemporaryDirectory(prefix="platewatch-bench-") as folder:
        bench = Bench(plan, Path(folder))
        films = bench.films()
        quiet = still(Path(folder), SMALL, plan.seed)
        flood = drive(Path(folder), "1080p", 4, FASTEST_FPS) if not plan.recordings else None
        longest, watched = films[1 if len(films) > 1 else 0], films[:1] if not plan.recordings else films
        dice = np.random.default_rng(plan.seed)
        turns = [films[int(place)] for _ in range(plan.rounds) for place in dice.permutation(len(films))]
        work: list[tuple[str, Film]] = [("fast", one) for one in turns] + [("nothing moves", quiet), ("long", longest)]
        work += [("overload", flood)] if flood else []
        work += [("glass", one) for one in watched]
        runs, told = list[StreamRun](), list[Glass]()
        for what, one in show(work):
            if what == "glass":
                told.append(bench.glass(one))
            elif what in ("fast", "long"):
                runs.append(bench.fast(one, MANY_FRAMES if what == "long" else 0))
            else:
                runs.append(bench.live(one, what))
    shown = {one.facts.name: one.facts for one in (*films, quiet, *([flood] if flood else []))}
    long = runs[len(turns) + 1]
    return Result(
        **circumstances.told(),
        command=command("platewatch"),
        seed=plan.seed,
        models=tuple(model_file(folder, manifest) for folder, manifest in zip(plan.folders, manifests, strict=True)),
        scenes=(),
        cells=tuple(cells(runs[: len(turns)], told, plan.threads)),
        no_power="a stream's power was not measured" if not isinstance(meter := find_meter(), str) else meter,
        stream=Streamed(recordings=tuple(shown.values()), runs=tuple(runs), glass=tuple(told), goals=tuple(goals(runs, long, told, plan.threads))),
    )


def cells(runs: Sequence[StreamRun], told: Sequence[Glass], threads: int) -> Iterator[Cell]:
    """For comparing with other results: milliseconds by frame, a run each round, and how late events were."""
    setting = Setting(variant="int8", runtime="litert", threads=threads)
    for name in dict.fromkeys(run.recording for run in runs):
        samples = Samples()
        for turn, run in enumerate(run for run in runs if run.recording == name):
            samples.add(turn, [1000 / run.fps], run.cpu_ms or 0.0)
        yield Cell(setting=setting, what="stream frame", scene=name, ms=samples.timing())
    for one in told:
        for what, ms in (("stream preview", one.preview), ("stream row", one.row), ("stream line", one.line)):
            why = None if ms else "no plate of the recording gave a preview"
            yield Cell(setting=setting, what=what, scene=one.recording, ms=ms, why=why)  # type: ignore[arg-type]


def goals(runs: Sequence[StreamRun], long: StreamRun, told: Sequence[Glass], threads: int) -> Iterator[Goal]:
    """The demands on this version; those of one thread and 720p only where that was measured."""
    fast = [run.fps for run in runs if run.how == "as fast as it goes" and f"drawn {SMALL}" in run.recording]
    if fast and threads == 1:
        yield Goal(what="drawn 720p stream, one thread", demanded=FPS_720P, most=False, unit="frames a second", measured=round(float(np.median(fast)), 2))
        cpu = [run.cpu_ms for run in runs if run.how == "as fast as it goes" and f"drawn {SMALL}" in run.recording and run.cpu_ms]
        words = "the same by the processor's time, decoding and all on one core to itself"
        found = round(1000 / float(np.median(cpu)), 2) if cpu else None
        yield Goal(what=words, demanded=FPS_720P, most=False, unit="frames a second", measured=found)
    quiet = next(run for run in runs if run.how == "nothing moves")
    what = f"processor at {STILL_FPS} frames a second while nothing moves"
    yield Goal(what=what, demanded=CORE_SHARE, most=True, unit="of a core", measured=quiet.core_share)
    for words, run in (("at rest", quiet), (f"after {MANY_FRAMES} frames with plates", long)):
        used = None if run.resident_mb is None else round(run.resident_mb * 1.048576, 1)
        yield Goal(what=f"memory of the daemon {words}", demanded=MEMORY_MB, most=True, unit="MB", measured=used)
    late = [count for one in told for count in one.frames]
    words = "frames from the last read that a preview needs to the preview"
    yield Goal(what=words, demanded=PREVIEW_FRAMES, most=True, unit="frames", measured=max(late) if late else None)
