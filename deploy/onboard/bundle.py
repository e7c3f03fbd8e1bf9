"""A model by itself: into the depot that the page uses, and chosen, both by Platewatch's own hand; the daemon tries it and takes it back where it is worse."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from deploy.onboard import archive, disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import USER
from deploy.onboard.site import Site
from deploy.onboard.tarball import Release

MANIFEST, MODEL = "bundle/manifest.json", "bundle/model.tflite"
TAKE = """
import sys
from pathlib import Path
from edge.config import load
from edge.errors import PlatewatchError
from edge.model.depot import Depot
from edge.settings_file.effect import put_in_force
from edge.settings_file.settings import SettingsFile
from edge.status import is_alive, read
path, name, sha256 = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
try:
    config, settings = load(path), SettingsFile(path)
    depot = Depot(Path(config.models.depot), settings)
    here = [card for card in depot.cards() if not card.shipped and card.manifest and card.manifest.sha256 == sha256]
    card = here[0] if here else depot.take(sys.stdin.buffer.read(), name)
    if not card.in_use:
        depot.select(card.name, settings.open().etag)
    told = read(Path(config.runtime.directory))
    print(card.name)
    print(put_in_force(Path(config.runtime.directory), 'an update').sentence if told and is_alive(told) else 'taken when the daemon starts')
except PlatewatchError as error:
    sys.exit(str(error))
"""
"""Run by the current release's own Python with the rights of its user; the model comes by stdin, so that root's folders stay root's."""


def take(site: Site, packed: Path, release: Release, downgrade: bool) -> None:
    """Raises OnboardError in Platewatch's own words where the model is refused; the one of before goes on then."""
    state = site.state
    if not state.current:
        raise OnboardError(f"{release.id}: is a model, and no release of Platewatch runs here yet; install one first")
    if release.serial < state.bundles.get(release.model, 0) and not downgrade:
        raise OnboardError(f"{release.id}: is older than the {release.model} that came last; --downgrade lets it in")
    if lacking := sorted({MANIFEST, MODEL} - set(release.files)):
        raise OnboardError(f"{release.id}: holds no {lacking[0]}; have it made anew")
    folder = site.layout.spool / "bundle"
    disk.take_away(folder)
    disk.make_folder(folder, 0o700)
    archive.unpack(packed, folder)
    site.step("bundle-unpacked")
    python = site.layout.current / ".venv/bin/python"
    sha256 = release.files[MODEL].sha256
    said = site.machine.run([python, "-c", TAKE, site.layout.config, f"{release.id}.tar", sha256], user=USER, feed=_rolled(folder / "bundle"))
    site.step("bundle-chosen")
    site.note(bundles=state.bundles | {release.model: release.serial})
    site.step("bundle-noted")
    disk.take_away(folder)
    name, _, words = said.strip().partition("\n")
    site.report(f"The {release.model} is {name} now: {' '.join(words.split())}")


def _rolled(folder: Path) -> bytes:
    """As the page would be sent it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as roll:
        for path in sorted(folder.iterdir()):
            roll.add(path, path.name)
    return made.getvalue()
