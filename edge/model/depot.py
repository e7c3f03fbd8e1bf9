"""The folder of uploaded bundles: taken in only whole, sound and tried, then chosen, taken back and thrown away."""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from edge.errors import BundleError, ConfigError
from edge.model.manifest import CODECS, MANIFEST_FILE, MODEL_FILE, SHIPPED, Manifest, load_manifest
from edge.model.unpacking import NAME, unpack
from edge.settings_file.draft import Change
from edge.settings_file.settings import Saved, SettingsFile
from edge.status import utc_iso

CHOSEN = ".chosen.json"
"""What was chosen before: {kind: value of [models]}."""


@dataclass(frozen=True, slots=True)
class Card:
    """A bundle for people. `place` is what [models] calls it; `trouble` says why it cannot be used, and then there is no manifest."""

    name: str
    place: str
    manifest: Manifest | None
    bytes: int
    made_at: str
    shipped: bool
    in_use: bool
    trouble: str = ""
    self_test: str = ""
    """`edge.model.selftest.State`, as it was found when the bundle came."""

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {name: getattr(self, name) for name in ("name", "place", "bytes", "made_at", "shipped", "in_use", "trouble", "self_test")}
        if (manifest := self.manifest) is not None:
            wanted = ("kind", "codec", "width", "height", "sha256", "git", "macs", "drawn", "sources", "accuracy", "quantization", "threshold")
            told |= {name: getattr(manifest, name) for name in wanted} | {"model": manifest.name}
        return told


