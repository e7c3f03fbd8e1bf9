"""An image like Raspberry Pi OS Lite, for `deploy flash`: its boot partition as that system ships it, its root Debian's.

What it is not: no start.elf, no Raspberry Pi kernel and firmware, systemd-networkd in NetworkManager's place.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.emulate import initramfs, program, suites
from deploy.emulate.errors import EmulateError
from deploy.emulate.suites import SIGNATURE, TRIXIE, Suite

MIB = 1 << 20
TREE = "bcm2837-rpi-3-b.dtb"
SIZE, FAT_START, FAT_SIZE = 4096 * MIB, 8 * MIB, 512 * MIB
"""QEMU's SD card must be a power of two; boot partition and alignment are those of Raspberry Pi OS."""
ROOT = {
    "etc/fstab": f"proc /proc proc defaults 0 0\nPARTUUID={SIGNATURE:08x}-01 /boot/firmware vfat defaults 0 2\n"
    f"PARTUUID={SIGNATURE:08x}-02 / ext4 defaults,noatime 0 1\n",
    "etc/hostname": "raspberrypi\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 raspberrypi\n",
    "etc/systemd/network/80-cable.network": "[Match]\nName=en* eth* usb*\n\n[Network]\nDHCP=ipv4\n",
}
LINKS = {"etc/systemd/system/multi-user.target.wants/systemd-networkd.service": "/usr/lib/systemd/system/systemd-networkd.service"}
OFF = ("etc/systemd/system/multi-user.target.wants/ssh.service", "etc/systemd/system/sshd.service")
"""SSH is off until the owner's settings turn it on."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """What QEMU is given: the image to flash, and what a Raspberry Pi's firmware would load from the card."""

    image: Path
    kernel: Path
    initramfs: Path
    tree: Path
    """The device tree of a Raspberry Pi 3 B."""

    @property
    def whole(self) -> bool:
        return all(path.is_file() for path in (self.image, self.kernel, self.initramfs, self.tree))


def place(cache: Path, suite: Suite = TRIXIE) -> StandIn:
    folder = cache / suite.name
    return StandIn(folder / f"{suite.name}.img", folder / "vmlinuz", folder / "initramfs.cpio", folder / TREE)


def make(cache: Path, packed: Path, log: Path, suite: Suite = TRIXIE) -> StandIn:
    """From the root's tar; made anew where that, or what dresses it, is newer. Raises EmulateError."""
    made = place(cache, suite)
    made.image.parent.mkdir(exist_ok=True)
    makers = (packed, Path(__file__), Path(suites.__file__), Path(initramfs.__file__))
    if made.whole and made.image.stat().st_mtime >= max(path.stat().st_mtime for path in makers):
        return made
    if os.geteuid() != 0:
        raise EmulateError("the stand-in's image is made as root, once: sudo ./setup.sh emulate --only image")
    with tempfile.TemporaryDirectory(prefix="root-", dir=cache) as folder:
        root = Path(folder)
        program.run("tar", "-xpf", packed, "-C", root, "--numeric-owner", "--exclude=./dev/*", log=log)
        kernel = max(root.glob("boot/vmlinuz-*"))
        version = kernel.name.removeprefix("vmlinuz-")
        shutil.copyfile(kernel, made.kernel)
        made.initramfs.write_bytes(initramfs.make(root, version))
        shutil.copyfile(next(root.glob(f"usr/lib/linux-image-{version}/broadcom/{TREE}")), made.tree)
        dress(root, suite)
        fresh = made.image.with_suffix(".part")
        assemble(fresh, root, log, suite)
        os.replace(fresh, made.image)
    return made


def dress(root: Path, suite: Suite) -> None:
    """Into a plain Debian what makes it look like Raspberry Pi OS to a first start."""
    for name, text in (ROOT | suite.root | suite.scripts).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
        (root / name).chmod(0o755 if name in suite.scripts else 0o440 if "sudoers" in name else 0o644)
    for name, goal in LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(goal)
    for name in OFF:
        (root / name).unlink(missing_ok=True)
    (root / "boot/firmware").mkdir(parents=True, exist_ok=True)


def assemble(image: Path, root: Path | None, log: Path, suite: Suite = TRIXIE, *, size: int = SIZE, fat_size: int = FAT_SIZE) -> None:
    """Partition table, FAT and ext4 in one sparse file; without a root its partition stays empty. Raises EmulateError."""
    root_start = FAT_START + fat_size
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(size)
        file.write(table(fat_size, size))
    with tempfile.TemporaryDirectory(prefix="boot-", dir=image.parent) as folder:
        fat = Path(folder) / "fat.img"
        with fat.open("wb") as file:
            file.truncate(fat_size)
        program.run("mkfs.vfat", "-n", "bootfs", *(("-F", "32") if fat_size >= 64 * MIB else ()), fat, log=log)
        for name, text in suite.boot.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
            program.run("mcopy", "-i", fat, Path(folder) / name, f"::/{name}")
        program.run("dd", f"if={fat}", f"of={image}", "bs=1M", f"seek={FAT_START // MIB}", "conv=notrunc,sparse", "status=none", log=log)
    if root is not None:
        options = ("-q", "-F", "-t", "ext4", "-L", "rootfs", "-m", "1", "-d", root, "-E", f"offset={root_start},root_owner=0:0")
        program.run("mke2fs", *options, image, f"{(size - root_start) // 1024}k", log=log)


def table(fat_size: int, size: int) -> bytes:
    """The first sector: an MBR with two partitions, as Raspberry Pi OS has it."""
    root_start = FAT_START + fat_size
    parts = ((0x0C, FAT_START, fat_size), (0x83, root_start, size - root_start))
    entries = b"".join(struct.pack("<B3xB3xII", 0, kind, start // 512, length // 512) for kind, start, length in parts)
    return bytes(440) + struct.pack("<IH", SIGNATURE, 0) + entries + bytes(32) + b"\x55\xaa"
