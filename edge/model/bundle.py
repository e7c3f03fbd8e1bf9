"""One network ready to run, with the bytes that it was made of: what becomes of its files afterwards does not matter to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import BundleError
from edge.model.detector import Detector
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, Manifest, load_manifest, read_bundle
from edge.model.reader import Reader
from edge.model.tflite import Interpreter

if TYPE_CHECKING:
    from edge.config import ModelsConfig

Stamp = tuple[tuple[int, int, int], ...]
"""Number, size and time of change of the two files of a bundle; zeros for one that is not there."""
Network = Detector | Reader
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bundle:
    """`content` is the model file's, read whole: nothing is mapped, so that a file that shrinks under us is no SIGBUS."""

    manifest: Manifest
    content: bytes
    network: Network
    since: str = ""
    """UTC, when it began to be used."""

    def made_anew(self, models: ModelsConfig) -> Bundle:
        """The same with other settings."""
        return replace(self, network=make_network(self.manifest, self.content, models))

    def about(self) -> dict[str, str]:
        return {"name": self.manifest.name, "sha256": self.manifest.sha256, "since": self.since}


def make_network(manifest: Manifest, content: bytes, models: ModelsConfig) -> Network:
    """Raises BundleError where the runtime will not have it."""
    net = Interpreter(content, manifest.name, models.threads)
    if manifest.kind == "detector":
        return Detector(manifest, net, models.detection_threshold, models.closer_looks)
    return Reader(manifest, net, careful=False)


def load_bundle(folder: Path, kind: str, models: ModelsConfig) -> Bundle:
    """As the daemon starts with it."""
    manifest, content = load_manifest(folder, kind)
    return Bundle(manifest, content, make_network(manifest, content, models))


def examine(folder: Path, kind: str, before: Bundle) -> tuple[Manifest, bytes]:
    """What is to take the place of `before`, after everything that can be known of it: its files, a run in a process of its own, its golden.

    Raises BundleError in one sentence. Outputs that are not the golden ones count only where those of the bundle in use are: else it is the runtime
    of this machine that computes otherwise, which `platewatch doctor` tells.
    """
    from edge.model.rehearsal import self_test
    from edge.model.selftest import State

    manifest, content = read_bundle(folder, kind)
    if (manifest, content) == (before.manifest, before.content):
        return manifest, content
    if self_test(folder, manifest, content) == State.OTHER_RUNTIME:
        if self_test(folder, before.manifest, before.content) in (State.EXACT, State.EXACT_BUT_SLOW):
            raise BundleError(f"{folder / MODEL_FILE}: computes something else than its manifest says it did when it was made; copy the whole bundle again")
        log.warning("%s: its outputs are not the golden ones, but neither are those of the bundle in use: this runtime computes otherwise", folder)
    return manifest, content


def stamp_of(folder: Path) -> Stamp:
    """Cheap enough to be asked for every few seconds."""
    found = []
    for name in (MANIFEST_FILE, MODEL_FILE):
        try:
            about = (folder / name).stat()
            found.append((about.st_ino, about.st_size, about.st_mtime_ns))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)
