"""A card: two ext4 file systems in files, mounted by loop devices, and the plug that can be pulled on both.

What nobody had waited for to be on the disk is lost: `EXT4_IOC_SHUTDOWN` without flushing the log ends all writing at once, dirty pages and the running
transaction included, as a cut does.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.powercuts.errors import CutsError, NotBack

MIB = 1 << 20
SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32), of the kernel's ext4."""
NO_LOG_FLUSH = 2
NEW_MOUNTS = 0x00020000
PATIENCE_S = 30.0


def apart() -> None:
    """Mounts made from here on are this process's and its children's: no other program's namespace can hold a card that we let go. Raises CutsError."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS) != 0:
        raise CutsError(f"mounts of its own are refused here ({os.strerror(ctypes.get_errno())}); run it as root, outside of a container")
    program("mount", "--make-rprivate", "/")


def program(*words: str | Path) -> str:
    """What it printed; raises CutsError with its last words."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise CutsError(f"{words[0]}: {error.strerror}") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CutsError(f"{words[0]}: {said[-1] if said else done.returncode}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Card:
    """`root.img` and `boot.img` in a folder, mounted below its `root`; the second stands for the FAT partition of a real card."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def boot(self) -> Path:
        return self.root / "boot/firmware"

    @property
    def images(self) -> tuple[Path, Path]:
        return self.folder / "root.img", self.folder / "boot.img"

    def make(self, sizes_mib: tuple[int, int], contents: tuple[Path, Path]) -> None:
        """Fresh file systems with what lies in two folders. Nothing is initialised later, which would keep the device's own writes company."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for image, mib, content in zip(self.images, sizes_mib, contents, strict=True):
            with image.open("wb") as file:
                file.truncate(mib * MIB)
            program("mke2fs", "-q", "-F", "-t", "ext4", "-m", "1", "-d", content, "-E", "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0", image)

    def copy(self, folder: Path) -> Card:
        """Sparse; the copy is of a card that is not mounted."""
        folder.mkdir(parents=True, exist_ok=True)
        for image in self.images:
            program("cp", "--sparse=always", image, folder / image.name)
        return Card(folder)

    def mount(self) -> None:
        self.root.mkdir(exist_ok=True)
        for image, goal in zip(self.images, (self.root, self.boot), strict=True):
            program("mount", "-t", "ext4", "-o", "loop,noatime", image, goal)

    def unmount(self) -> None:
        """And wait until nobody holds it any more."""
        for goal in (self.boot, self.root):
            if os.path.ismount(goal):
                program("umount", goal)
        until = time.monotonic() + PATIENCE_S
        while any(program("losetup", "-j", image).strip() for image in self.images):
            if time.monotonic() > until:
                raise CutsError(f"{self.folder}: some program still holds the card after {PATIENCE_S:.0f} s")
            time.sleep(0.05)

    def plug(self) -> Plug:
        return Plug([os.open(goal, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for goal in (self.boot, self.root)])

    def replay(self) -> None:
        """What the next start's mount does, and then a check of every structure. Raises NotBack where the file system itself is broken."""
        try:
            self.mount()
            self.unmount()
        except CutsError as error:
            raise NotBack(f"the card cannot be mounted any more: {error}") from None
        for image in self.images:
            done = subprocess.run(["e2fsck", "-f", "-n", str(image)], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise NotBack(f"e2fsck finds faults in {image.name}: {' / '.join(done.stdout.splitlines()[-4:])}")

    def remove(self) -> None:
        self.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(slots=True)
class Plug:
    """Held open from before the cut, so that between the two file systems there are microseconds."""

    files: list[int]

    def pull(self) -> None:
        """The boot partition first: who finds the root gone would otherwise still write words there, which no pulled plug lets anybody do."""
        for file in self.files:
            fcntl.ioctl(file, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        self.drop()

    def drop(self) -> None:
        while self.files:
            os.close(self.files.pop())
