"""`platewatch lists`: every known plate, what else would be taken for it, and how likely a random plate is."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.lists import hand

if TYPE_CHECKING:
    from rich.console import Console

    from edge.lists.book import Book
    from edge.lists.entry import Entry, PlateList
    from edge.lists.reach import Reach
    from edge.plates.choice import Choice

ROWS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--country", metavar="CODES", help="whose random plates are meant (default: country.code of the config)")
    parser.add_argument("--all", action="store_true", help=f"show every plate of a long list, not only the first {ROWS}")
    parser.add_argument("--plate", metavar="TEXT", help="only say whom this plate would be taken for now")
    hand.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0; raises ConfigError where a list cannot be used."""
    if args.words:
        return hand.run(args)
    from rich.console import Console
    from rich.markup import escape

    from edge import config
    from edge.errors import ConfigError
    from edge.lists.book import Lists
    from edge.lists.reach import conflicts
    from edge.plates.choice import choice

    settings = config.load(args.config)
    book = Lists(settings.lists).book
    console = Console(highlight=False)
    if args.plate is not None:
        console.print(whose(book, args.plate, datetime.now(UTC)))
        return 0
    if not book.lists:
        raise ConfigError(f"{args.config}: names no lists; write them into lists.allow, lists.deny or lists.ignore")
    words = args.country or settings.country.code
    wanted = choice(words)
    for one in book.lists:
        _show(console, one, wanted, words, len(one.entries) if args.all else ROWS)
    for conflict in conflicts(book.lists):
        console.print(f"[yellow]{escape(conflict.told())}[/yellow]")
    return 0


def whose(book: Book, plate: str, at: datetime) -> str:
    """What the lists say about a plate, in one sentence. Raises ConfigError for what is no plate."""
    from edge.errors import ConfigError
    from edge.lists.entry import spelt

    try:
        text = spelt(plate)
    except ValueError as error:
        raise ConfigError(f"--plate: {error}") from None
    match = book.match(text, at)
    if match is None:
        return f"{text}: on no list"
    when = "" if match.due else ", but not at this time"
    return f"{text}: {match.kind} by the list {match.list}, as {match.plate}{f' ({match.label})' if match.label else ''}, distance {match.distance:g}{when}"


def _show(console: Console, one: PlateList, wanted: Choice, words: str, rows: int) -> None:
    from rich.markup import escape
    from rich.table import Table

    from edge.lists.reach import reach_of_list

    with console.status("counting what the list accepts"):
        found = reach_of_list(one, wanted, rows)
    title = f"{escape(one.name)}: {one.kind}, {len(one.entries)} plate{'' if len(one.entries) == 1 else 's'}, tolerance {one.tolerance:g}"
    table = Table("plate", "who", "when", "also accepts", "a random plate", title=title)
    for entry, reach in zip(one.entries[:rows], found.plates, strict=True):
        who = " · ".join(part for part in (entry.label, entry.group, entry.note) if part)
        table.add_row(entry.plate, escape(who), when(entry), also(reach), reach.odds.told())
    console.print(table)
    if len(one.entries) > rows:
        console.print(f"and {len(one.entries) - rows} more (--all shows them)")
    whom = {"auto": "of any country", "none": "of seven characters"}.get(words, f"of {words}")
    console.print(f"A random plate {whom} is taken for one of this list: {found.odds.told()}.\n")


def when(entry: Entry) -> str:
    """Its dates and times in short."""
    schedule = entry.schedule
    dates = f"{schedule.first or ''}..{schedule.last or ''}" if schedule.first or schedule.last else ""
    parts = [dates] if dates else []
    for span in schedule.spans:
        days = "daily" if len(span.days) == 7 else _days(span.days)
        clock = "" if (span.start, span.end) == (0, 1440) else f" {span.start // 60:02}:{span.start % 60:02}-{span.end // 60:02}:{span.end % 60:02}"
        parts.append(f"{days}{clock}")
    return "; ".join(parts) or "always"


def _days(days: frozenset[int]) -> str:
    """ "Mon-Fri" of 0..4; a span has days that follow each other, over Sunday if need be."""
    from edge.lists.schedule import DAYS

    first = next(day for day in range(7) if day in days and (day - 1) % 7 not in days)
    last = DAYS[(first + len(days) - 1) % 7].capitalize()
    return last if len(days) == 1 else f"{DAYS[first].capitalize()}-{last}"


def also(reach: Reach) -> str:
    """The nearest other texts that are accepted, and how many of all are plates of the countries."""
    if reach.others is None:
        return "more than can be listed"
    if not reach.others:
        return "-"
    rest = f" and {reach.others - len(reach.nearest)} more" if reach.others > len(reach.nearest) else ""
    return f"{', '.join(reach.nearest)}{rest}" + (f" ({reach.plates} of {reach.others} are plates)" if reach.plates is not None else "")
