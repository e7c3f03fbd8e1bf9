"""The last result of each stage, as JSON, and as a table between two markers of deploy/README.md. Written by the command itself, never by hand."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deploy.emulate.errors import EmulateError

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results/last.json", HERE.parent / "README.md"
WHAT = ("edge", "deploy", "pyproject.toml", ":!deploy/README.md", ":!deploy/emulate/results")
"""What a release is made of; the results themselves change nothing."""
BEGIN, END = "<!-- emulated: written by ./setup.sh emulate -->", "<!-- emulated: end -->"


@dataclass(frozen=True, slots=True)
class Result:
    """Of one stage; `words` is why it failed, '' where it did not."""

    name: str
    ok: bool
    seconds: int
    date: str
    commit: str
    figures: dict[str, Any] = field(default_factory=dict)
    words: str = ""


def load(path: Path = RESULTS) -> dict[str, Result]:
    """{stage: its last result}; raises EmulateError where the file is damaged."""
    if not path.is_file():
        return {}
    try:
        return {one["name"]: Result(**one) for one in json.loads(path.read_text(encoding="utf-8"))["stages"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmulateError(f"{path}: cannot be used ({error}); delete it") from None


def save(results: dict[str, Result], order: tuple[str, ...], about: dict[str, Any], path: Path = RESULTS) -> None:
    """In the order of the stages; one that is no longer a stage is dropped."""
    plain = {"about": about, "stages": [asdict(results[name]) for name in order if name in results]}
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


def table(results: dict[str, Result], words: dict[str, str], about: dict[str, Any]) -> str:
    """Markdown: every stage with its result, also those that have none."""
    lines = [f"On {about['cpus']} x86-64 cores without KVM, {about['qemu']}. Each stage with its own date and commit; `+`: files that are in no commit.", ""]
    lines += ["| stage | what it is | result | took | measured | of |", "|---|---|---|---|---|---|"]
    for name, what in words.items():
        found = results.get(name)
        if found is None:
            lines.append(f"| {name} | {what} | **has not been run** | | | |")
            continue
        measured = "; ".join(f"{key}: {value}" for key, value in found.figures.items()) if found.ok else found.words
        measured = measured.replace("|", "/").replace("\n", " ")
        told = (name, what, "passed" if found.ok else "**failed**", f"{found.seconds} s", measured, f"{found.date}, {found.commit}")
        lines.append(f"| {' | '.join(told)} |")
    return "\n".join(lines)


def into_readme(text: str, path: Path = README) -> None:
    """Raises EmulateError where the markers are missing."""
    whole = path.read_text(encoding="utf-8")
    if whole.count(BEGIN) != 1 or whole.count(END) != 1 or whole.index(BEGIN) > whole.index(END):
        raise EmulateError(f"{path}: lacks the two markers between which the results stand: {BEGIN} and {END}")
    head, rest = whole.split(BEGIN)
    _write(path, f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def commit(repository: Path = HERE.parents[1]) -> str:
    """The commit in short, with `+` where files differ from it; `none` outside a repository."""
    told = _git(repository, "rev-parse", "--short=8", "HEAD")
    return f"{told}{'+' if _git(repository, 'status', '--porcelain', '--', *WHAT) else ''}" if told else "none"


def _git(repository: Path, *words: str) -> str:
    """Its words, '' where it fails."""
    return subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True, check=False).stdout.strip()


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)
