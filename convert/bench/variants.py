"""Variant files: made once and kept, run as the device would run them, and timed side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from convert.nets import VariantNet
from edge.bench.figures import Timing
from edge.bench.rounds import interleave
from edge.errors import ConfigError, PlatewatchError
from edge.model.detector import Detector
from edge.model.manifest import SHIPPED, Manifest, load_manifest
from edge.model.reader import Reader
from edge.model.selftest import probe_picture

WEIGHTS = Path(__file__).parents[2] / "train" / "weights"
KINDS = ("detector", "reader")
Files = dict[str, dict[str, Path | str]]
"""Variant -> kind -> its file, or why there is none."""


def measure_variants(
    paths: Mapping[str, Path],
    kind: str,
    threads: int = 1,
    *,
    runtime: str = "litert",
    repeat: int = 100,
    budget_s: float = 2.0,
    seed: int = 0,
    manifest: Manifest | None = None,
    progress: Any = iter,
) -> dict[str, Timing]:
    """Variant name -> what one run of the network takes, ms, its input's quantization and its output's copies counted; measured in turns.

    `kind` is detector or reader; `manifest` is of the bundle that the files are variants of (None: the shipped one). Raises PlatewatchError
    where a file is missing, cannot be run, or does not fit.
    """
    manifest = manifest or load_manifest(SHIPPED / kind, kind)[0]
    models = {name: load_variant(path, manifest, runtime, threads) for name, path in paths.items()}
    picture = probe_picture(manifest.width, manifest.height)
    found = interleave({name: partial(model.infer, picture) for name, model in models.items()}, repeat, budget_s, seed, progress)
    return {name: samples.timing() for name, samples in found.items()}


def load_net(path: Path, runtime: str, threads: int) -> VariantNet:
    """The file as a net that has run once. Raises PlatewatchError when it is missing or cannot be run."""
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a TFLite file") from None
    net = VariantNet(model, path.name, runtime, threads)
    try:
        net.run(np.zeros(net.shape, np.int8))
    except (ValueError, RuntimeError) as error:  # some runtimes find an operation wanting no sooner
        raise PlatewatchError(f"{path.name}: {runtime} cannot run it ({str(error).splitlines()[0]})") from None
    return net


def load_variant(path: Path, manifest: Manifest, runtime: str = "litert", threads: int = 1) -> Detector | Reader:
    """The file behind the device's own code. Raises PlatewatchError also when it does not fit the manifest."""
    net = load_net(path, runtime, threads)
    return Detector(manifest, net) if manifest.kind == "detector" else Reader(manifest, net)


def variant_files(names: Iterable[str], folder: Path, progress: Callable[[Any], Iterable[Any]] = iter, runs: Path = WEIGHTS) -> Files:
    """The shipped weights in these variants, in `folder`, made where they are not there yet; two at a time. A failure is a reason."""
    from convert.quantize import quantize

    wanted = [(name, kind) for name in names for kind in KINDS]

    def make(one: tuple[str, str]) -> Path | str:
        name, kind = one
        path = folder / f"{kind}-{name}-{fingerprint(runs / kind)}.tflite"
        if path.is_file():
            return path
        part = path.with_suffix(".part")
        try:
            quantize(runs / kind, [], part, name)
        except PlatewatchError as error:
            return str(error)
        part.replace(path)
        return path

    folder.mkdir(parents=True, exist_ok=True)
    files: Files = {name: {} for name in names}
    with ThreadPoolExecutor(2) as pool:
        pending = [(one, pool.submit(make, one)) for one in wanted]
        for (name, kind), future in progress(pending):
            files[name][kind] = future.result()
    return files


def fingerprint(run: Path) -> str:
    """Changes when the weights, the converter or the way to it change. Raises ConfigError when the run folder is not there."""
    digest = hashlib.sha256()
    for package in ("tensorflow-cpu", "tensorflow"):
        try:
            digest.update(version(package).encode())
        except PackageNotFoundError:
            continue
    sources = [Path(__file__).parents[1] / name for name in ("quantize.py", "calibrate.py", "export.py")]
    for path in (run / "experiment.toml", run / "average.weights.h5", *sources):
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a run folder of python -m train fit") from None
    return digest.hexdigest()[:12]
