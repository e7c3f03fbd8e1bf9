"""Where an update comes from: a folder, a file, a USB stick, the web, or a pipe from SSH. All end as two files in the spool, which nobody else can change."""

from __future__ import annotations

import contextlib
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deploy.onboard import archive, disk, stick, web
from deploy.onboard.errors import OnboardError
from deploy.onboard.signature import MOST_BYTES
from deploy.onboard.site import Site
from deploy.onboard.tarball import MOST_ALL

NAME = "platewatch.tar"


def fetch(site: Site, source: str, stream: BinaryIO | None = None) -> Path:
    """The archive in the spool, its signature beside it; nothing of it is proven yet. Raises OnboardError in words."""
    spool = site.layout.spool
    disk.make_folder(spool, 0o700)
    goal = spool / NAME
    if source.startswith(("http://", "https://")):
        web.download(site, source, goal)
    elif source == "-":
        disk.take_away(goal)
        _from_pipe(stream or sys.stdin.buffer, goal)
    else:
        disk.take_away(goal)
        with _found(site, source) as path:
            site.say(f"Taking {path.name}.")
            _copy(path, goal)
    site.step("fetched")
    return goal


def clear(site: Site) -> None:
    """Nothing of it is left; a stick that is still mounted there is let go first."""
    stick.let_go(site)
    disk.take_away(site.layout.spool)


@contextlib.contextmanager
def _found(site: Site, source: str) -> Iterator[Path]:
    """The newest archive in what was named."""
    path = Path(source)
    if source == "usb" or path.is_block_device():
        with contextlib.ExitStack() as held:
            yield _on_sticks(site, held, stick.sticks(site) if source == "usb" else [path])
        return
    if not path.exists():
        raise OnboardError(f"{source}: there is no such file or folder; name an archive, a folder, usb, an address (http, https), or - for a pipe")
    yield newest(path) if path.is_dir() else path


def newest(folder: Path, called: Path | None = None) -> Path:
    """The archive with the highest serial; those without a signature beside them do not count, links are not followed. `called`: what the sentence names."""
    found: list[tuple[int, Path]] = []
    for path in sorted(folder.glob("platewatch-*.tar")):
        if path.is_symlink() or not path.is_file() or not archive.beside(path).is_file():
            continue
        with contextlib.suppress(OnboardError):
            found.append((archive.about(path).serial, path))
    if not found:
        raise OnboardError(f"{called or folder}: holds no platewatch-*.tar with its .minisig; copy both there")
    return max(found)[1]


def _on_sticks(site: Site, held: contextlib.ExitStack, devices: list[Path]) -> Path:
    """The newest archive on the first that holds one; what it is on stays mounted until `held` ends."""
    words = ""
    for device in devices:
        with contextlib.ExitStack() as looking:
            try:
                found = newest(looking.enter_context(stick.opened(site, device)), device)
            except OnboardError as error:
                words = words or str(error)
                continue
            held.push(looking.pop_all())
            return found
    names = ", ".join(device.name for device in devices)
    raise OnboardError(words if len(devices) == 1 else f"{names}: none of them holds a release with its signature ({words})")


def _copy(path: Path, goal: Path) -> None:
    signed = archive.beside(path)
    if not signed.is_file():
        raise OnboardError(f"{signed}: is missing; without its signature nothing is installed")
    for file, most in ((path, MOST_ALL), (signed, MOST_BYTES)):
        if file.stat().st_size > most:
            raise OnboardError(f"{file}: is {file.stat().st_size / 1000:.0f} kB large, which no {'release' if file == path else 'signature'} is")
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
                place = archive.beside(goal) if signed else goal
                with disk.named(place), place.open("wb") as made:
                    while piece := content.read(disk.CHUNK):
                        made.write(piece)
    except (tarfile.TarError, EOFError) as error:
        raise OnboardError(f"the pipe broke off, or was no tar ({error}); send it again") from None
    if not goal.is_file() or not archive.beside(goal).is_file():
        raise OnboardError("the pipe held no archive with its .minisig; send a tar of both")
