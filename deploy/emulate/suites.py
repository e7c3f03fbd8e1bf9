"""The two systems that a card may carry, as Raspberry Pi ships them: what differs between Trixie and Bookworm stands here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field

SIGNATURE = 0x4D8FD085
"""Of the partition table."""
LINE = f"console=serial0,115200 console=tty1 root=PARTUUID={SIGNATURE:08x}-02 rootfstype=ext4 fsck.repair=yes rootwait"
CONFIG = "# For more options and information see\n# http://rptl.io/configtxt\narm_64bit=1\narm_boost=1\n\n[all]\n"
KERNEL_TEXT = "The kernel of the stand-in is given to QEMU beside the card.\n"
FIRSTBOOT = "usr/lib/raspberrypi-sys-mods/firstboot"
USER_DATA = (
    "#cloud-config\n\n#hostname: raspberrypi\n\n# Controls password authentication with the SSH daemon\nssh_pwauth: false\n\n"
    "#users:\n#- default\n\n## Run arbitrary commands at rc.local like time\n#runcmd:\n#- [ ls, -l, / ]\n"
)
NETWORK = "# This file contains a netplan-compatible configuration\n#network:\n#  version: 2\n#  ethernets:\n#    eth0:\n#      dhcp4: true\n"
CLOUD = "datasource_list: [NoCloud, None]\ndatasource:\n  NoCloud:\n    seedfrom: file:///boot/firmware/\nnetwork: {config: disabled}\n"
BOOT_FIRST = "[Unit]\nRequiresMountsFor=/boot/firmware\n"
RESTART = """#!/bin/sh
# In the place of Raspberry Pi OS's own, which makes the root as large as the card: both take themselves out of cmdline.txt and start the machine anew.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount /boot/firmware
sed -i 's| init=[^ ]*||' /boot/firmware/cmdline.txt
umount /boot/firmware
sync
echo b >/proc/sysrq-trigger
sleep 60
"""


def _issue(day: str) -> str:
    return f"Raspberry Pi reference {day}\nStand-in made of Debian packages, for emulation\n"


@dataclass(frozen=True, slots=True)
class Suite:
    """`seed` is the file that its first start reads. `boot` and `root` are files by name, with their text; those of `scripts` may be run.

    `packages` come to those that both have.
    """

    name: str
    python: str
    seed: str
    boot: dict[str, str]
    packages: tuple[str, ...] = ()
    root: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)


TRIXIE = Suite(
    "trixie",
    "3.13",
    "user-data",
    # As the stock image has them, everything in them an example but one line.
    {
        "cmdline.txt": LINE + "\n",
        "config.txt": CONFIG,
        "issue.txt": _issue("2025-11-24"),
        "kernel8.img": KERNEL_TEXT,
        "meta-data": "# This is the meta-data configuration file for cloud-init\ndsmode: local\ninstance_id: rpios-image\n",
        "network-config": NETWORK,
        "user-data": USER_DATA,
    },
    ("cloud-init",),
    {
        "etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg": CLOUD,
        "etc/systemd/system/cloud-init-local.service.d/boot.conf": BOOT_FIRST,
        "etc/systemd/system/cloud-init-main.service.d/boot.conf": BOOT_FIRST,
    },
)
BOOKWORM = Suite(
    "bookworm",
    "3.11",
    "firstrun.sh",
    {"cmdline.txt": f"{LINE} quiet init=/{FIRSTBOOT}\n", "config.txt": CONFIG, "issue.txt": _issue("2025-05-13"), "kernel8.img": KERNEL_TEXT},
    (),
    # Raspberry Pi OS gives its first user this right, whatever the owner names him.
    {"etc/sudoers.d/010_first-user-nopasswd": "owner ALL=(ALL) NOPASSWD: ALL\n"},
    {FIRSTBOOT: RESTART},
)
SUITES = (TRIXIE, BOOKWORM)
