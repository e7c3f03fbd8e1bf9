"""The sources that a release is made from: a commit's, which anyone can make again, or for trials those that lie in the working tree."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.release.errors import ReleaseError

REPOSITORY = Path(__file__).resolve().parents[2]
HOUSES = ("edge", "train", "convert", "deploy")
PARTS = ("pyproject.toml", "README.md", "LICENSE", *HOUSES)


@dataclass(frozen=True, slots=True)
class Source:
    tree: Path
    """A copy of the sources, alone: nothing that a build leaves comes into the working tree."""
    version: str
    serial: int
    """UTC seconds."""
    commit: str
    """40 hexadecimal digits: the commit, or of a working tree a hash over its files."""
    requirements: tuple[str, ...]
    """Of the device."""
    builders: tuple[str, ...]
    """What builds the wheel."""


@contextmanager
def of_commit(revision: str = "HEAD", repository: Path = REPOSITORY) -> Iterator[Source]:
    """The sources as committed; its time is the release's serial. Raises ReleaseError where there is no such commit or no git."""
    _git(repository, "rev-parse", "--git-dir")
    try:
        commit = _git(repository, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    except ReleaseError:
        raise ReleaseError(f"{revision}: is no commit of {repository}") from None
    serial = _git(repository, "show", "--no-patch", "--format=%ct", commit).decode().strip()
    present = [part for part in PARTS if _git(repository, "ls-tree", "--name-only", commit, "--", part)]
    raw = _git(repository, "archive", "--format=tar", commit, "--", *present)
    with TemporaryDirectory(prefix="platewatch-source-") as folder:
        tree = Path(folder, "platewatch")
        tree.mkdir()
        with tarfile.open(fileobj=io.BytesIO(raw)) as packed:
            for member in packed.getmembers():
                if member.isfile() and (stream := packed.extractfile(member)) is not None:
                    _put(tree / member.name, stream.read())
        yield _described(tree, int(serial), commit)


@contextmanager
def of_working_tree(repository: Path = REPOSITORY) -> Iterator[Source]:
    """The files as they lie there, without those that git ignores; serial is the newest file's time, commit a hash over all of them."""
    names = _git(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PARTS).decode().split("\0")
    hashed, newest = hashlib.sha256(), 0
    with TemporaryDirectory(prefix="platewatch-source-") as folder:
        tree = Path(folder, "platewatch")
        tree.mkdir()
        for name in sorted(set(filter(None, names))):
            path = repository / name
            if not path.is_file():  # deleted there, and not yet committed so
                continue
            raw = path.read_bytes()
            hashed.update(f"{name}\0{len(raw)}\0".encode() + raw)
            newest = max(newest, int(path.stat().st_mtime))
            _put(tree / name, raw)
        yield _described(tree, newest, hashed.hexdigest()[:40])


def committed_at(path: Path) -> int:
    """UTC seconds of the last commit that changed `path`, or of the newest file in it where git does not know it so."""
    try:
        if not _git(path, "status", "--porcelain", "--", ".") and (said := _git(path, "log", "-1", "--format=%ct", "--", ".").strip()):
            return int(said)
    except ReleaseError:
        pass
    return max(int(one.stat().st_mtime) for one in (path, *path.iterdir()))


def _described(tree: Path, serial: int, commit: str) -> Source:
    try:
        plain = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
        project, builders = plain["project"], plain["build-system"]["requires"]
        return Source(tree, project["version"], serial, commit, tuple(project["dependencies"]), tuple(builders))
    except (OSError, KeyError, ValueError) as error:
        raise ReleaseError(f"pyproject.toml of {commit[:8]} cannot be used ({error})") from None


def _put(path: Path, raw: bytes) -> None:
    """With the rights that every release has, whatever the umask was."""
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)
    path.write_bytes(raw)
    path.chmod(0o644)


def _git(where: Path, *words: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise ReleaseError("git is not installed, and a release is made from a commit; sudo apt-get install git")
    done = subprocess.run([git, "-C", str(where), *words], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ReleaseError(f"{where}: git says: {said[-1] if said else done.returncode}"[:300])
    return done.stdout
