"""From a device file, or from answers, to what goes onto a card: the operating system's settings, Platewatch's config, the kit."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.card.errors import CardError
from deploy.card.kit import Kit, assemble
from deploy.device import ask
from deploy.device.config import Made, config_of
from deploy.device.file import checked, holds_secret, public, read, save, spelt
from deploy.device.owner import expanded
from deploy.device.settings import Settings, settings_of

USUAL_KEYS = "~/platewatch-release.pub"


@dataclass(frozen=True, slots=True)
class Prepared:
    """`document` is the device file as it would be kept: every secret hashed, or left where it is."""

    settings: Settings
    config: Made
    document: dict[str, Any]
    port: int
    https: bool
    notes: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no terminal and no log may show."""
        return (*self.settings.secrets(), *self.config.hidden, *self.config.secrets.values())

    def address(self, host: str = "") -> str:
        """Of the page."""
        return f"{'https' if self.https else 'http'}://{host or self.settings.name}.local:{self.port}"


def prepared(path: Path | None, asker: ask.Asker | None, told: dict[str, Any] | None = None) -> Prepared:
    """Asks where something is missing and there is somebody to ask; not for what the card itself says (`told`), where there is no file. Raises DeviceError."""
    document = read(path) if path else told or {}
    base = path.resolve().parent if path else Path.cwd()
    notes = []
    if path and holds_secret(document) and public(path):
        notes.append(f"others on this computer can read the passwords in {path}: chmod 600 {path}, or write env:NAME or file:PATH there")
    spelt(document, path)
    if asker is None:
        ask.refuse(document, path)
    else:
        document = ask.complete(document, asker, fresh=path is None and not told)
    device = checked(document, path)
    settings, config = settings_of(device, base), config_of(device, base)
    return Prepared(settings, config, _kept(document, settings, config), device.page.port, device.page.https, tuple(notes))


def _kept(document: dict[str, Any], settings: Settings, config: Made) -> dict[str, Any]:
    """The document with hashes in place of the passwords that were typed."""
    kept = {name: dict(table) if isinstance(table, dict) else table for name, table in document.items()}
    hashes = {"user": ("password_hash", settings.password_hash), "page": ("password_hash", config.hidden[0])}
    if settings.wifi and settings.wifi.security == "wpa2":
        hashes["wifi"] = ("psk", settings.wifi.key)
    for name, (key, value) in hashes.items():
        if value and not str(kept.get(name, {}).get("password", "env:")).startswith(("env:", "file:")):
            del kept[name]["password"]
            kept[name][key] = value
    return kept


def terminal() -> ask.Asker | None:
    """Who answers, where somebody sits there."""
    return ask.at_terminal if sys.stdin.isatty() and sys.stderr.isatty() else None


def keep(made: Prepared, folder: Path) -> Path | None:
    """Keeps what was answered for the next card; None where a file of that name is there already."""
    path = folder / f"{made.settings.name}.toml"
    if path.exists():
        return None
    save(made.document, path)
    return path


def newest(told: Path | None, folders: tuple[Path, ...]) -> Path:
    """The archive that was named, or the newest one there is. Raises CardError."""
    if told and not told.is_file():
        raise CardError(f"{told}: there is no such release; make one with python -m deploy release build")
    if told:
        return told
    found = [path for folder in folders for path in folder.glob("platewatch-*.tar")]
    if not found:
        raise CardError("there is no release here; make one with python -m deploy release build, or name one with --release")
    return max(found, key=lambda path: path.stat().st_mtime)


def keys_for(told: Path | None, archive: Path) -> Path:
    """The public keys that were named, or the owner's own that signed this archive: beside it, or where `keys new` is told to put them. Raises CardError."""
    if told:
        return told
    from deploy.release.errors import ReleaseError
    from deploy.release.minisign import verify

    for path in (*sorted(archive.resolve().parent.glob("*.pub")), expanded(USUAL_KEYS)):
        if path.is_file():
            with contextlib.suppress(ReleaseError):
                verify(archive, path)
                return path
    raise CardError(f"--trusted: name the public key (.pub) that {archive.name} was signed with; none beside it and no {USUAL_KEYS} fits")


def kit_for(made: Prepared, archive: Path, trusted: Path, python: str) -> Kit:
    return assemble(archive, trusted, python, made.config.text, made.config.secrets)
