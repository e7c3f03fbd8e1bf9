"""Could the targets be told? Names are resolved and ports opened; no event is sent."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edge.checks.disk import nearest_folder
from edge.checks.outcome import Device, Outcome, worst
from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.publish.settings import TargetConfig

PATIENCE_S = 4.0
WAITS = "until then its events wait on disk"


def check_targets(device: Device) -> Outcome | None:
    """Each of `[[targets]]`; None where there are none."""
    if device.config is None or not device.config.targets:
        return None
    return worst([check_target(target) for target in device.config.targets])


def check_target(target: TargetConfig) -> Outcome:
    if target.kind == "exec":
        found = shutil.which(target.command[0])
        return _said(target, "" if found else f"there is no program {target.command[0]}", "install it, or name its whole path in `command`")
    if target.kind in ("jsonl", "csv"):
        return _said(target, _unwritable(Path(target.path)), "see who owns it")
    try:
        host, port = _address(target)
    except ConfigError as error:
        return Outcome("bad", str(error))
    return _said(target, _unreachable(host, port), f"see whether it runs and whether the address is right; {WAITS}", f"{host}:{port} answers")


def _said(target: TargetConfig, problem: str, mend: str, good: str = "can be written") -> Outcome:
    if problem:
        return Outcome("bad", f"target {target.name}: {problem}", mend)
    return Outcome("good", f"target {target.name}: {'its program is there' if target.kind == 'exec' else good}")


def _address(target: TargetConfig) -> tuple[str, int]:
    """ConfigError names what is missing or wrong, never a secret."""
    from edge.publish.base import secret

    if target.kind == "mqtt":
        return target.host, target.port or (8883 if target.tls else 1883)
    where = f"target {target.name}"
    try:
        url = urlsplit(secret(target.url, f"{where}, url", dict(os.environ)))
        port = url.port or (443 if url.scheme == "https" else 80)
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{where}: its url is none") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ConfigError(f"{where}: its url is none; it begins with http:// or https://")
    return url.hostname, port


def _unreachable(host: str, port: int) -> str:
    """Why not, '' where somebody answers."""
    try:
        socket.create_connection((host, port), timeout=PATIENCE_S).close()
    except socket.gaierror:
        return f"the name {host} is not known here"
    except TimeoutError:
        return f"{host}:{port} does not answer within {PATIENCE_S:.0f} s"
    except OSError as error:
        return f"{host}:{port} cannot be reached ({error.strerror or type(error).__name__})"
    return ""


def _unwritable(path: Path) -> str:
    place = path if path.exists() else nearest_folder(path)
    if path.is_dir():
        return f"{path} is a folder"
    return "" if os.access(place, os.W_OK) else f"{place} may not be written by this user"
