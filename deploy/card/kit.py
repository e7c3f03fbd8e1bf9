"""The folder `platewatch` on the boot partition: all that a device needs to install itself without a network."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.card.amounts import size
from deploy.card.boot import BootFolder
from deploy.card.errors import CardError

FOLDER = "platewatch"
CLUSTER = 32 << 10
"""Files take up whole clusters; FAT32 has at most these."""
FIRSTBOOT = b"""#!/bin/sh
# Installs Platewatch; started once by the system, and again after a power cut.
exec python3 "$(dirname "$0")/onboard.pyz" firstboot "$(dirname "$0")"
"""
Content = bytes | Path


@dataclass(frozen=True, slots=True)
class Kit:
    """Files by their name in the folder, without kit.json; `release` is the id."""

    files: dict[str, Content]
    release: str

    @property
    def length(self) -> int:
        """Bytes on the card."""
        return sum(-(-_length(content) // CLUSTER) * CLUSTER for content in self.files.values()) + 2 * CLUSTER


def _length(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def assemble(archive: Path, trusted: Path, python: str, config: str, secrets: dict[str, str]) -> Kit:
    """Checks the archive as the device will, and takes it apart as far as the kit needs. Raises CardError or the archive's own error."""
    from deploy.release.archive import inspect
    from deploy.release.minisign import beside, verify

    if not archive.is_file():
        raise CardError(f"{archive}: there is no such release; make one with python -m deploy release build")
    if not trusted.is_file():
        raise CardError(f"{trusted}: there is no such file of public keys; python -m deploy keys new makes a pair")
    verify(archive, trusted)
    release = inspect(archive)
    if release.kind != "release":
        raise CardError(f"{archive}: holds a model, not the application; take an archive that python -m deploy release build made without --bundle")
    if python not in release.pythons:
        have = " and ".join(release.pythons)
        raise CardError(f"{archive}: has the wheels for Python {have}, and this card's system has {python}; build it with --python {python}")
    with tarfile.open(archive) as tar:
        member = tar.extractfile("onboard.pyz")
        if member is None:
            raise CardError(f"{archive}: has no onboard.pyz")
        onboard = member.read()
    files: dict[str, Content] = {
        "release.tar": archive,
        "release.tar.minisig": beside(archive).read_bytes(),
        "trusted.pub": trusted.read_bytes(),
        "platewatch.toml": config.encode(),
        "onboard.pyz": onboard,
        "firstboot.sh": FIRSTBOOT,
    }
    if secrets:
        files["secrets.json"] = (json.dumps(secrets, ensure_ascii=False, sort_keys=True) + "\n").encode()
    return Kit(files, release.id)


def room(boot: BootFolder, kit: Kit) -> None:
    """Raises CardError where the kit does not fit; what an older kit takes up will be free."""
    old = sum(int(about.get("size", 0)) for about in _old(boot).values())
    if kit.length > boot.free() + old:
        raise CardError(f"the boot partition has {size(boot.free() + old)} free, and the kit needs {size(kit.length)}; build the release for one Python alone")


def _old(boot: BootFolder) -> dict[str, dict[str, int]]:
    try:
        found = json.loads(boot.read(f"{FOLDER}/kit.json") or b"{}")
        return {name: about for name, about in found["files"].items() if f"{name}" in boot.list(FOLDER)}
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}


def put(boot: BootFolder, kit: Kit, made: datetime | None = None) -> dict[str, str]:
    """Writes the kit, kit.json last, and reads it back; SHA-256 by name. Raises CardError where the card gives back something else."""
    boot.remove(f"{FOLDER}/kit.json")
    for name in set(_names(boot)) - set(kit.files) | {"release.tar"}:
        boot.remove(f"{FOLDER}/{name}")
    sums: dict[str, str] = {}
    for name, content in kit.files.items():
        if isinstance(content, bytes):
            boot.write(f"{FOLDER}/{name}", content)
        else:
            boot.put(f"{FOLDER}/{name}", content)
        sums[name] = _sum(content)
    about = {name: {"sha256": sums[name], "size": _length(content)} for name, content in kit.files.items()}
    moment = (made or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    boot.write(f"{FOLDER}/kit.json", (json.dumps({"format": 1, "release": kit.release, "made": moment, "files": about}, indent=1) + "\n").encode())
    boot.flush()
    for name in kit.files:
        check(boot, f"{FOLDER}/{name}", sums[name])
    return sums


def _names(boot: BootFolder) -> list[str]:
    return [name for name in boot.list(FOLDER) if not name.endswith("/")]


def check(boot: BootFolder, name: str, wanted: str) -> None:
    """Raises CardError where the card gives back something else than was written."""
    if hashlib.sha256(boot.read(name) or b"").hexdigest() != wanted:
        raise CardError(f"{name} on the card differs from what was written; the card is worn out or not well plugged in")


def _sum(content: Content) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
