"""pip, run as a program: its many lines become one sentence where it fails. Addresses of package indexes are the user's own settings and are never named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.release.errors import ReleaseError
from deploy.release.wheels import Target, packaging

NETWORK = re.compile(
    r"NewConnectionError|NameResolution|name resolution|ConnectTimeout|ReadTimeout|timed out|ProxyError|SSLError|Network is unreachable|"
    r"Connection (refused|reset|aborted|broken)|RemoteDisconnected|Max retries|IncompleteRead|HTTP error (4\d\d|5\d\d)|HTTPError",
    re.IGNORECASE,
)
RETRIES = "--retries=2"
"""With none, pip says only that there is no such package when it reached no index at all."""
Say = Callable[[str], None]


def download(requirements: Sequence[str], target: Target, folder: Path, say: Say) -> None:
    """Wheels of `requirements`, and of all that they need, into `folder`; what lies there already is not fetched again."""
    words = ["download", RETRIES, "--dest", str(folder), "--find-links", str(folder), *target.pip, *requirements]
    _run(words, say, f"the wheels for Python {target.python}")


def download_pinned(lines: str, options: Sequence[str], folder: Path, say: Say) -> None:
    """Exactly the files of a requirements file with hashes into `folder`; ReleaseError where one is offered with other contents only."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="platewatch-pins-") as scratch:
        asked = Path(scratch, "requirements.txt")
        asked.write_text(lines, encoding="utf-8")
        words = ["download", RETRIES, "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(folder), "--find-links", str(folder)]
        _run([*words, *options, "-r", str(asked)], say, "the wheels of the earlier release")


def tools(requirements: Sequence[str], folder: Path, say: Say) -> None:
    """What builds our own wheel, for the Python that runs here."""
    folder.mkdir(parents=True, exist_ok=True)
    _run(["download", RETRIES, "--dest", str(folder), "--find-links", str(folder), "--only-binary=:all:", *requirements], say, "what builds our own wheel")


def build(tree: Path, folder: Path, links: Path, epoch: int) -> Path:
    """Our own wheel from `tree` into the empty `folder`, offline with the tools in `links`; times inside it are `epoch`."""
    words = ["--isolated", "wheel", "--no-deps", "--no-index", "--find-links", str(links), "--wheel-dir", str(folder), str(tree)]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}  # nothing else may make a difference
    _run(words, lambda _: None, "our own wheel", kept | {"SOURCE_DATE_EPOCH": str(epoch), "LC_ALL": "C.UTF-8"})
    made = list(folder.glob("*.whl"))
    if len(made) != 1:
        raise ReleaseError(f"{tree}: building the wheel made {len(made)} of them")
    return made[0]


def resolve(requirements: Sequence[str], target: Target, folder: Path) -> dict[str, str]:
    """Name -> version that pip would install from `folder` alone, without a network; ReleaseError where it cannot."""
    with tempfile.TemporaryDirectory(prefix="platewatch-resolve-") as scratch:
        report = Path(scratch, "report.json")
        words = ["--isolated", "install", "--dry-run", "--ignore-installed", "--no-index", "--find-links", str(folder), "--report", str(report)]
        _run([*words, "--target", str(Path(scratch, "target")), *target.pip, *requirements], lambda _: None, f"the set for Python {target.python}")
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    canonical = packaging("utils").canonicalize_name
    return {canonical(one["metadata"]["name"]): one["metadata"]["version"] for one in installs}


def _run(words: Sequence[str], say: Say, what: str, environment: dict[str, str] | None = None) -> None:
    line = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-color", *words]
    lines: list[str] = []
    try:
        with subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment, umask=0o022
        ) as process:
            assert process.stdout is not None
            try:
                for text in process.stdout:
                    lines = [*lines[-400:], text.rstrip()]
                    if match := re.match(r"\s*(?:Downloading|Collecting) (?:\S*/)?([^\s/]+)(?: .*?(\([^()]*B\)))?", text):
                        say(" ".join(word for word in match.groups() if word))
            except BaseException:
                process.terminate()
                raise
    except OSError as error:
        raise ReleaseError(f"pip cannot be run with {sys.executable} ({error.strerror})") from None
    if process.returncode == 0:
        return
    if any("No module named pip" in text for text in lines):
        raise ReleaseError(f"{sys.executable} has no pip; sudo apt-get install python3-pip, or make the environment anew")
    raise ReleaseError(_sentence(lines, what))


def _sentence(lines: Sequence[str], what: str) -> str:
    offline = [text for text in lines if NETWORK.search(text)]
    if any("DO NOT MATCH THE HASHES" in text for text in lines):
        return f"{what}: one is offered with other contents than it had then (its hash differs), so it is not taken"
    if any("requires a different Python" in text for text in lines):
        return f"{what}: the pip of this environment is too old to choose wheels for another Python; {sys.executable} -m pip install 'pip>=24', then once more"
    lost = [match.group(1) for text in lines if (match := re.search(r"No matching distribution found for (.+)$", text))]
    if offline:
        return f"{what} could not be fetched, since no package index answered; look to the network and run it again: what was loaded is kept"
    if any("No space left" in text for text in lines):
        return f"{what} could not be written, since the disk is full"
    if lost:
        return f"{what}: there is no wheel of {lost[0]} that fits"
    errors = [text.removeprefix("ERROR:").strip() for text in lines if text.startswith("ERROR:")]
    said = re.sub(r"\S+://\S+", "(address)", (errors or list(lines) or ["no word"])[-1 if not errors else 0])
    return f"{what}: pip failed ({said[:200]})"
