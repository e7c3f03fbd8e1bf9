"""Keys that sign releases. Whoever holds the secret half can put software on every device that trusts its public half: keep it off the devices."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("keys", help="make a key that signs releases, or show one", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", help="make a pair: NAME.key, which stays with you, and NAME.pub, which goes onto the devices")
    new.add_argument("name", type=Path, metavar="NAME", help="path without ending, e.g. ~/platewatch-release")
    new.add_argument("--passphrase", action="store_true", help="encrypt the secret half; it is asked for, or taken from PLATEWATCH_KEY_PASSPHRASE")
    show = actions.add_parser("show", help="the id and the public line of a .key or .pub file")
    show.add_argument("file", type=Path, metavar="FILE")


def run(options: argparse.Namespace) -> int:
    from deploy.release.errors import in_words

    with in_words():
        return {"new": _new, "show": _show}[options.action](options)


def _new(options: argparse.Namespace) -> int:
    from deploy.keys import make_key
    from deploy.release.errors import ReleaseError

    name = options.name.expanduser()
    if not name.name:
        raise ReleaseError(f"{name}: is no name for a key; say for instance ~/platewatch-release")
    secret, public = (name.with_name(name.name + ending) for ending in (".key", ".pub"))
    key = make_key(secret, public, passphrase_for(secret, new=True) if options.passphrase else "")
    print(f"{key.name}\nsecret: {secret}  (keep it, and a copy, where nobody else comes)\npublic: {public}  (goes onto the devices as trusted.pub)")
    return 0


def _show(options: argparse.Namespace) -> int:
    from deploy import keys

    file = options.file.expanduser()
    for key in [keys.public_of(file, passphrase_for(file))] if keys.is_secret(file) else keys.read_public(file):
        print(f"{key.name} {key.line}")
    return 0


def passphrase_for(secret: Path, *, new: bool = False) -> str:
    """From the environment, else asked for where there is a terminal; '' for a key without one. Raises ReleaseError where a new one is not repeated alike."""
    import getpass

    from deploy import keys
    from deploy.release.errors import ReleaseError

    if not new and not keys.is_encrypted(secret):
        return ""
    if said := os.environ.get(keys.PASSPHRASE, ""):
        return checked(said)
    if not sys.stdin.isatty():
        raise ReleaseError(f"{secret}: needs a passphrase, and there is no terminal to ask on; set {keys.PASSPHRASE}")
    first = getpass.getpass(f"passphrase for {secret}: ")
    if new and getpass.getpass("once more: ") != first:
        raise ReleaseError("the two passphrases differ; nothing was made")
    return checked(first)


def checked(passphrase: str) -> str:
    """One line, not empty; openssl reads no more than 1024 bytes of it."""
    from deploy.release.errors import ReleaseError

    if not passphrase or "\n" in passphrase or "\r" in passphrase or len(passphrase.encode()) > 1000:
        raise ReleaseError("a passphrase is one line of 1 to 1000 bytes")
    return passphrase
