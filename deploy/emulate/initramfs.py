"""The first root: a busybox, the modules without which there is no card, and a script that goes on to the card's own system.

Raspberry Pi OS's kernel has these drivers built in; Debian's has them as modules.
"""

from __future__ import annotations

import lzma
from pathlib import Path

from deploy.emulate import cpio
from deploy.emulate.errors import EmulateError

WANTED = ("virtio_pci", "virtio_mmio", "virtio_blk", "bcm2835_dma", "sdhci_iproc", "bcm2835", "mmc_block", "crc32c_generic", "ext4")
"""For the machine `virt` (virtio) and for `raspi3b` (the two SD controllers); what the kernel has built in or not at all is passed over."""
NEEDED = ("virtio_blk", "ext4")
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /card
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in $(/bin/busybox cat /modules/order); do /bin/busybox insmod /modules/$module; done
how=ro init=/sbin/init
for word in $(/bin/busybox cat /proc/cmdline); do
    case "$word" in rw) how=rw ;; init=*) init=${word#init=} ;; root=PARTUUID=*) part=${word##*-} ;; esac
done
part=${part#0}
for try in $(/bin/busybox seq 1 600); do
    for disk in vda mmcblk0p mmcblk1p; do
        [ -b "/dev/${disk}${part}" ] && root="/dev/${disk}${part}" && break 2
    done
    /bin/busybox sleep 0.1
done
echo "platewatch-emulate: the card's root is ${root:-missing}"
/bin/busybox mount -t ext4 -o $how "$root" /card || exec /bin/busybox sh
/bin/busybox umount /proc /sys
/bin/busybox mount -o move /dev /card/dev
exec /bin/busybox switch_root /card $init
"""


def in_order(modules_dep: str, wanted: tuple[str, ...] = WANTED) -> list[str]:
    """Paths of the modules below their folder, each after what it needs; raises EmulateError where a driver that is needed is not a module."""
    needs: dict[str, list[str]] = {}
    named: dict[str, str] = {}
    for line in modules_dep.splitlines():
        path, _, rest = line.partition(":")
        needs[path] = rest.split()
        named[path.rpartition("/")[2].split(".")[0].replace("-", "_")] = path
    found: list[str] = []

    def add(path: str) -> None:
        for need in reversed(needs.get(path, [])):
            if need not in found:
                add(need)
        if path not in found:
            found.append(path)

    for name in wanted:
        if name in named:
            add(named[name])
    return found


def make(root: Path, version: str) -> bytes:
    """Of an unpacked root and the kernel's version. Raises EmulateError."""
    folder = root / "usr/lib/modules" / version
    busybox = root / "usr/bin/busybox"
    order = in_order((folder / "modules.dep").read_text(encoding="utf-8"))
    built_in = {Path(line).stem.replace("-", "_") for line in (folder / "modules.builtin").read_text(encoding="utf-8").split()}
    there = {_name(path) for path in order} | built_in
    if lacking := [name for name in NEEDED if name not in there]:
        raise EmulateError(f"the kernel {version} has no driver {' or '.join(lacking)}, without which it finds no card")
    entries = [cpio.Entry(name, cpio.FOLDER | 0o755) for name in ("bin", "dev", "modules")]
    entries += [
        cpio.Entry("dev/console", cpio.DEVICE | 0o600, device=(5, 1)),
        cpio.Entry("bin/busybox", cpio.FILE | 0o755, busybox.read_bytes()),
        cpio.Entry("init", cpio.FILE | 0o755, INIT.encode()),
        cpio.Entry("modules/order", cpio.FILE | 0o644, "".join(f"{_name(path)}.ko\n" for path in order).encode()),
    ]
    entries += [cpio.Entry(f"modules/{_name(path)}.ko", cpio.FILE | 0o644, _plain(folder / path)) for path in order]
    return cpio.packed(entries)


def _name(path: str) -> str:
    return path.rpartition("/")[2].split(".")[0].replace("-", "_")


def _plain(path: Path) -> bytes:
    """Debian packs its modules."""
    raw = path.read_bytes()
    return lzma.decompress(raw) if path.suffix == ".xz" else raw
