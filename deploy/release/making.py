"""From sources and wheels to the one file that a device takes: what goes into an archive, and where it comes from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.release import archive, pyz
from deploy.release.errors import ReleaseError
from deploy.release.source import Source, committed_at
from deploy.release.wheelhouse import RECORD, Wheelhouse

CURRENT = "/opt/platewatch/current"
"""What the units start from: the link that an update switches."""
CONFIG = "/etc/platewatch/platewatch.toml"


def application(source: Source, house: Wheelhouse, out: Path) -> Path:
    """The archive of a whole release. Units and onboard.pyz are those of `source`, not of the tree that runs this."""
    files: dict[str, Path | bytes] = {f"wheels/{wheel.path.name}": wheel.path for wheel in house.wheels}
    files["onboard.pyz"] = pyz.packed(source.tree)
    with TemporaryDirectory(prefix="platewatch-units-") as folder:
        files |= {f"units/{name}": raw for name, raw in _units(source.tree, Path(folder)).items()}
    made = archive.build(out, files, version=source.version, serial=source.serial, commit=source.commit, pythons=tuple(house.sets))
    archive.inspect(made)
    return made


def record(house: Wheelhouse, made: Path) -> Path:
    """`<archive>.wheels.json` beside the archive: with it and the commit the same archive can be made again (`--like`)."""
    path = made.with_suffix(".wheels.json")
    path.write_bytes((house.folder / RECORD).read_bytes())
    return path


def bundle(folder: Path, out: Path) -> Path:
    """The archive of one model: a bundle's folder, whose manifest must fit its file."""
    from hashlib import sha256

    manifest, model = folder / "manifest.json", folder / "model.tflite"
    try:
        raw, network = manifest.read_bytes(), model.read_bytes()
        about = json.loads(raw)
        name, kind, stated = str(about["name"]), str(about["kind"]), str(about["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReleaseError(f"{folder}: is no bundle ({getattr(error, 'strerror', None) or error}); it needs manifest.json and model.tflite") from None
    if sha256(network).hexdigest() != stated:
        raise ReleaseError(f"{model}: is not the file of its manifest (its hash differs)")
    if kind not in ("detector", "reader"):
        raise ReleaseError(f"{manifest}: its kind is {kind[:20]!a}, not detector or reader")
    # The id ends in the model's own hash: two models of one name stay two.
    files: dict[str, Path | bytes] = {"bundle/manifest.json": raw, "bundle/model.tflite": network}
    made = archive.build(out, files, version=name, serial=committed_at(folder), commit=stated[:40], model=kind)
    archive.inspect(made)
    return made


def _units(tree: Path, folder: Path) -> dict[str, bytes]:
    """File name -> contents, as `python -m deploy units` of that tree writes them."""
    words = [sys.executable, "-m", "deploy", "units", "--out", str(folder), "--root", CURRENT, "--config", CONFIG]
    done = subprocess.run(words, cwd=tree, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ReleaseError(f"the units could not be made: {said[-1] if said else done.returncode}"[:300])
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
