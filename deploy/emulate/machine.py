"""QEMU's command lines: a board without a name with four fast devices (`virt`), and a Raspberry Pi 3 (`raspi3b`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.emulate.stand_in import StandIn

Board = Literal["virt", "raspi3b"]
BOARDS: tuple[Board, ...] = ("virt", "raspi3b")
PAGE, SSH, FIRST = 8080, 22, 80
"""Ports in the guest: the page, the login, the page that the first start shows."""
QUIET = "systemd.firstboot=off systemd.show_status=1 loglevel=4"
CONSOLES: dict[Board, str] = {"virt": "console=ttyAMA0", "raspi3b": "console=ttyAMA0 console=ttyS1,115200"}
"""A Raspberry Pi 3's first serial line is Bluetooth's in the device tree; whichever is a console writes the log."""
SPARE: dict[Board, str] = {"virt": "", "raspi3b": "modprobe.blacklist=vchiq,vc4,snd_bcm2835,bcm2835_v4l2"}
"""What QEMU's board has not, and Debian's drivers would wait for."""
NO_WATCHDOG, SLOW_WATCHDOG = "systemd.watchdog_sec=0", "systemd.watchdog_sec=60"
"""The 14 seconds of a device would take a busy computer for a guest that hangs, and the Raspberry Pi 3 of QEMU has no watchdog."""


@dataclass(frozen=True, slots=True)
class Ports:
    """On this computer's loopback."""

    page: int
    ssh: int


def command_line(text: str, board: Board, *, watchdog: bool = False) -> str:
    """The kernel's: the card's own cmdline.txt, as the firmware would hand it over, with this board's console."""
    words = [word for word in text.split() if not word.startswith("console=")]
    return " ".join([*words, *CONSOLES[board].split(), *SPARE[board].split(), SLOW_WATCHDOG if watchdog else NO_WATCHDOG, *QUIET.split()])


def command(board: Board, card: Path, parts: StandIn, line: str, ports: Ports, serial: Path) -> list[str]:
    """No network but two forwarded ports: `restrict` keeps the guest from this computer and from the world."""
    forwarded = ",".join(f"hostfwd=tcp:127.0.0.1:{outside}-:{inside}" for outside, inside in ((ports.page, PAGE), (ports.ssh, SSH)))
    words = ["qemu-system-aarch64", "-M", board, "-kernel", parts.kernel, "-initrd", parts.initramfs, "-append", line]
    words += ["-no-reboot", "-display", "none", "-monitor", "none", "-chardev", f"file,id=line,path={serial},append=on", "-serial", "chardev:line"]
    words += ["-netdev", f"user,id=net,restrict=on,{forwarded}"]
    if board == "virt":
        # The same core as a Raspberry Pi 4 has; QEMU's own "max" computes wrong results.
        words += ["-cpu", "cortex-a72", "-smp", "2", "-m", "1024", "-drive", f"if=none,id=card,file={card},format=raw", "-device", "virtio-blk-pci,drive=card"]
        words += ["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci", "-device", "i6300esb"]
    else:
        words += ["-dtb", parts.tree, "-drive", f"if=sd,file={card},format=raw", "-device", "usb-net,netdev=net", "-serial", f"file:{serial}.second"]
    return [str(word) for word in words]
