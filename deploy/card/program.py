"""Runs the few programs that a card needs; one that is not here is named with its package."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deploy.card.errors import CardError

PACKAGES = {"mcopy": "mtools", "mdir": "mtools", "mtype": "mtools", "mdel": "mtools", "mmd": "mtools", "lsblk": "util-linux"}


def run(program: str, *words: str | Path) -> bytes:
    """Its standard output. Raises CardError with the program's last words."""
    known = os.environ | {"LC_ALL": "C.UTF-8", "MTOOLSRC": os.devnull, "MTOOLS_SKIP_CHECK": "1", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    try:
        done = subprocess.run([program, *map(str, words)], capture_output=True, check=False, env=known, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        package = PACKAGES.get(program, program)
        raise CardError(f"the program {program} is not on this computer; install {package} (on Debian and Ubuntu: sudo apt install {package})") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise CardError(f"{program} failed: {said[-1][:200] if said else f'exit code {done.returncode}'}")
    return done.stdout
