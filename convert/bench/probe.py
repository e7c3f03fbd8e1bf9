"""Loads one setting in a process of its own, and says what that took: `python -m convert.bench.probe DETECTOR READER BUNDLE BUNDLE RUNTIME THREADS`.

Prints one line of JSON. A runtime that crashes on a file kills this process alone.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from convert.bench.candidates import Candidate
from convert.bench.variants import load_net
from convert.nets import RUNTIMES
from edge.bench.memory import growth
from edge.bench.result import Setting
from edge.bench.rounds import Action
from edge.bench.stages import Models, once
from edge.errors import PlatewatchError
from edge.model.manifest import load_manifest


def load(candidate: Candidate) -> Models:
    """Its two files behind the device's own code. Raises PlatewatchError where one cannot be run or does not fit."""
    nets = [load_net(path, candidate.setting.runtime, candidate.setting.threads) for path in candidate.files]
    manifests = [load_manifest(folder, kind)[0] for folder, kind in zip(candidate.bundles, ("detector", "reader"), strict=True)]
    return Models.of((manifests[0], nets[0]), (manifests[1], nets[1]))


def main(words: list[str]) -> str:
    """The JSON."""
    files, bundles, (runtime, threads) = words[:2], words[2:4], words[4:]
    candidate = Candidate(Setting(variant="", runtime=runtime, threads=int(threads)), (Path(files[0]), Path(files[1])), (Path(bundles[0]), Path(bundles[1])))
    try:
        importlib.import_module(RUNTIMES[runtime])

        def begin() -> Action:
            return once(load(candidate))

        return json.dumps(growth(begin))
    except (PlatewatchError, ImportError) as error:
        return json.dumps({"why": str(error)})


if __name__ == "__main__":
    print(main(sys.argv[1:]))
