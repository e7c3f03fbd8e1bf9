"""A signed release of the sources as they lie in this folder, and the owner's key for it: each made once, and found again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.here.source import of_checkout
from deploy.onboard.tarball import release_id
from deploy.release.errors import ReleaseError, in_words
from deploy.release.source import REPOSITORY, Source

DIST = REPOSITORY / "dist"
Say = Callable[[str], None]
Build = Callable[[Source, Sequence[str], Path, Say], Path]
"""Makes the archive of a source for these Pythons, in a folder."""


def keys(secret: Path, say: Say) -> Path:
    """The public half; the pair is made where there is none, without a passphrase. Raises ReleaseError where only one half is there."""
    from deploy.keys import make_key

    public = secret.with_suffix(".pub")
    if secret.is_file() and public.is_file():
        return public
    if secret.is_file() or public.is_file():
        here, gone = (secret, public) if secret.is_file() else (public, secret)
        raise ReleaseError(f"{gone}: is missing, and {here} beside it is only half a key; bring it back from your copy, or move {here.name} away for a new key")
    make_key(secret, public)
    say(f"Your key was made: {secret} signs what your devices install, and they take updates from nobody else; keep a copy of it where nobody else comes.")
    return public


def release(secret: Path, public: Path, pythons: Sequence[str], out: Path = DIST, build: Build | None = None) -> Path:
    """The archive, signed with `secret`; built where there is none of exactly these sources that `public` vouches for and that is for these Pythons.

    Raises ReleaseError.
    """
    from rich.console import Console

    from deploy.commands.keys import passphrase_for
    from deploy.release.minisign import sign

    with in_words(), of_checkout() as source:
        there = out / f"platewatch-{release_id(source.version, source.serial, source.commit)}.tar"
        have = pythons_of(there, public)
        if set(pythons) <= set(have):
            return there
        passphrase = passphrase_for(secret)  # asked for before it takes long
        with Console(stderr=True).status("building the release") as status:
            made = (build or built)(source, sorted({*pythons, *have}), out, status.update)
        sign(made, secret, f"platewatch release {made.stem.removeprefix('platewatch-')}", passphrase)
        return made


def pythons_of(archive: Path, public: Path) -> tuple[str, ...]:
    """Those that a whole and signed archive is for; () where it is not there, or not so."""
    from deploy.release.archive import inspect
    from deploy.release.minisign import verify

    if not archive.is_file():
        return ()
    try:
        verify(archive, public)
        return inspect(archive).pythons
    except ReleaseError:
        return ()


def built(source: Source, pythons: Sequence[str], out: Path, say: Say) -> Path:
    """By pip, which fetches the wheels that are not in `out`/wheelhouse yet. Raises ReleaseError."""
    from deploy.release import making
    from deploy.release.wheelhouse import make

    say("building our own wheel")
    house = make(source, pythons, out / "wheelhouse", say)
    say("packing")
    made = making.application(source, house, out)
    making.record(house, made)
    return made
