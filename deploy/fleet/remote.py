"""What can be asked of one device over SSH: what it is, to take files, to run the installer as root."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from deploy.fleet.errors import DeviceError
from deploy.fleet.inventory import Device
from deploy.fleet.payload import CHUNK, Parcel, Release
from deploy.fleet.ssh import Done, Ssh

STAGE = '"${HOME:?}/.cache/platewatch-deploy"'
"""Where files wait on the device, in the words of its shell. A file `NAME.SHA256.part` holds the first bytes of the one it will be."""
SPARE = 64 * CHUNK
PROBE = r"""
say() { printf '%s=%s\n' "$1" "$2"; }
say machine "$(uname -m)"
say bits "$(getconf LONG_BIT)"
say python "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
say uid "$(id -u)"
say user "$(id -un)"
say sudo "$(sudo -n true 2>/dev/null && echo yes || command -v sudo >/dev/null && echo asks || echo no)"
say openssl "$(command -v openssl)"
say free "$(df -Pk "$HOME" | awk 'NR == 2 { print $4 }')"
say deploy "$(PATH="$PATH:/usr/local/sbin" command -v platewatch-deploy)"
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a device is. `sudo`: root (is root), yes, asks (for a password), no."""

    machine: str
    bits: int
    python: tuple[int, int]
    user: str
    sudo: str
    openssl: bool
    free_bytes: int
    deploy: str
    """Where the device's own platewatch-deploy is; empty where nothing is installed."""


class Remote:
    """One device, by its SSH."""

    def __init__(self, ssh: Ssh, hear: Callable[[str], None] = lambda line: None, password: str = "") -> None:
        self._ssh, self._hear, self.password = ssh, hear, password
        self._root, self._deploy = False, ""

    @property
    def device(self) -> Device:
        return self._ssh.device

    def stop(self) -> None:
        self._ssh.stop()

    def facts(self) -> Facts:
        """Raises DeviceError where it cannot be reached or answers nonsense."""
        done = self._ssh.run(PROBE)
        said = dict(line.split("=", 1) for line in done.lines if "=" in line)
        try:
            major, _, minor = said["python"].partition(".")
            python = (int(major or 0), int(minor or 0))
            sudo = "root" if said["uid"] == "0" else said["sudo"]
            self._root, self._deploy = sudo == "root", said["deploy"]
            free = int(said["free"] or 0) * 1024
            return Facts(said["machine"], int(said["bits"]), python, said["user"], sudo, bool(said["openssl"]), free, said["deploy"])
        except (KeyError, ValueError):
            raise DeviceError(f"it answers, but not as a Linux system does ({done.last or 'with nothing'})") from None

    def send(self, parcels: Sequence[Parcel], tell: Callable[[int], None] = lambda count: None) -> str:
        """Files into the staging folder, each from where an earlier try ended, checked by its hash; `tell` hears of bytes. The folder's path there."""
        keep = " ".join(f"! -name {shlex.quote(name)}" for parcel in parcels for name in (parcel.name, _part(parcel)))
        made = self._ask(f"umask 077; mkdir -p {STAGE} && cd {STAGE} && find . -maxdepth 1 -type f {keep} -exec rm -f {{}} + && pwd", "takes no files")
        for parcel in parcels:
            self._send(parcel, tell)
        return made.lines[0]

    def _send(self, parcel: Parcel, tell: Callable[[int], None]) -> None:
        name, part = shlex.quote(parcel.name), shlex.quote(_part(parcel))
        whole = f"echo {shlex.quote(parcel.sha256 + '  ' + parcel.name)} | sha256sum -c --status 2>/dev/null"
        asked = self._ask(f"cd {STAGE} && if {whole}; then echo whole; else stat -c %s {part} 2>/dev/null || echo 0; fi", "takes no files").last
        if asked == "whole":
            return tell(parcel.size)
        start = int(asked) if asked.isdigit() and int(asked) <= parcel.size else 0
        tell(start)

        def feed(stdin: IO[bytes]) -> None:
            with parcel.path.open("rb") as file:
                file.seek(start)
                while chunk := file.read(CHUNK):
                    stdin.write(chunk)
                    tell(len(chunk))

        # At a fixed place, so that a copy of before, which hangs in a dead connection, can only write the same bytes there.
        write = f"dd of={part} bs=1M iflag=fullblock oflag=seek_bytes seek={start} conv=notrunc,fsync status=none"
        end = f"truncate -s {parcel.size} {part} && mv -f {part} {name} && {{ {whole} || {{ rm -f {name}; echo 'it arrived damaged'; exit 1; }}; }}"
        whole_size = f'[ "$(stat -c %s {part})" -ge {parcel.size} ] || {{ echo "it arrived in part"; exit 1; }}'
        done = self._ssh.run(f"umask 077; cd {STAGE} && {write} && {whole_size} && {end}", feed=feed)
        if done.code:
            raise DeviceError(f"{parcel.name} could not be copied ({done.last or f'exit code {done.code}'}); run the same command again")

    def tidy(self) -> None:
        """Nothing that was copied stays."""
        self._ssh.run(f"rm -rf {STAGE}")

    def as_root(self, words: Sequence[str], *, lasting: bool = False) -> Done:
        """Run a program as root. `lasting`: it goes on to its end though the connection be lost, and what it says is heard live; else nobody hears it."""
        command, hear = shlex.join(words), self._hear if lasting else _deaf
        if lasting:
            # tail ends with the program; the shell then says how that ended.
            script = f'log=$(mktemp -t platewatch-deploy.XXXXXX) || exit 1; setsid {command} >"$log" 2>&1 </dev/null & pid=$!; '
            script += 'tail -n +1 -s 0.2 -f --pid=$pid "$log"; rm -f "$log"; wait $pid'
            command = f"sh -c {shlex.quote(script)}"
        if self._root:
            return self._ssh.run(command, hear=hear)
        if not self.password:
            return self._ssh.run(f"sudo -n -- {command}", hear=hear)
        return self._ssh.run(f"sudo -S -k -p '' -- {command}", feed=lambda stdin: _write(stdin, f"{self.password}\n"), hear=hear)

    def told(self) -> dict[str, Any]:
        """`platewatch-deploy status --json` of the device."""
        done = self.as_root([self._deploy or self.facts().deploy or "platewatch-deploy", "status", "--json"])
        for start in range(len(done.lines)):
            if done.lines[start].startswith("{"):
                try:
                    told, _ = json.JSONDecoder().raw_decode("\n".join(done.lines[start:]))
                    return dict(told)
                except ValueError:
                    break
        raise DeviceError(f"it does not say how it is ({done.last or f'exit code {done.code}'})")

    def _ask(self, script: str, otherwise: str) -> Done:
        done = self._ssh.run(script)
        if done.code or not done.lines:
            raise DeviceError(f"it {otherwise} ({done.last or f'exit code {done.code}'})")
        return done


