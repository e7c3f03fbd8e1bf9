"""Boot folders, images and releases as a card has them, small. The first-boot files are like those that Raspberry Pi Imager and the images write."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.card.boot import FatPartition, MountedFolder
from deploy.device.settings import Settings, Wifi

NEEDED = ("mcopy", "mkfs.vfat", "sfdisk", "openssl")
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
TOOLS = pytest.mark.skipif(
    any(shutil.which(program, path=PATH) is None for program in NEEDED), reason=f"{', '.join(NEEDED)}: not all on this machine (mtools, dosfstools, fdisk)"
)
HASH = "$6$abcdefgh$" + "Z" * 86
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f owner@desk"
SETTINGS = Settings(
    "gate", "owner", (KEY,), HASH, Wifi('Home "5" \\ müßig', "ab" * 32, "DE", hidden=True), time_zone="Europe/Berlin", locale="de_DE.UTF-8", keyboard="de"
)
PLAIN = Settings("gate", "owner", (KEY,))
BOOKWORM_LINE = "console=serial0,115200 console=tty1 root=PARTUUID=4d8fd085-02 rootfstype=ext4 fsck.repair=yes rootwait quiet"
OLD_INIT = "init=/usr/lib/raspberrypi-sys-mods/firstboot"
TRIXIE_LINE = "console=serial0,115200 console=tty1 root=PARTUUID=4d8fd085-02 rootfstype=ext4 fsck.repair=yes rootwait resize"

STOCK_USER_DATA = """#cloud-config

# The image's own file: everything is an example but one line.

#hostname: raspberrypi

#keyboard:
#  model: pc105
#  layout: gb

# Controls password authentication with the SSH daemon
ssh_pwauth: false

#users:
#- default
#- name: robot
#  passwd: $5$hkui88$nvZgIle31cNpryjRfO9uArF7DYiBcWEnjqq7L1AQNN3

## Run arbitrary commands at rc.local like time
#runcmd:
#- [ ls, -l, / ]
"""
STOCK_NETWORK = """# This file contains a netplan-compatible configuration

network:
  version: 2

  ethernets:
    eth0:
      dhcp4: true
      optional: true

#  wifis:
#    wlan0:
#      access-points:
#        myhomewifi:
#          password: "S3kr1t"
"""
STOCK_META = "# This is the meta-data configuration file\ndsmode: local\ninstance_id: rpios-image\n"
IMAGER_2 = """#cloud-config
manage_resolv_conf: false
hostname: porch
manage_etc_hosts: true
packages:
- avahi-daemon
apt:
  preserve_sources_list: true
  conf: |
    Acquire {
      Check-Date "false";
    };
timezone: Europe/London
keyboard:
  model: pc105
  layout: "gb"
users:
- name: anna
  groups: users,adm,dialout,audio,netdev,video,plugdev,cdrom,games,input,gpio,spi,i2c,render,sudo
  shell: /bin/bash
  lock_passwd: false
  passwd: "$y$j9T$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2h"
  ssh_authorized_keys:
    - ssh-ed25519 AAAAother anna@laptop
  sudo: ALL=(ALL) NOPASSWD:ALL
enable_ssh: true
ssh_pwauth: false
rpi:
  interfaces:
    i2c: true
runcmd:
  - [ rfkill, unblock, wifi ]
  - [ sh, -c, "for f in /var/lib/systemd/rfkill/*:wlan; do echo 0 > \\"$f\\"; done" ]
"""
IMAGER_2_USER = """#cloud-config
hostname: pizero
manage_etc_hosts: true
user:
  name: so6
  shell: /bin/bash
  lock_passwd: false
  passwd: $y$j9T$Q2Z1ZmFrZXNhbHQ$ZmFrZWhhc2hmYWtlaGFzaGZha2VoYXNoZmFrZWhhc2g1
  sudo: true
ssh_pwauth: true
runcmd: [ [ sh, -c, "echo ]" ], reboot-not ]
"""
IMAGER_1 = """#cloud-config
hostname: hall
manage_etc_hosts: true
packages:
- avahi-daemon
users:
- name: pi
  groups: users,adm,sudo
  shell: /bin/bash
  lock_passwd: false
  passwd: $5$saltsalt$0123456789012345678901234567890123456789012

timezone: Europe/Paris
runcmd:
- 'systemctl enable --now ssh'
- localectl set-x11-keymap "fr" pc105
write_files:
- path: /etc/motd
  content: |+
    # not a comment
    runcmd:
    - inside a text

"""
IMAGER_NETWORK = """network:
  version: 2
  ethernets:
    eth0:
      dhcp4: true
      dhcp6: true
      optional: true
  wifis:
    wlan0:
      dhcp4: true
      regulatory-domain: "GB"
      access-points:
        "Porch":
          password: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
      optional: true
