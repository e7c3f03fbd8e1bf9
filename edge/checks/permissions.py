"""May this user read and write what the daemon must?"""

from __future__ import annotations

import getpass
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.checks.disk import nearest_folder
from edge.checks.outcome import Device, Outcome, worst

May = Callable[[Path, int], bool]


def check_permissions(device: Device, *, may: May = os.access) -> Outcome | None:
    """Config, store, runtime folder, and the files of secrets; for the user who asks."""
    if device.config is None or device.config_file is None:
        return None
    problems = [*_files(device, may), *_secrets(device, may)]
    user = _user()
    if not problems:
        also = "; as root: run it as the daemon's user to be sure" if user == "root" else ""
        return Outcome("good", f"{user} may read and write what is needed{also}")
    return worst(problems)


def _files(device: Device, may: May) -> Iterator[Outcome]:
    assert device.config is not None
    assert device.config_file is not None
    user, config = _user(), Path(device.config_file)
    if not may(config, os.R_OK):
        yield Outcome("bad", f"{config}: {user} may not read it", f"sudo chown {user} {config}")
    store, runtime = Path(device.config.store.path), Path(device.config.runtime.directory)
    for what, path in (("store.path", store), ("runtime.directory", runtime)):
        # SQLite makes files of its own beside the store: the folder must be open too.
        for place in [path, path.parent] if path.is_file() else [path if path.is_dir() else nearest_folder(path)]:
            if not may(place, os.R_OK | os.W_OK | (os.X_OK if place.is_dir() else 0)):
                yield Outcome("bad", f"{what}: {user} may not write {place}", f"sudo chown {user} {place}, or run as the user whose it is")


def _secrets(device: Device, may: May) -> Iterator[Outcome]:
    """Files that hold a password or a key: there, readable by us, and by nobody else."""
    for path in dict.fromkeys(secret_files(device)):
        if not path.is_file():
            yield Outcome("bad", f"{path}: there is no such file of a secret", "make it, with mode 600")
        elif not may(path, os.R_OK):
            yield Outcome("bad", f"{path}: {_user()} may not read this secret", f"sudo chown {_user()} {path}")
        elif (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            yield Outcome("bad", f"{path} holds a secret, and others may read it (mode {mode:o})", f"chmod 600 {path}")


def secret_files(device: Device) -> Iterator[Path]:
    """Every file that the targets name for a secret."""
    for target in device.config.targets if device.config else ():
        for value in (target.password, target.secret, target.url, *target.headers.values()):
            if value.startswith("file:"):
                yield Path(value.removeprefix("file:"))
        if target.key_file:
            yield Path(target.key_file)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
