"""What a run costs on a board's processor, in guest instructions. Each measurement is kept, and taken again only when something in it has changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from convert.cost import emulator, tools
from convert.cost.cpus import CPUS, Cpu
from convert.cost.guest import FRAMES, PARTS, READ
from convert.cost.userland import REPOSITORY, Say, Userland, userland
from edge.errors import ConfigError
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE

INVOKE = "invoke"
SCENES = ("bench-0.jpg", "bench-1.jpg")
"""The pictures of `edge/clips` for a frame without and one with a plate, 1920x1080."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`instructions` for one run of `what` on `cpu`. `of` is the sha256 of the model or models, `versions` all else that the figure depends on.

    `parts` add up to `instructions` where the run has parts; `runs` are the runs of the detector's and of the reader's network in it.
    """

    what: str
    cpu: str
    of: str
    versions: str
    instructions: int
    parts: dict[str, int] = field(default_factory=dict)
    runs: tuple[int, int] | None = None


@dataclass
class Bench:
    """The emulated system, made when something is first measured. `say` is told what happens; without `counting` it does the self-tests alone.

    Raises NoEmulator where this machine lacks something for it.
    """

    cache: Path = field(default_factory=tools.default_cache)
    counting: bool = True
    say: Say = lambda words: None

    def __post_init__(self) -> None:
        if why := tools.missing(self.counting):
            raise tools.NoEmulator(why)
        self.cache = self.cache.expanduser().absolute()
        try:
            (self.cache / "measured").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.cache}: cannot be written ({error.strerror}); name another folder with --cache") from None

    @cached_property
    def system(self) -> Userland:
        return userland(self.cache, self.say)

    @cached_property
    def counter(self) -> Path:
        return tools.plugin(self.cache)

    def network(self, what: str, file: Path, cpu: Cpu) -> Cost:
        """One run of a TFLite file of any variant, on one thread."""
        key = {"what": "network", "of": sha256(file), "cpu": cpu.name, "versions": self._versions("ai-edge-litert")}
        kept = self._kept(key, cpu, ["network", str(file.resolve())])
        return Cost(what, cpu.name, key["of"], key["versions"], kept["costs"][INVOKE])

    def frames(self, detector: Path, reader: Path, cpu: Cpu) -> list[Cost]:
        """`platewatch read` on a picture with one plate, and a frame of the daemon without and with a plate."""
        scenes = [REPOSITORY / "edge/clips" / name for name in SCENES]
        versions = f"python {self.system.python}, {self._versions(*self.system.wheels)}"
        of = "+".join(sha256(folder / MODEL_FILE)[:16] for folder in (detector, reader))
        data = [*(folder / MANIFEST_FILE for folder in (detector, reader)), *scenes, *sorted((REPOSITORY / "edge").rglob("*.toml"))]
        key = {"what": "frames", "of": of, "cpu": cpu.name, "versions": versions, "data": _hash(data)}
        kept = self._kept(key, cpu, ["frames", *(str(path.resolve()) for path in (detector, reader, *scenes))])
        costs, runs = kept["costs"], {label: (one[0], one[1]) for label, one in kept["answer"]["runs"].items()}
        parts = {label: costs[label] for label in PARTS}
        read = Cost(READ, cpu.name, of, versions, sum(parts.values()), parts, runs[READ])
        return [read, *(Cost(label, cpu.name, of, versions, costs[label], runs=runs[label]) for label in FRAMES)]

    def goldens(self, folders: Sequence[Path], cpu: Cpu) -> list[dict[str, Any]]:
        """The device's self-test of each bundle on that processor: `edge.model.selftest.SelfTest` as a dictionary."""
        files = [folder / name for folder in folders for name in (MODEL_FILE, MANIFEST_FILE)]
        key = {"what": "self-test", "of": _hash(files), "cpu": cpu.name, "versions": self._versions(*self.system.wheels)}
        return list(self._kept(key, cpu, ["golden", *(str(folder.resolve()) for folder in folders)])["answer"].values())

    def _versions(self, *names: str) -> str:
        return ", ".join(f"{name} {self.system.wheels[name]}" for name in names)

    def _kept(self, key: dict[str, str], cpu: Cpu, words: list[str]) -> dict[str, Any]:
        """What the guest said to these words and what it cost: as kept under the key while its code is the same, or anew."""
        path = self.cache / "measured" / f"{hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]}.json"
        if path.is_file():
            kept: dict[str, Any] = json.loads(path.read_text())
            if all(Path(file).is_file() and sha256(Path(file)) == digest for file, digest in kept["code"].items()):
                return kept
        self.say(f"{key['what']} on an emulated {cpu.name}; it takes its time, and is kept")
        ran = emulator.run(self.system, cpu, words, None if words[0] == "golden" else self.counter)
        kept = {"key": key, "answer": ran.answer, "costs": ran.costs, "code": {str(file): sha256(file) for file in ran.files}}
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(kept) + "\n")
        scratch.replace(path)
        return kept


def instructions(bundle_or_tflite: Path, kind: str, cpu: str, cache: Path | None = None) -> int:
    """Guest instructions of one run of a network on `cpu` (cortex-a53, cortex-a72 or cortex-a76): a bundle's folder, or a TFLite file of any variant.

    Raises NoEmulator where nothing can be counted here, CostError where the run failed; each in one sentence.
    """
    if cpu not in CPUS:
        raise ConfigError(f"{cpu}: not a processor known here; known are {', '.join(CPUS)}")
    file = bundle_or_tflite / MODEL_FILE if bundle_or_tflite.is_dir() else bundle_or_tflite
    if not file.is_file():
        raise ConfigError(f"{bundle_or_tflite}: no TFLite file there")
    bench = Bench(cache) if cache else Bench()
    return bench.network(kind, file, CPUS[cpu]).instructions


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hash(paths: Sequence[Path]) -> str:
    """One for several files."""
    return hashlib.sha256("".join(map(sha256, paths)).encode()).hexdigest()[:16]


def as_json(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    return [asdict(cost) for cost in costs]
