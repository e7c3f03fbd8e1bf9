"""The sources as they lie in this folder: a commit where nothing was changed since, else the files themselves, also without git."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.release import source
from deploy.release.source import PARTS, REPOSITORY, Source


def of_checkout(repository: Path = REPOSITORY) -> AbstractContextManager[Source]:
    """Raises ReleaseError where the folder is no checkout of Platewatch."""
    changed = _git(repository, "status", "--porcelain", "--", *PARTS)
    if changed is None:
        return of_files(repository)
    return source.of_working_tree(repository) if changed else source.of_commit("HEAD", repository)


def told(repository: Path = REPOSITORY) -> str:
    """What `of_checkout` would take, in words."""
    changed = _git(repository, "status", "--porcelain", "--", *PARTS)
    if changed is None:
        return "the files of this folder, which is no git checkout"
    return "the files of this folder, some of which are in no commit" if changed else f"the commit {(_git(repository, 'rev-parse', 'HEAD') or '')[:8]}"


@contextmanager
def of_files(repository: Path) -> Iterator[Source]:
    """A folder without git, such as an unpacked download. The serial is the newest file's time, the commit a hash over all of them."""
    with TemporaryDirectory(prefix="platewatch-source-") as folder:
        tree, newest, hashed = Path(folder, "platewatch"), 0, hashlib.sha256()
        for path in (path for part in PARTS for path in _files(repository / part)):
            name, raw = path.relative_to(repository).as_posix(), path.read_bytes()
            hashed.update(f"{name}\0{len(raw)}\0".encode() + raw)
            newest = max(newest, int(path.stat().st_mtime))
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, tree / name)
        plain = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
        project, builders = plain["project"], plain["build-system"]["requires"]
        yield Source(tree, project["version"], newest, hashed.hexdigest()[:40], tuple(project["dependencies"]), tuple(builders))


def _files(part: Path) -> list[Path]:
    found = [part] if part.is_file() else sorted(part.rglob("*"))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _git(repository: Path, *words: str) -> str | None:
    """None where git is missing, or this is no checkout."""
    if not (repository / ".git").exists() or shutil.which("git") is None:
        return None
    done = subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
