"""The operating system of the stand-in: an arm64 Debian root, made once from Debian's packages and kept as a tar file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from deploy.emulate import program
from deploy.emulate.errors import EmulateError
from deploy.emulate.suites import TRIXIE, Suite

PACKAGES = (
    *("systemd-sysv", "udev", "dbus", "kmod", "sudo", "procps", "iproute2", "netbase", "tzdata", "e2fsprogs", "dosfstools", "busybox-static"),
    *("python3", "avahi-daemon", "openssh-server", "ca-certificates", "openssl", "libstdc++6"),
)
"""What Raspberry Pi OS Lite has too, as far as Platewatch touches it. No initramfs-tools: under emulation one run of it takes minutes."""
KERNEL = "linux-image-arm64"
# The kernel's package asks for initramfs-tools, so that it is unpacked and not installed.
KERNEL_HOOK = """set -eu
chroot "$1" sh -c 'cd /tmp && apt-get download -q $(apt-cache depends --important {kernel} | sed -n "s/.*Depends: \\(linux-image-[0-9].*\\)/\\1/p" | head -n 1)'
mkdir "$1/tmp/kernel"
dpkg-deb -x "$1"/tmp/linux-image-*.deb "$1/tmp/kernel"
cp -a "$1/tmp/kernel/boot/." "$1/boot/"
[ -d "$1/tmp/kernel/usr/lib" ] && cp -a "$1/tmp/kernel/usr/lib/." "$1/usr/lib/"
[ -d "$1/tmp/kernel/lib" ] && cp -a "$1/tmp/kernel/lib/." "$1/usr/lib/"
rm -rf "$1/tmp/kernel" "$1"/tmp/linux-image-*.deb
chroot "$1" depmod "$(ls "$1/usr/lib/modules")"
"""
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
BINFMT = Path("/proc/sys/fs/binfmt_misc")


def recipe(suite: Suite) -> str:
    """A short hash of all that the root is made of; another recipe makes another root."""
    return hashlib.sha256("\n".join([suite.name, *PACKAGES, *suite.packages, KERNEL, KERNEL_HOOK, *LEFT_OUT]).encode()).hexdigest()[:10]


def command(suite: Suite, out: Path, hook: Path) -> list[str]:
    """mmdebstrap's, from Debian's own mirror."""
    words = ["mmdebstrap", "--mode=root", "--architectures=arm64", "--variant=minbase", f"--include={','.join([*PACKAGES, *suite.packages])}"]
    words += ["--aptopt=Apt::Install-Recommends false", "--dpkgopt=force-unsafe-io", *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT)]
    return [*words, f'--customize-hook=sh {hook} "$1"', suite.name, str(out)]


def runs_arm64() -> bool:
    """Whether a program for arm64 can be started here, by itself or by QEMU."""
    try:
        program.run("arch-test", "arm64")
    except EmulateError:
        return False
    return True


def make(cache: Path, log: Path, suite: Suite = TRIXIE) -> Path:
    """The root's tar in the cache, made where it is not there yet (10 minutes). Raises EmulateError."""
    made = cache / f"root-{suite.name}-{recipe(suite)}.tar"
    if made.is_file():
        return made
    if os.geteuid() != 0:
        raise EmulateError("the stand-in's root is made with mmdebstrap as root, once: sudo ./setup.sh emulate --only root")
    if not runs_arm64():
        enable()
    hook, fresh = cache / "kernel-hook.sh", made.with_suffix(".part.tar")
    hook.write_text(KERNEL_HOOK.format(kernel=KERNEL), encoding="utf-8")
    program.run(*command(suite, fresh, hook), log=log)
    os.replace(fresh, made)
    return made


def enable() -> None:
    """Let programs for arm64 run by QEMU, where Debian's binfmt-support is installed but not in force, as in a container. Raises EmulateError."""
    if not (BINFMT / "register").exists():
        program.run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
    program.run("update-binfmts", "--enable", "qemu-aarch64")
    if not runs_arm64():
        raise EmulateError("programs for arm64 cannot be started here; install qemu-user-static and binfmt-support, and let this computer use binfmt_misc")