class Depot:
    """The bundles in `folder` and those that ship. Every method raises BundleError, ConfigError or Unwritable in one sentence."""

    def __init__(self, folder: Path, settings: SettingsFile) -> None:
        self._folder, self._settings = folder, settings

    def cards(self) -> list[Card]:
        """What ships, a folder of the owner's that the config names, then what was uploaded, the newest first."""
        config = self._settings.open().config
        chosen = (config.models.detector, config.models.reader) if config else ()
        used = {str(self._settings.path.resolve().parent / place) for place in chosen}
        own = [path for path in (self._folder.iterdir() if self._folder.is_dir() else ()) if path.is_dir() and not path.name.startswith(".")]
        found = [_card(path, str(path), False, str(path) in used) for path in own]
        here = {card.place for card in found}
        named = {str(self._settings.path.resolve().parent / place) for place in chosen if "/" in place} - here
        foreign = [_card(Path(place), place, False, True) for place in sorted(named)]
        return shipped(chosen) + foreign + sorted(found, key=lambda card: card.made_at, reverse=True)

    def take(self, raw: bytes | IO[bytes], name: str, tell: Callable[[str], None] = lambda step: None) -> Card:
        """An uploaded .zip or .tar (also .tar.gz): unpacked aside, verified, run in a process of its own, and only then put in its place.

        `tell` hears the steps of `edge.model.arrival` as they begin.
        """
        staged = self._folder / f".incoming-{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            staged.mkdir(mode=0o700)
            tell("unpack")
            unpack(io.BytesIO(raw) if isinstance(raw, bytes) else raw, name, staged)
            kind = _kind(staged, name)
            try:
                tell("verify")
                manifest, _ = load_manifest(staged, kind)  # fields, codec, sha256, and a rehearsal in a process of its own
                tell("self-test")
                state = _self_test(kind, staged)
            except BundleError as error:
                raise BundleError(str(error).replace(str(staged), name)) from None
            if not NAME.fullmatch(manifest.name) or manifest.name in CODECS:
                wanted = f"a name is of letters, digits, '.', '_' and '-', at most 80, and not {' or '.join(CODECS)}"
                raise BundleError(f"{name}: its manifest names it {manifest.name[:60]!r}; {wanted}")
            goal = self._folder / manifest.name
            if goal.exists():
                same = _sha256(goal) == manifest.sha256
                said = "is here already" if same else "is the name of another bundle that is here; delete that one, or give this one another name"
                raise BundleError(f"{name}: {manifest.name} {said}")
            (staged / ".self-test").write_text(state, encoding="utf-8")
            staged.chmod(0o755)
            os.rename(staged, goal)
            return _card(goal, str(goal), False, False)
        except OSError as error:
            if isinstance(error, BundleError):
                raise
            raise BundleError(f"{self._folder}: cannot take the bundle ({error.strerror}); see models.depot and the space on the disk") from None
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def select(self, name: str, etag: str) -> Saved:
        """[models] names it from now on; the caller sends the reload errand. What was chosen before is remembered. A bundle that ships has its kind's name."""
        if name in CODECS:
            kind, place = name, name
        else:
            folder = self._own(name)
            kind, place = _kind(folder, name), str(folder)
        return self._choose(kind, place, etag)

    def _choose(self, kind: str, place: str, etag: str) -> Saved:
        opened = self._settings.open()
        if opened.config is None:
            raise ConfigError(f"{self._settings.path}: has errors; mend it first")
        if place != kind:
            load_manifest(self._settings.path.resolve().parent / place, kind)
        before = getattr(opened.config.models, kind)
        saved = self._settings.save([Change(f"models.{kind}", "set", place)], etag)
        if before != place:
            self._remember({**self._before(), kind: before})
        return saved

    def previous(self, kind: str) -> str:
        """What [models] had before the last choice; '' where nothing is known."""
        return str(self._before().get(kind, ""))

    def roll_back(self, kind: str, etag: str) -> Saved:
        """Choose what was chosen before; a second time takes that back."""
        if kind not in CODECS or not (place := self.previous(kind)):
            raise ConfigError(f"no other {kind[:20]} was chosen before; choose one from the list")
        return self._choose(kind, place, etag)

    def take_back(self, kind: str, before: str, previous: str, etag: str) -> Saved:
        """The last choice was refused by the daemon: as if it had not been made. `before` was chosen and `previous` remembered then."""
        saved = self._settings.save([Change(f"models.{kind}", "set", before)], etag)
        self._remember({**self._before(), kind: previous})
        return saved

    def delete(self, name: str) -> None:
        """For good. One in use is not deleted."""
        folder = self._own(name)
        if any(card.in_use and card.place == str(folder) for card in self.cards()):
            raise BundleError(f"{name}: is in use; choose another one first")
        gone = self._folder / f".deleted-{secrets.token_hex(8)}"
        try:
            os.rename(folder, gone)
        except OSError as error:
            raise BundleError(f"{name}: cannot be deleted ({error.strerror})") from None
        shutil.rmtree(gone, ignore_errors=True)

    def folder_of(self, name: str) -> Path:
        """Of a bundle by its name here, or of one that ships by its kind."""
        return SHIPPED / name if name in CODECS else self._own(name)

    def _own(self, name: str) -> Path:
        folder = self._folder / name
        if not NAME.fullmatch(name) or not folder.is_dir() or folder.is_symlink():
            raise BundleError(f"there is no bundle {name[:60]!r} in {self._folder}")
        return folder

    def _before(self) -> dict[str, str]:
        try:
            found = json.loads((self._folder / CHOSEN).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _remember(self, chosen: Mapping[str, str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f"{CHOSEN}.new"
        fresh.write_text(json.dumps(chosen), encoding="utf-8")
        os.replace(fresh, self._folder / CHOSEN)


def shipped(chosen: Sequence[str]) -> list[Card]:
    """What comes with Platewatch; `chosen` is what [models] names."""
    return [_card(SHIPPED / kind, kind, True, kind in chosen) for kind in CODECS]


def _card(folder: Path, place: str, shipped: bool, in_use: bool) -> Card:
    try:
        about = (folder / MANIFEST_FILE).stat()
        manifest = Manifest.of(json.loads((folder / MANIFEST_FILE).read_bytes()))
        size, made_at, trouble = (folder / MODEL_FILE).stat().st_size, utc_iso(datetime.fromtimestamp(about.st_mtime, UTC)), ""
        state = (folder / ".self-test").read_text(encoding="utf-8")[:40] if (folder / ".self-test").is_file() else ""
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return Card(folder.name, place, None, 0, "", shipped, in_use, f"{folder.name}: is no bundle that can be used ({error})")
    return Card(folder.name, place, manifest, size, made_at, shipped, in_use, trouble, state)


def _self_test(kind: str, folder: Path) -> str:
    """The state that `platewatch doctor` would tell; a runtime that dies of it is a sentence."""
    from edge.errors import PlatewatchError
    from edge.model.selftest import self_test_apart

    try:
        return str(self_test_apart(kind, folder)["state"])
    except PlatewatchError as error:
        raise BundleError(str(error)) from None


def _kind(folder: Path, name: str) -> str:
    try:
        kind = json.loads((folder / MANIFEST_FILE).read_bytes())["kind"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise BundleError(f"{name}: no {MANIFEST_FILE} that can be read is in it; make bundles with python -m convert bundle") from None
    if kind not in CODECS:
        raise BundleError(f"{name}: is a {str(kind)[:30]!r}; a bundle is a {' or a '.join(CODECS)}")
    return str(kind)


def _sha256(folder: Path) -> str:
    card = _card(folder, "", False, False)
    return card.manifest.sha256 if card.manifest is not None else ""
