"""Runs the programs that make and start an emulated device; one that is not here is named with its package."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.emulate.errors import EmulateError

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "arch-test": "arch-test",
    "qemu-aarch64-static": "qemu-user-static",
    "qemu-system-aarch64": "qemu-system-arm",
    "mcopy": "mtools",
    "mmd": "mtools",
    "mdel": "mtools",
    "mkfs.vfat": "dosfstools",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
}
"""Program -> Debian package."""
EXTRA = ("ipxe-qemu", "binfmt-support")
"""Packages without a program of their own: the network card's boot code that QEMU loads, and what lets foreign programs run."""


def environment() -> dict[str, str]:
    """Programs of /usr/sbin are found, and everyone speaks English."""
    return os.environ | {"LC_ALL": "C.UTF-8", "MTOOLSRC": os.devnull, "MTOOLS_SKIP_CHECK": "1", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


def missing(programs: Sequence[str] = tuple(PACKAGES)) -> list[str]:
    """Debian packages of those programs that are not on this computer."""
    path = environment()["PATH"]
    return sorted({PACKAGES.get(name, name) for name in programs if shutil.which(name, path=path) is None})


def run(*words: str | Path, log: Path | None = None, feed: bytes = b"", more: Mapping[str, str] | None = None) -> bytes:
    """Its standard output; with `log` both outputs go there. Raises EmulateError with the program's last words."""
    told = [str(word) for word in words]
    try:
        if log is not None:
            with log.open("ab") as stream:
                done = subprocess.run(told, input=feed, stdout=stream, stderr=subprocess.STDOUT, check=False, env=environment() | dict(more or {}))
            said = log.read_bytes()
        else:
            done = subprocess.run(told, input=feed, capture_output=True, check=False, env=environment() | dict(more or {}))
            said = done.stderr or done.stdout
    except FileNotFoundError:
        package = PACKAGES.get(told[0], told[0])
        raise EmulateError(f"the program {told[0]} is not on this computer; install {package} (on Debian and Ubuntu: sudo apt install {package})") from None
    if done.returncode:
        lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
        raise EmulateError(f"{told[0]} failed: {lines[-1].strip()[:300] if lines else f'exit code {done.returncode}'}{f' (see {log})' if log else ''}")
    return done.stdout or b""
