"""What is carried to a device: files that are known by their SHA-256, and what a release archive says of itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from deploy.fleet.errors import FleetError
from deploy.onboard import tarball
from deploy.onboard.errors import OnboardError

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file, by the name that it shall have there."""

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """An archive and its signature. `pythons` is empty where it fits any, as a bundle does."""

    id: str
    kind: str
    machine: str
    pythons: tuple[str, ...]
    archive: Parcel
    signature: Parcel

    @property
    def bytes(self) -> int:
        return self.archive.size + self.signature.size


def parcel(path: Path, name: str | None = None) -> Parcel:
    """Read once, for its hash; raises FleetError where it cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Parcel(name or path.name, path, path.stat().st_size, digest)
    except OSError as error:
        raise FleetError(f"{path}: cannot be read ({error.strerror})") from None


def release(path: Path) -> Release:
    """What the archive is; raises FleetError where it is damaged or unsigned. Whether the signature is a trusted one the device judges."""
    signature = path.with_name(f"{path.name}.minisig")
    if not path.is_file():
        raise FleetError(f"{path}: no such file; name the platewatch-....tar that `python -m deploy release build` made")
    if not signature.is_file():
        raise FleetError(f"{signature}: the signature is missing; it lies beside the archive, and no device takes one without the other")
    try:
        told = tarball.check(path)  # all of it: better found here than when it has gone through the air to twenty devices
    except OnboardError as error:
        raise FleetError(str(error)) from None
    return Release(told.id, told.kind, told.machine, told.pythons, parcel(path), parcel(signature))
