"""Where an update comes from: a folder, a file, a USB stick, the web, or a pipe from SSH. All end as two files in the spool, which nobody else can change."""

from __future__ import annotations

import contextlib
import os
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deploy.onboard import archive, disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.signature import MOST_BYTES
from deploy.onboard.site import Site
from deploy.onboard.tarball import MOST_ALL

NAME = "platewatch.tar"
STICKS = "dev/disk/by-id"
TIMEOUT_S = 30.0


def fetch(site: Site, source: str, stream: BinaryIO | None = None) -> Path:
    """The archive in the spool, its signature beside it; nothing of it is proven yet. Raises OnboardError in words."""
    spool = site.layout.spool
    disk.make_folder(spool, 0o700)
    goal = spool / NAME
    if source.startswith(("http://", "https://")):
        _download(site, source, goal)
    elif source == "-":
        disk.take_away(goal)
        _from_pipe(stream or sys.stdin.buffer, goal)
    else:
        disk.take_away(goal)
        with _found(site, source) as path:
            _copy(path, goal)
    site.step("fetched")
    return goal


@contextlib.contextmanager
def _found(site: Site, source: str) -> Iterator[Path]:
    """The newest archive in what was named."""
    path = Path(source)
    if source == "usb":
        path = _stick(site)
    if path.is_block_device():
        with _mounted(site, path) as folder:
            yield newest(folder)
        return
    if not path.exists():
        raise OnboardError(f"{source}: there is no such file or folder; name an archive, a folder, usb, an address (http, https), or - for a pipe")
    yield newest(path) if path.is_dir() else path


def newest(folder: Path) -> Path:
    """The archive of a release with the highest serial; those without a signature beside them do not count. Links on a stick are not followed."""
    found: list[tuple[int, Path]] = []
    for path in sorted(folder.glob("platewatch-*.tar")):
        if path.is_symlink() or not archive.beside(path).is_file():
            continue
        with contextlib.suppress(OnboardError):
            found.append((archive.about(path).serial, path))
    if not found:
        raise OnboardError(f"{folder}: holds no platewatch-*.tar with its .minisig; copy both there")
    return max(found)[1]


def _stick(site: Site) -> Path:
    """The USB stick, by what udev calls it: its first partition, or the whole where it has none."""
    folder = site.layout.at(STICKS)
    found = sorted(folder.glob("usb-*")) if folder.is_dir() else []
    parts = [path for path in found if "-part" in path.name] or found
    if not parts:
        raise OnboardError("no USB stick is plugged in")
    return parts[0]


@contextlib.contextmanager
def _mounted(site: Site, device: Path) -> Iterator[Path]:
    """Read-only, and nothing on it can be run."""
    folder = site.layout.spool / "stick"
    disk.make_folder(folder)
    site.machine.run(["mount", "-o", "ro,nosuid,nodev,noexec", device, folder])
    try:
        yield folder
    finally:
        site.machine.run(["umount", folder])
        folder.rmdir()


def _copy(path: Path, goal: Path) -> None:
    signed = archive.beside(path)
    if not signed.is_file():
        raise OnboardError(f"{signed}: is missing; without its signature nothing is installed")
    archive.room_for(path.stat().st_size + archive.ROOM, goal.parent)
    disk.copy_whole(path, goal, 0o600)
    disk.copy_whole(signed, archive.beside(goal), 0o600)


def _from_pipe(stream: BinaryIO, goal: Path) -> None:
    """A tar of the two files, as `tar -cf - platewatch-X.tar platewatch-X.tar.minisig` writes it."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as roll:
            for member in roll:
                signed = member.name.endswith(archive.SUFFIX)
                if not member.isreg() or not (signed or member.name.endswith(".tar")) or member.size > (MOST_BYTES if signed else MOST_ALL):
                    raise OnboardError(f"the pipe holds {member.name[:60]!r}; send a tar of the archive and its .minisig, nothing else")
                archive.room_for(member.size + archive.ROOM, goal.parent)
                content = roll.extractfile(member)
                assert content is not None
                with (archive.beside(goal) if signed else goal).open("wb") as made:
                    while piece := content.read(disk.CHUNK):
                        made.write(piece)
    except (tarfile.TarError, EOFError) as error:
        raise OnboardError(f"the pipe broke off, or was no tar ({error}); send it again") from None
    if not goal.is_file() or not archive.beside(goal).is_file():
        raise OnboardError("the pipe held no archive with its .minisig; send a tar of both")


def _download(site: Site, address: str, goal: Path) -> None:
    """Goes on where an earlier attempt at the same address was cut off; the signature tells whether the pieces belong together."""
    mark = goal.with_name("address")
    if not (mark.is_file() and mark.read_text(encoding="utf-8") == address):
        disk.take_away(goal)
        site.write(mark, address, 0o600)
    site.say(f"Fetching {address.split('?')[0]}.")
    _get(address + archive.SUFFIX, archive.beside(goal), MOST_BYTES, 0)
    have = goal.stat().st_size if goal.is_file() else 0
    _get(address, goal, MOST_ALL, have)


def _get(address: str, goal: Path, most: int, have: int) -> None:
    """`have` bytes are there already; a server that cannot go on in the middle sends all of it."""
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            have = have if answer.status == 206 else 0
            coming = int(answer.headers.get("Content-Length") or 0)
            if have + coming > most:
                raise OnboardError(f"{address}: is larger than {most / 1e6:.0f} MB, which no release is")
            archive.room_for(coming + archive.ROOM, goal.parent)
            with goal.open("ab" if have else "wb") as made:
                while piece := answer.read(disk.CHUNK):
                    have += len(piece)
                    if have > most:
                        raise OnboardError(f"{address}: is larger than {most / 1e6:.0f} MB, which no release is")
                    made.write(piece)
                os.fsync(made.fileno())
            if coming and made.closed and have < coming:
                raise OnboardError(f"{address}: the connection broke off; the same command goes on from there")
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # all of it was there
            return
        raise OnboardError(f"{address}: the server says {error.code} {error.reason}") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
        raise OnboardError(f"{address}: cannot be fetched ({getattr(error, 'reason', error)}); the same command goes on from there") from None
