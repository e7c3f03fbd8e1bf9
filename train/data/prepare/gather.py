"""From folders of labels to samples: import, look at each picture once, check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.errors import ImageError
from train.data.formats.auto import importer
from train.data.formats.raw import RawImage, Remark, Wishes
from train.data.formats.tree import Tree
from train.data.prepare.check import Sample, Told, check
from train.data.prepare.facts import Facts, probe

Progress = Callable[[Any, str], Iterable[Any]]
"""(something with a length to go through, what is being done) -> the same, with a bar."""


class Looks:
    """Facts of pictures, kept in a file as they are found, so that a run that was stopped does not look twice. `file` None keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        self.file, self.known = file, dict[str, Facts]()
        for line in file.read_text(encoding="utf-8").splitlines() if file and file.is_file() else ():
            try:
                row = json.loads(line)
                self.known[row["key"]] = Facts.from_json(row["facts"])
            except (ValueError, KeyError, TypeError):
                continue  # the line that was being written when the run was stopped

    def all(self, paths: Sequence[Path], threads: int, progress: Progress) -> Iterator[tuple[Path, Facts | str]]:
        """Facts, or one sentence that says why there are none, in the order of `paths`."""
        pool = ThreadPoolExecutor(max(1, threads))
        try:
            with self.file.open("a", encoding="utf-8") if self.file else nullcontext() as file:
                for path, (key, facts) in zip(paths, progress(_Sized(pool.map(self._one, paths), len(paths)), "looking"), strict=True):
                    if file and isinstance(facts, Facts) and key not in self.known:
                        file.write(json.dumps({"key": key, "facts": facts.as_json()}) + "\n")
                    yield path, facts
        finally:
            pool.shutdown(cancel_futures=True)

    def _one(self, path: Path) -> tuple[str, Facts | str]:
        try:
            seen = path.stat()
            key = f"{path.resolve()} {seen.st_size} {seen.st_mtime_ns}"
            return key, self.known.get(key) or probe(path)
        except ImageError as error:
            return "", str(error)
        except OSError as error:
            return "", f"{path}: {error.strerror or error}"


class _Sized:
    """An iterator whose length is known, as a progress bar wants it."""

    def __init__(self, items: Iterator[Any], length: int) -> None:
        self.items, self.length = items, length

    def __iter__(self) -> Iterator[Any]:
        return self.items

    def __len__(self) -> int:
        return self.length


def gather(tree: Tree, format_name: str, wishes: Wishes, told: Told, looks: Looks, threads: int, progress: Progress) -> tuple[list[Sample], list[Remark]]:
    """Samples and remarks of one folder. Places and pictures in remarks begin with the folder's name."""
    raws: list[RawImage] = []
    remarks: list[Remark] = []
    for one in importer(format_name).read(tree, wishes):
        (raws if isinstance(one, RawImage) else remarks).append(one)  # type: ignore[arg-type]
    named = {tree.relative(raw.path) for raw in raws} | {remark.picture for remark in remarks}
    if tree.only is None:
        remarks += [Remark("no label", "", name) for path in tree.pictures if (name := tree.relative(path)) not in named]
    there = dict.fromkeys(raw.path for raw in raws if raw.path.is_file())
    facts = dict(looks.all(list(there), threads, progress))
    samples = []
    for raw in raws:
        name, found = tree.relative(raw.path), facts.get(raw.path)
        if found is None:
            remarks.append(Remark("missing picture", raw.place, name))
        elif isinstance(found, str):
            remarks.append(Remark("undecodable picture", raw.place, name, found))
        else:
            sample, said = check(raw, name, found, told)
            remarks += said
            if sample:
                samples.append(replace(sample, place=_within(told.name, sample.place), name=_within(told.name, sample.name)))
                remarks += [Remark(reason, raw.place, name) for reason in _rewritten(found)]
    return samples, [replace(remark, place=_within(told.name, remark.place), picture=_within(told.name, remark.picture)) for remark in remarks]


def _rewritten(facts: Facts) -> list[str]:
    return [*(["written upright"] if facts.orientation > 1 else []), *(["written anew"] if not facts.kind else [])]


def _within(folder: str, name: str) -> str:
    return f"{folder}/{name}" if name else ""


def counted(remarks: Iterable[Remark]) -> Counter[str]:
    """How often each reason was given."""
    return Counter(remark.reason for remark in remarks)
