"""The command line of the hands-on time."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.entry import ended
from tests.handson import klm, owner
from tests.handson.chapter import CHAPTER
from tests.handson.klm import PERSONS, UNPRACTISED, Load
from tests.handson.owner import Done

MOST_S, MOST_COMMANDS = 600, 5
HEAD = ("words", "keys", "decisions", "clicks", "things", "commands")


def main(words: Sequence[str] | None = None) -> int:
    """1 where a way takes the unpractised longer than ten minutes, or has more than five commands."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.handson",
        description="The owner's hands-on time from a card in the hand to the first plate, calculated (not timed) from docs/first-card.md.",
    )
    parser.add_argument("--chapter", type=Path, default=CHAPTER, metavar="FILE", help="another text with the same steps (default: docs/first-card.md)")
    parser.add_argument("--table", action="store_true", help="the small table that stands in the chapter, and nothing else")
    options = parser.parse_args(words)
    return ended(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    ways = {letter: owner.way(letter, options.chapter) for letter in owner.WAYS}
    aside = owner.apart(owner.BEFORE, options.chapter), owner.apart((owner.LATER,), options.chapter)
    if options.table:
        print(table(ways, *aside))
    else:
        show(ways, *aside)
    return 0 if all(keeps(done) for done in ways.values()) else 1


def keeps(done: Iterable[Done]) -> bool:
    """Ten minutes and five commands."""
    done = list(done)
    return klm.seconds(whole(done), UNPRACTISED) <= MOST_S and sum(step.commands for step in done) <= MOST_COMMANDS


def whole(done: Iterable[Done]) -> Load:
    return klm.total(step.load for step in done)


def counts(load: Load, commands: int) -> list[str]:
    return [str(number) for number in (load.words, load.keys + load.codes, load.minds, load.clicks, load.handlings, commands)]


def minutes(seconds: float) -> str:
    """`9:58`."""
    whole_s = round(seconds)
    return f"{whole_s // 60}:{whole_s % 60:02d}"


def table(ways: dict[str, list[Done]], before: Load, later: Load) -> str:
    """Markdown, as in docs/first-card.md."""
    rows = [f"| | {' | '.join(HEAD)} | {' | '.join(f'{person.name}, min:s' for person in PERSONS)} |", f"|---{'|---' * (len(HEAD) + len(PERSONS))}|"]
    told = [(f"way {letter}", whole(done), sum(step.commands for step in done)) for letter, done in ways.items()]
    for name, load, commands in (*told, ("to read before", before, 0), ("the nine steps, afterwards", later, 0)):
        rows.append(f"| {name} | {' | '.join([*counts(load, commands), *(minutes(klm.seconds(load, person)) for person in PERSONS)])} |")
    return "\n".join(rows)


def show(ways: dict[str, list[Done]], before: Load, later: Load) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for letter, done in ways.items():
        shown = Table("step", *HEAD, *(f"{person.name}, s" for person in PERSONS), "waits (not counted)", title=f"Way {letter}: calculated, not timed")
        for column in shown.columns[1:-1]:
            column.justify = "right"
        for step in done:
            times = [f"{klm.seconds(step.load, person):.0f}" for person in PERSONS]
            shown.add_row(step.name, *counts(step.load, step.commands), *times, "; ".join(step.waits))
        load, commands = whole(done), sum(step.commands for step in done)
        shown.add_section()
        shown.add_row("all", *counts(load, commands), *(f"{klm.seconds(load, person):.0f}" for person in PERSONS), style="bold")
        console.print(shown)
        spare = MOST_S - klm.seconds(load, UNPRACTISED)
        verdict = f"{spare:.0f} s are left" if spare >= 0 else f"{-spare:.0f} s too many"
        console.print(f"Of {MOST_S} s for the unpractised {verdict}; {commands} commands of at most {MOST_COMMANDS}.", style="" if keeps(done) else "red")
    for name, load in (("What is read before there is a card in the hand", before), ("The nine steps, afterwards", later)):
        console.print(f"Not counted: {name}: {', '.join(f'{person.name} {klm.seconds(load, person):.0f} s' for person in PERSONS)}.")
