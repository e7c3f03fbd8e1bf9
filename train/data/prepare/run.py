"""The whole way: recognise, look, check, sort out duplicates, split, write, count, show."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from train.data.formats.auto import Recognised, importer, recognise
from train.data.formats.raw import FormatError, Remark, Wishes
from train.data.formats.tree import Tree
from train.data.prepare import duplicates, report, sheet, state, statistics
from train.data.prepare.check import Sample, Told
from train.data.prepare.gather import Looks, counted, gather
from train.data.prepare.plot import draw as plot
from train.data.prepare.split import SIDES, Split, parse, split
from train.data.prepare.write import replace, write_pictures


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user asked for; see `python -m train prepare --help`."""

    inputs: tuple[Path, ...]
    out: Path | None
    format: str = "auto"
    split: str = "80/10/10"
    seed: int = 1
    source: str | None = None
    licence: str | None = None
    country: str | None = None
    plate_classes: tuple[str, ...] = ()
    session: str = "keep"
    exif: str = "upright"
    link: bool = False
    crops: bool = True
    drop_near_duplicates: bool = False
    strict: bool = False
    threads: int = 1

    def settings(self, trees: Sequence[Tree]) -> dict[str, Any]:
        """All that the result depends on."""
        told = asdict(self) | {"inputs": state.fingerprint(trees), "plate_classes": list(self.plate_classes)}
        return {key: value for key, value in told.items() if key not in ("out", "strict", "threads", "link")}


def prepare(plan: Plan, console: Console) -> None:
    """Raises FormatError, when everything is written and told, if `strict` and something was dropped."""
    shares = parse(plan.split)
    if plan.country and not re.fullmatch(r"[a-z]{2}", plan.country):
        raise FormatError(f"--country {plan.country}: an ISO 3166 code of two small letters, like gb")
    try:
        re.compile(plan.session)
    except re.error as error:
        raise FormatError(f"--session {plan.session}: not a regular expression ({error})") from None
    trees = [Tree(path) for path in plan.inputs]
    settings = plan.settings(trees)
    if plan.out and state.begin(plan.out, [tree.root for tree in trees], settings):
        _already_done(plan, plan.out, console)
        return
    looks = Looks(plan.out / state.LOOKS if plan.out else None)
    samples, remarks = [], []
    for path, tree in zip(plan.inputs, trees, strict=True):
        found = recognise(tree) if plan.format == "auto" else Recognised(plan.format, len(tree.pictures))
        console.print(found.told(path) if plan.format == "auto" else f"{path}: {plan.format}, as told", highlight=False, soft_wrap=True)
        if (licence := getattr(importer(found.name), "LICENCE", None)) and not plan.licence:
            console.print(f"{path}: {licence}; --licence notes it in every row", highlight=False, soft_wrap=True)
        told = Told(path.resolve().name if path.is_dir() else path.stem, plan.source, plan.licence, plan.country, plan.exif, plan.session)
        own, said = gather(tree, found.name, Wishes(plan.plate_classes), told, looks, plan.threads, progress)
        samples += own
        remarks += said
    samples, same = duplicates.same_files(samples)
    samples, pairs, alike = _near(samples, plan.drop_near_duplicates)
    remarks += same + alike
    done = split([sample.ties for sample in samples], pairs, [sample.row["source"] for sample in samples], shares, plan.seed)
    if plan.out:
        report.write_remarks(plan.out, remarks)
    report.print_remarks(remarks, console)
    if not samples:
        told_where = f"; {plan.out / 'dropped.jsonl'} says why, one line each" if plan.out else ""
        raise FormatError(f"{', '.join(map(str, plan.inputs))}: no picture is left{told_where}")
    figures = statistics.count(samples, done) | {"reasons": dict(counted(remarks).most_common())}
    report.print_statistics(figures, console)
    report.print_split(done, samples, shares, console)
    if plan.out:
        _write(plan, plan.out, samples, done, remarks, figures, console)
        state.finish(plan.out, settings)
    _refuse_if_strict(plan, sum(map(report.is_dropped, remarks)))


def progress(items: Sequence[Any], what: str) -> Iterable[Any]:
    """A bar on stderr while there is something to do."""
    if not len(items):
        return items
    return track(items, description=what, console=Console(file=sys.stderr), transient=True, total=len(items))


def _near(samples: list[Sample], drop: bool) -> tuple[list[Sample], list[tuple[int, int]], list[Remark]]:
    """Samples, pairs of their places that look alike, and one remark for each picture that looks like an earlier one."""
    pairs = duplicates.look_alikes(samples)
    if not drop:
        first = {later: earlier for earlier, later in reversed(pairs)}
        return samples, pairs, [Remark("looks alike", samples[b].place, samples[b].name, f"as {samples[a].name}") for b, a in sorted(first.items())]
    gone: dict[int, int] = {}
    for earlier, later in sorted(pairs):
        if earlier not in gone and later not in gone:
            gone[later] = earlier
    said = [Remark("near-duplicate", samples[b].place, samples[b].name, f"as {samples[a].name}") for b, a in sorted(gone.items())]
    return [sample for place, sample in enumerate(samples) if place not in gone], [], said


def _write(plan: Plan, out: Path, samples: list[Sample], done: Split, remarks: list[Remark], figures: dict[str, Any], console: Console) -> None:
    cut = write_pictures(out, samples, done.side, plan.link, plan.crops, lambda items: progress(list(items), "writing"))
    replace(out / "statistics.json", (json.dumps(figures, indent=1, ensure_ascii=False) + "\n").encode())
    plot(out / "statistics.png", figures)
    shown = ["statistics.png", *(name for name, tiles in (
        ("contact-sheet.png", sheet.chosen(samples, plan.seed)), ("contact-sheet-doubtful.png", sheet.doubtful(samples, remarks)),
    ) if sheet.draw(out / name, tiles))]  # fmt: skip
    sides = ", ".join(f"{out / name}" for name, count in zip(SIDES, done.counts(), strict=True) if count)
    say = [f"Written: {sides}; look at {', '.join(shown)} in {out}."]
    if cut:
        say.append(
            f"{cut} plates with a text were cut out into sets of their own (NAME_crops): the reader learns from those, the detector from the photographs."
        )
    if figures["licence"].keys() == {"not said"}:
        say.append("No licence is noted; --licence says under which the photographs may be used.")
    say.append(
        f"Next: python -m train fit train/experiments/reader.toml --data {out / 'train'}" + (f" --validate {out / 'validation'}" if done.counts()[1] else "")
    )
    for words in say:
        console.print(words, highlight=False, soft_wrap=True)


def _already_done(plan: Plan, out: Path, console: Console) -> None:
    console.print(f"{out}: was prepared with these settings already, and nothing has changed since; delete it to do it again.", highlight=False, soft_wrap=True)
    _refuse_if_strict(plan, len((out / "dropped.jsonl").read_text(encoding="utf-8").splitlines()))


def _refuse_if_strict(plan: Plan, dropped: int) -> None:
    if plan.strict and dropped:
        where = f"{plan.out / 'dropped.jsonl'} names each" if plan.out else "with --out each is named in dropped.jsonl"
        raise FormatError(f"--strict: {dropped} labels, plates or pictures were dropped; {where}")
