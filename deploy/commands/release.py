"""Signed release archives: make one, look into one, check one as a device would."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.commands import wheelhouse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("release", help="make, inspect, verify and sign release archives", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="a release of the application, or with --bundle of one model")
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="where platewatch-ID.tar is written")
    build.add_argument("--key", type=Path, metavar="FILE", help="sign it with this secret key (see: python -m deploy keys new)")
    build.add_argument("--wheelhouse", type=Path, metavar="DIR", help="the folder of wheels, kept for the next time (default: wheelhouse in the --out folder)")
    build.add_argument("--bundle", type=Path, metavar="DIR", help="a bundle's folder with manifest.json and model.tflite; no wheels are needed then")
    wheelhouse.add_options(build)
    inspect = actions.add_parser("inspect", help="what is in an archive, every hash checked; says nothing of who made it")
    inspect.add_argument("archive", type=Path, metavar="ARCHIVE")
    inspect.add_argument("--json", action="store_true", help="its release.json")
    verify = actions.add_parser("verify", help="signature and contents, as a device checks them")
    verify.add_argument("archive", type=Path, metavar="ARCHIVE")
    verify.add_argument("--trusted", type=Path, required=True, metavar="FILE", help="public keys, one or more (minisign's .pub)")
    verify.add_argument("--signature", type=Path, metavar="FILE", help="(default: ARCHIVE.minisig)")
    sign = actions.add_parser("sign", help="write ARCHIVE.minisig")
    sign.add_argument("archive", type=Path, metavar="ARCHIVE")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="the secret key")


def run(options: argparse.Namespace) -> int:
    from deploy.release.errors import in_words

    with in_words():
        return {"build": _build, "inspect": _inspect, "verify": _verify, "sign": _sign}[options.action](options)


def _build(options: argparse.Namespace) -> int:
    from deploy.keys import public_of
    from deploy.release import making

    # Asked for first: minutes later nobody may be there to type it.
    secret = options.key and (options.key.expanduser(), _passphrase(options.key.expanduser()))
    if secret:
        public_of(*secret)
    if options.bundle:
        made = making.bundle(options.bundle, options.out)
    else:
        with wheelhouse.source_of(options) as source:
            house = wheelhouse.gather(options, source, options.wheelhouse or options.out / "wheelhouse")
            wheelhouse.show(house)
            made = making.application(source, house, options.out)
            making.record(house, made)
    print(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
    if secret:
        _write_signature(made, *secret)
    else:
        print("It is not signed, so no device takes it; next: python -m deploy release sign")
    if options.working_tree and not options.bundle:
        print("It was made from files that are in no commit, and cannot be made again: use it for trials only.")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    from deploy.release.archive import inspect

    release = inspect(options.archive)
    if options.json:
        print(release.text, end="")
        return 0
    from rich.console import Console
    from rich.table import Table

    pythons = f", Python {' and '.join(release.pythons)}" if release.pythons else ""
    table = Table("file", "kB", "sha256", title=f"{release.kind} {release.id}, for {release.machine}{pythons}")
    for name, file in sorted(release.files.items()):
        table.add_row(name, f"{file.size / 1000:.0f}", file.sha256[:16])
    Console().print(table)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from deploy.release.archive import inspect
    from deploy.release.minisign import verify

    comment = verify(options.archive, options.trusted, options.signature)
    release = inspect(options.archive)
    print(f"{options.archive}: {release.kind} {release.id} is signed by a trusted key and whole\ntrusted comment: {comment}")
    return 0


def _sign(options: argparse.Namespace) -> int:
    from deploy.release.archive import inspect

    inspect(options.archive)
    secret = options.key.expanduser()
    _write_signature(options.archive, secret, _passphrase(secret))
    return 0


def _write_signature(archive: Path, secret: Path, passphrase: str) -> None:
    from deploy.onboard.tarball import check
    from deploy.release.minisign import sign

    release = check(archive)
    print(sign(archive, secret, f"platewatch {release.kind} {release.id}", passphrase))


def _passphrase(secret: Path) -> str:
    from deploy.commands.keys import passphrase_for

    return passphrase_for(secret)
