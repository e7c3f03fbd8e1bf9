"""USB sticks and the like: which there are, looked into without changing them, and let go, also where an earlier attempt broke off in the middle."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.onboard import disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.site import Site

BY_ID = "dev/disk/by-id"
SYSTEM = ("/", "/boot", "/boot/firmware")


def sticks(site: Site) -> list[Path]:
    """By what udev calls them: partitions, or the whole of one that has none. Without the disk that the system runs from, which may be a USB one too."""
    folder = site.layout.at(BY_ID)
    found = sorted(folder.glob("usb-*")) if folder.is_dir() else []
    mounts = _mounts(site)
    own = {_disk(path) for path in found if set(mounts.get(path.resolve(), ())) & set(SYSTEM)}
    parted = {_disk(path) for path in found if _disk(path) != path.name}
    found = [path for path in found if _disk(path) not in own and (path.name != _disk(path) or path.name not in parted)]
    if not found:
        raise OnboardError("no USB stick is plugged in")
    return found


@contextlib.contextmanager
def opened(site: Site, device: Path) -> Iterator[Path]:
    """Its files: where it is mounted already (a desktop does so by itself), else mounted for so long, read-only, and nothing on it can be run."""
    if there := _mounts(site).get(device.resolve()):
        yield site.layout.at(there[0])
        return
    let_go(site)
    folder = _place(site)
    disk.make_folder(site.layout.spool, 0o700)
    disk.make_folder(folder)
    try:
        site.machine.run(["mount", "-o", "ro,nosuid,nodev,noexec", device, folder])
    except OnboardError as error:
        raise OnboardError(f"{device}: cannot be looked into; it needs a file system, such as FAT or ext4, and no damage ({error})") from None
    try:
        yield folder
    finally:
        with contextlib.suppress(OnboardError):  # one that was pulled; what is left of it is let go the next time
            site.machine.run(["umount", "--lazy", folder])


def let_go(site: Site) -> None:
    """Where the command died in the middle, say with its connection, the stick is still there, below a folder that is going to be cleared."""
    while os.path.ismount(_place(site)):
        site.machine.run(["umount", "--lazy", _place(site)])


def _place(site: Site) -> Path:
    return site.layout.spool / "stick"


def _disk(path: Path) -> str:
    return re.sub(r"-part\d+$", "", path.name)


def _mounts(site: Site) -> dict[Path, list[str]]:
    """{device: the folders that it is mounted at}."""
    found: dict[Path, list[str]] = {}
    for line in disk.contents(site.layout.at("proc/self/mounts")).decode(errors="surrogateescape").splitlines():
        device, where, *_ = (re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), word) for word in line.split(" "))
        found.setdefault(Path(device).resolve(), []).append(where)
    return found
