"""Devices that are folders: a home, a PATH of their own, an installer that records, and a stand-in for ssh that runs commands there, or a real sshd."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.fleet.payload import Parcel, Release, parcel, release
from deploy.release import archive
from tests.receivers import free_port, wait_for

SERIAL = 1_763_800_000
STAND_IN = """#!/bin/sh
eval "command=\\${$#}"
shift $(($# - 2))
device="$FLEET/${1#*@}"
[ -d "$device" ] || { echo "ssh: Could not resolve hostname $1: Name or service not known" >&2; exit 255; }
[ ! -e "$device/complaint" ] || { cat "$device/complaint" >&2; exit 255; }
run="env -i HOME=$device/home PATH=$device/bin:/usr/bin:/bin sh -c"
case "$command" in *"dd of="*) if [ -e "$device/cut" ]; then
    head -c "$(cat "$device/cut")" | $run "$command" >/dev/null
    echo "Connection to $1 closed by remote host." >&2
    exit 255
fi;; esac
exec $run "$command"
"""
INSTALLER = """#!/usr/bin/python3
import json, os, pathlib, sys, time
device = pathlib.Path(os.environ["HOME"]).parent
state = device / "state.json"
with (device / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
told = json.loads(state.read_text()) if state.is_file() else {"current": ""}
if sys.argv[1] == "status":
    if (device / "trial").is_file() and int(left := (device / "trial").read_text()):
        (device / "trial").write_text(str(int(left) - 1))
        told["trial"] = {"id": "x"}
    print(json.dumps({"daemon": {"runs": not (device / "ill").exists(), "state": "running", "frames": 7}, "page": True} | told, indent=1))
    raise SystemExit
if (device / "busy").is_file() and int(left := (device / "busy").read_text()):
    (device / "busy").write_text(str(int(left) - 1))
    print("platewatch-deploy: another update, rollback or trial is under way", file=sys.stderr)
    raise SystemExit(75)
if sys.argv[1] == "trust":
    print("trusts " + " ".join(sys.argv[2:]))
    raise SystemExit(2 if (device / "old").exists() else 0)
print("Checking the signature.", flush=True)
(device / "reached").touch()
end = time.monotonic() + 120
while (device / "hold").exists() and time.monotonic() < end:
    time.sleep(0.02)
if (device / "refuses").exists():
    print("platewatch-deploy: " + (device / "refuses").read_text(), file=sys.stderr)
    raise SystemExit(1)
if sys.argv[1] == "rollback":
    told["current"], told["previous"] = told["previous"], told["current"]
elif (device / "goes-back").exists():
    told["failed"] = {"id": "x", "words": "no picture came in 60 s"}
else:
    told["previous"] = told["current"]
    told["current"] = pathlib.Path(sys.argv[2]).name.removeprefix("platewatch-").removesuffix(".tar")
    assert pathlib.Path(sys.argv[2]).is_file() and pathlib.Path(sys.argv[2] + ".minisig").is_file()
state.write_text(json.dumps(told))
tool = device / "bin/platewatch-deploy"
if not tool.exists():
    tool.write_bytes(pathlib.Path(sys.argv[0]).read_bytes())
    tool.chmod(0o755)
print("Done.")
"""


@dataclass(frozen=True, slots=True)
class Box:
    """A device's folder."""

    folder: Path

    def program(self, name: str, script: str) -> None:
        """What the device has in place of the machine's own."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def put(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def state(self) -> dict[str, Any]:
        """Empty before anything was installed."""
        path = self.folder / "state.json"
        return dict(json.loads(path.read_text() or "{}")) if path.exists() else {}

    @property
    def staged(self) -> list[Path]:
        return sorted((self.folder / "home/.cache/platewatch-deploy").glob("*"))


def a_box(folder: Path, machine: str = "aarch64") -> Box:
    """A Raspberry Pi with root's login, as far as it can be asked."""
    (folder / "bin").mkdir(parents=True)
    (folder / "home").mkdir()
    box = Box(folder)
    box.program("uname", f"echo {machine}")
    box.program("id", 'case "$1" in -u) echo 0;; *) echo root;; esac')
    return box


def a_release(folder: Path, *, size: int = 100_000, serial: int = SERIAL, pythons: tuple[str, ...] = ()) -> Release:
    """A small archive with what looks like a signature beside it; its installer records."""
    files: dict[str, Path | bytes] = {"onboard.pyz": INSTALLER.encode(), "units/a.service": bytes(range(256)) * (size // 256)}
    path = archive.build(folder, files, version="1.0", serial=serial, commit="a" * 40, pythons=pythons)
    path.with_name(f"{path.name}.minisig").write_text("untrusted comment: a stand-in\n")
    return release(path)


def an_installer(folder: Path) -> tuple[Parcel, Parcel]:
    """(onboard.pyz that records, trusted.pub)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "onboard.pyz").write_text(INSTALLER)
    (folder / "trusted.pub").write_text("a key\n")
    return parcel(folder / "onboard.pyz"), parcel(folder / "trusted.pub")


def stand_in(folder: Path, patch: Any) -> Path:
    """From now on `ssh` is the stand-in, and each folder in what is returned a device by its name."""
    (folder / "wire").mkdir()
    (folder / "fleet").mkdir()
    (folder / "wire/ssh").write_text(STAND_IN)
    (folder / "wire/ssh").chmod(0o755)
    patch.setenv("PATH", f"{folder / 'wire'}:{os.environ['PATH']}")
    patch.setenv("FLEET", str(folder / "fleet"))
    return folder / "fleet"


def sshd_missing() -> str:
    """Why no real sshd can be asked; '' where one can."""
    if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") is None or shutil.which("ssh-keygen") is None:
        return "openssh-server is not on this machine"
    return "" if sys.platform == "linux" else "not on Linux"


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running one: `config` is for ssh's -F, `known` its known_hosts."""

    port: int
    config: Path
    known: Path
    folder: Path


def key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)
    return path


@contextlib.contextmanager
def an_sshd(folder: Path, box: Box) -> Iterator[Sshd]:
    """OpenSSH on a free port of the loopback, with its own config and keys, no PAM, which lets in whoever runs the tests, to the box's home."""
    folder.mkdir()
    host, user, port = key(folder / "host"), key(folder / "user"), free_port()
    (folder / "allowed").write_text((folder / "user.pub").read_text())
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {host}",
        f"PidFile {folder / 'pid'}",
        f"AuthorizedKeysFile {folder / 'allowed'}",
        "UsePAM no",
        "StrictModes no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        f"SetEnv HOME={box.folder / 'home'} PATH={box.folder / 'bin'}:/usr/bin:/bin",
    ]
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it asks for this folder, which is its own
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {' '.join((folder / 'host.pub').read_text().split()[:2])}\n")
    config = folder / "config"
    told = (
        f"User {getpass.getuser()}",
        f"IdentityFile {user}",
        "IdentitiesOnly yes",
        "IdentityAgent none",
        f"UserKnownHostsFile {known}",
        "GlobalKnownHostsFile none",
    )
    config.write_text("\n  ".join(("Host *", *told)) + "\n")
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program
    with (folder / "log").open("wb") as log, subprocess.Popen([program, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log) as process:
        try:
            wait_for(lambda: b"listening on" in (folder / "log").read_bytes(), 30)
            yield Sshd(port, config, known, folder)
        finally:
            process.terminate()
