"""Installs this checkout on the machine that it lies on, a Raspberry Pi: what `./setup.sh pi` does. Without a signature, which is allowed here alone.

It builds as you, and asks sudo for what changes the system. Run it again for a newer checkout, or when it was interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.here import board

CAMERA = '\n[camera]\nkind = "pi"\nsource = "0"\n'


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("here", help="install this checkout on this very machine (./setup.sh pi)", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--anyway", action="store_true", help="also on a machine that is no Raspberry Pi")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration of a first installation (default: one that the page asks you to fill)")
    parser.add_argument("--trusted", type=Path, metavar="FILE", help="public keys of those whose signed releases it shall take later (minisign's .pub)")
    parser.add_argument("--packages", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--archive", type=Path, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    found = board.look()
    board.check(found, anyway=options.anyway)
    for path in filter(None, (options.config, options.trusted)):
        if not path.is_file():
            raise board.HereError(f"{path}: there is no such file")
    if options.packages:
        print("\n".join(board.lacking(found)))
        return 0
    if options.dry_run:
        print("\n".join(plan(found)))
        return 0
    return _install(options, found) if options.archive else _all(options, found)


def plan(found: board.Board) -> Iterator[str]:
    from deploy.here.source import told
    from deploy.onboard.layout import Layout

    layout, lacking = Layout(), board.lacking(found)
    yield f"This is: {found.words}."
    yield f"1. Debian packages: {'install ' + ', '.join(lacking) if lacking else 'all are there'}."
    yield f"2. Python: an environment .venv in this folder, for building{' (it is there)' if Path('.venv').is_dir() else ''}."
    yield f"3. Build an archive of {told()}, in {cache()}; wheels that are missing come from the package index."
    yield f"4. With sudo, and without a signature: install it below {layout.releases}, test it, and turn {layout.current} to it."
    kept = f"{layout.config} is there and stays" if layout.config.is_file() else f"{layout.config} is new" + (", with the Pi's camera" * found.has_pi_camera)
    yield f"5. The user platewatch; {kept}; the store stays below {layout.var}."
    yield "6. Units for daemon and page, started now and at each start; then watch them for a minute. What does not work is taken back."
    if found.is_pi and not found.counts_memory:
        yield "7. This system counts no memory: cgroup_enable=memory into /boot/firmware/cmdline.txt, so that the units' limits hold from the next start on."
    yield "Nothing was changed."


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "platewatch" / "here"


def _all(options: argparse.Namespace, found: board.Board) -> int:
    """As whoever calls it; the last part as root."""
    import subprocess

    from deploy.here.build import build
    from deploy.release.errors import in_words
    from deploy.release.source import REPOSITORY

    owner = REPOSITORY.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise board.HereError("run it without sudo, as the user whose folder this is; it asks for sudo itself where it needs it")
    with in_words():
        made = build(found, cache(), _say)
    print(f"{made.name}: {made.stat().st_size / 1e6:.0f} MB", flush=True)
    words = [sys.executable, "-m", "deploy", "here", "--archive", str(made)] + ["--anyway"] * options.anyway
    for name in ("config", "trusted"):
        words += [f"--{name}", str(getattr(options, name).absolute())] if getattr(options, name) else []
    try:
        return subprocess.run((["sudo"] if os.geteuid() else []) + words, cwd=REPOSITORY, check=False).returncode
    except FileNotFoundError:
        raise board.HereError("sudo is not installed; run this as root, in a folder of root's") from None


def _say(words: str) -> None:
    """A line each: nothing is installed here yet that could draw a bar."""
    print(f"  {words}", file=sys.stderr, flush=True)


def _install(options: argparse.Namespace, found: board.Board) -> int:
    from deploy.here.install import install, where
    from deploy.onboard.layout import Layout
    from deploy.release.errors import in_words

    if os.geteuid() != 0:
        raise board.HereError("--archive changes the system; it is for root")
    os.umask(0o022)
    with in_words():
        config, trusted = (path.read_bytes() if path else None for path in (options.config, options.trusted))
        code = install(options.archive, config, trusted, camera=CAMERA if found.has_pi_camera else "")
        print("\n".join(where(Layout())))
    return code