def unfit(facts: Facts, release: Release | None, password: str = "") -> str:
    """Why nothing can be installed there, in words; empty where all is well."""
    if facts.bits != 64:
        return f"it runs a 32-bit system ({facts.machine}); write the 64-bit Raspberry Pi OS Lite to its card"
    if release and release.machine and facts.machine != release.machine:
        return f"it is a {facts.machine} machine, and the release is for {release.machine}"
    if facts.python < (3, 11):
        found = "no Python 3" if facts.python == (0, 0) else f"Python {facts.python[0]}.{facts.python[1]}"
        return f"it has {found}, and 3.11 is needed; use Raspberry Pi OS Bookworm or newer"
    if release and release.pythons and "{}.{}".format(*facts.python) not in release.pythons:
        return f"it has Python {facts.python[0]}.{facts.python[1]}, and the release is for {' and '.join(release.pythons)}"
    if facts.sudo == "asks" and not password:
        return f"sudo asks {facts.user} for a password there; use --ask-sudo, or let {facts.user} use sudo without one"
    if facts.sudo == "no":
        return f"{facts.user} may not become root there; use a user who may use sudo"
    if not facts.openssl:
        return "it has no openssl program to check signatures with; run `sudo apt install openssl` on it"
    if release and facts.free_bytes < release.bytes + SPARE:
        return f"its disk has {facts.free_bytes // CHUNK} MiB left, and {(release.bytes + SPARE) // CHUNK} are needed for the copy alone"
    return ""


def _part(parcel: Parcel) -> str:
    return f"{parcel.name}.{parcel.sha256}.part"


def _deaf(line: str) -> None:
    """For what is read whole afterwards."""


def _write(stdin: IO[bytes], text: str) -> None:
    stdin.write(text.encode())
