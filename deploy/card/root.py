"""Root's part of a card, and nothing else: the same command once more by sudo, which gets every answer through a pipe and makes no file of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.card import disks
from deploy.card.disks import Disk
from deploy.card.errors import CardError
from deploy.card.prepare import Prepared

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Handed:
    """What was answered and found. It holds hashes and secrets, so that it goes through a pipe alone."""

    made: Prepared
    archive: Path
    trusted: Path
    disk: Disk
    """The one that was chosen: while the release was built another one may have come into the reader, by the same name."""


def needed(path: str) -> bool:
    """Whether sudo is: a device that this user may not write."""
    return hasattr(os, "geteuid") and os.geteuid() != 0 and os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK)


def ask(path: str) -> None:
    """For the password, while somebody still sits there. Raises CardError."""
    print(f"Only the administrator may write {path}: for that alone sudo asks for your own password.", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(["sudo", "-v"], check=False)
    except FileNotFoundError:
        raise CardError(f"sudo is not installed, and {path} cannot be written without; nothing was written") from None
    if done.returncode:
        raise CardError(f"sudo does not let you write {path}; nothing was written: try again with the password of this computer, as a user who may use sudo")


def command(words: list[str]) -> list[str]:
    """`-B`: root leaves no compiled files in the owner's folder."""
    return ["sudo", sys.executable, "-B", "-m", "deploy", "card", "--handed", "--at", os.getcwd(), *words]


def looked(words: list[str]) -> str:
    """Which Python a written card's system has, '' where it does not tell. Raises CardError with root's own sentence."""
    done = subprocess.run([*command(words), "--look"], cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CardError((done.stderr.strip().splitlines() or ["sudo did not look into the card"])[-1].removeprefix("deploy: "))
    return done.stdout.strip()


def call(words: list[str], handed: Handed) -> int:
    """Its exit code. Ctrl-C goes to that process, which ends by itself; it is not ours to kill."""
    process = subprocess.Popen(command(words), cwd=REPOSITORY, stdin=subprocess.PIPE)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.communicate(packed(handed))
    finally:
        signal.signal(signal.SIGINT, before)
    return process.returncode


def packed(handed: Handed) -> bytes:
    """As JSON, without the document that answers are kept as."""
    from pydantic import TypeAdapter

    return TypeAdapter(Handed).dump_json(replace(handed, made=replace(handed.made, document={})))


def unpacked(raw: bytes) -> Handed:
    """Raises CardError."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Handed).validate_json(raw)
    except ValidationError:
        raise CardError("--handed is for ./setup.sh card itself, which hands over what was answered") from None


def checked(agreed: Disk) -> Disk:
    """As that disk is now. Raises CardError where it is another one."""
    now = disks.find(agreed.path)
    if not disks.same(now, agreed):
        raise CardError(f"{now.words} is not the card that was chosen, which was {agreed.words}; nothing was written: put that one in, and try again")
    return now