"""
IMAGER_FIRSTRUN = """#!/bin/bash

set +e

CURRENT_HOSTNAME=`cat /etc/hostname | tr -d " \\t\\n\\r"`
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_hostname porch
else
   echo porch >/etc/hostname
   sed -i "s/127.0.1.1.*$CURRENT_HOSTNAME/127.0.1.1\\tporch/g" /etc/hosts
fi
FIRSTUSER=`getent passwd 1000 | cut -d: -f1`
FIRSTUSERHOME=`getent passwd 1000 | cut -d: -f6`
if [ -f /usr/lib/userconf-pi/userconf ]; then
   /usr/lib/userconf-pi/userconf 'anna' '$5$saltsalt$0123456789012345678901234567890123456789012'
else
   echo "$FIRSTUSER:"'$5$saltsalt$0123456789012345678901234567890123456789012' | chpasswd -e
fi
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_wlan 'Porch' '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef' 'GB'
fi
rm -f /boot/firstrun.sh
sed -i 's| systemd.run.*||g' /boot/cmdline.txt
exit 0
"""
IMAGER_PRESEED = """config_version = "1.0"

[system]
hostname = "porch"  # as wished

[wlan]
ssid = "Porch"
password = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
password_encrypted = true

[runcmd]
early = ["systemctl enable my-service.service"]
"""
TRIXIE = {"cmdline.txt": TRIXIE_LINE + "\n", "user-data": STOCK_USER_DATA, "network-config": STOCK_NETWORK, "meta-data": STOCK_META}
BOOKWORM = {"cmdline.txt": f"{BOOKWORM_LINE} {OLD_INIT}\n"}
EVERY = {"config.txt": "arm_64bit=1\n", "kernel8.img": "kernel", "issue.txt": "Raspberry Pi reference 2025-11-24\nGenerated using pi-gen\n"}


def boot_files(kind: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in (EVERY | kind).items()}


def boot_folder(folder: Path, kind: dict[str, str]) -> MountedFolder:
    """A folder that stands for a mounted boot partition."""
    folder.mkdir(parents=True)
    for name, content in boot_files(kind).items():
        (folder / name).write_bytes(content)
    return MountedFolder(folder)


def run(*words: object, given: str = "") -> str:
    return subprocess.run([str(word) for word in words], input=given, capture_output=True, text=True, check=True, env={"PATH": PATH}).stdout


def image(path: Path, kind: dict[str, str], boot_mib: int = 12, root_mib: int = 6) -> Path:
    """A disk with a FAT boot partition and another one of noise, as a card image has them."""
    fat = path.with_suffix(".fat")
    with fat.open("wb") as file:
        file.truncate(boot_mib << 20)
    run("mkfs.vfat", "-n", "bootfs", fat)
    for name, content in boot_files(kind).items():
        given = path.with_suffix(".file")
        given.write_bytes(content)
        run("mcopy", "-i", fat, given, f"::/{name}")
        given.unlink()
    root = bytes(range(256)) * (root_mib << 12)
    path.write_bytes(bytes(1 << 20) + fat.read_bytes() + root)
    run("sfdisk", "-q", path, given=f"label: dos\nstart=2048, size={boot_mib << 11}, type=c\nstart={2048 + (boot_mib << 11)}, size={root_mib << 11}, type=83\n")
    fat.unlink()
    return path


def inside(path: Path) -> FatPartition:
    return FatPartition(path, 1 << 20)


@functools.cache
def _release(folder: str, pythons: tuple[str, ...]) -> tuple[Path, Path]:
    from deploy.keys import make_key
    from deploy.release.archive import build
    from deploy.release.minisign import sign

    where = Path(folder)
    secret, trusted = where / "release.key", where / "release.pub"
    if not secret.exists():
        make_key(secret, trusted)
    files = {f"wheels/{name}-1.0-py3-none-any.whl": b"not really" for name in ("pip", "platewatch")}
    files |= {"onboard.pyz": b"#!/usr/bin/env python3\n", "units/platewatch.service": b"[Unit]\n"}
    archive = build(where, files, version="0.1.0", serial=1_760_000_000, commit="0123456789abcdef0123456789abcdef01234567", pythons=pythons)
    sign(archive, secret, "a test")
    return archive, trusted


def release(folder: Path, pythons: tuple[str, ...] = ("3.11", "3.13")) -> tuple[Path, Path]:
    """A signed archive that holds nothing of use, and the public key."""
    folder.mkdir(parents=True, exist_ok=True)
    return _release(str(folder), pythons)
