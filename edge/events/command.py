"""`platewatch events`: look events up, count, export and delete them, while the daemon runs or not."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.config import Config
    from edge.events.query import Found, Wanted
    from edge.store import Store

ACTIONS = ("show", "export", "delete", "stats", "log")
SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="show", help="what to do with them; log: who looked at events (default: %(default)s)")
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--plate", metavar="TEXT", help="of this plate; * stands for any characters, ? for one")
    parser.add_argument(
        "--fuzzy",
        metavar="DISTANCE",
        type=float,
        default=0.0,
        help="and of plates that look like it: 1 is one other character, 0.2 an O for a 0 (docs/lists.md)",
    )
    parser.add_argument("--since", metavar="TIME", help="from this date or time on (2026-11-22 or 2026-11-22T21:05)")
    parser.add_argument("--until", metavar="TIME", help="before this date or time")
    parser.add_argument("--last", metavar="SPAN", help="of the last 30min, 24h, 7d, 2w")
    parser.add_argument("--camera", metavar="NAME", help="of this camera")
    parser.add_argument("--list", metavar="NAME", help="of plates of this list; none: of those of no list")
    parser.add_argument("--limit", metavar="N", type=int, help=f"the newest N of them (show: {SHOWN}, else all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--format", choices=("csv", "jsonl"), help="export: the format (default: by the name of --out, else csv)")
    parser.add_argument("--out", metavar="FILE", help="export: write here instead of printing")
    parser.add_argument("--crops", metavar="FOLDER", help="export: write the pictures here")
    parser.add_argument("--yes", action="store_true", help="delete: without a question")


def run(args: argparse.Namespace) -> int:
    """0; raises ConfigError for what cannot be meant, StoreError where the store cannot be used."""
    from edge import config
    from edge.errors import StoreError
    from edge.store import Store

    settings = config.load(args.config)
    path = Path(settings.store.path)
    if not path.is_file():
        raise StoreError(f"{path}: there is no event store yet; the daemon makes it when it first starts")
    wanted = _wanted(args)
    with Store(path, read_only=not os.access(path, os.W_OK)) as store:
        return {"show": _show, "export": _export, "delete": _delete, "stats": _stats, "log": _log}[args.action](args, settings, store, wanted)


def _wanted(args: argparse.Namespace) -> Wanted:
    from datetime import UTC, datetime

    from edge.errors import ConfigError
    from edge.events.query import Wanted, ago, moment, plate_of

    if args.last and args.since:
        raise ConfigError("--last and --since both say where to begin; give one of them")
    if not 0 <= args.fuzzy <= 5:
        raise ConfigError(f"--fuzzy {args.fuzzy:g}: is no distance from 0 to 5")
    if args.fuzzy and not args.plate:
        raise ConfigError("--fuzzy needs a --plate to be near to")
    if args.limit is not None and args.limit < 1:
        raise ConfigError(f"--limit {args.limit}: must be 1 or more")
    return Wanted(
        plate=plate_of(args.plate, args.fuzzy) if args.plate is not None else "",
        fuzzy=args.fuzzy,
        since=ago(args.last, datetime.now(UTC)) if args.last else moment(args.since, "--since") if args.since else "",
        until=moment(args.until, "--until") if args.until else "",
        camera=args.camera or "",
        list=args.list or "",
        limit=args.limit or (SHOWN if args.action == "show" else -1),
    )


def _name(settings: Config) -> Callable[[str], str] | None:
    if not settings.privacy.pseudonyms:
        return None
    from edge.keeping.pseudonym import device_key, pseudonym

    key = device_key(Path(settings.privacy.key_file), make=False)
    return lambda text: pseudonym(key, text)


def _noted(settings: Config, store: Store, did: str, events: int) -> None:
    """In the access log, without the plate: that would outlive its deletion."""
    import getpass
    from datetime import UTC, datetime

    from edge.errors import StoreError
    from edge.status import utc_iso

    try:
        who = f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        who = f"user {os.getuid()} (command line)"
    try:
        store.note_access(utc_iso(datetime.now(UTC)), who, did, events, settings.privacy.access_log_rows)
    except StoreError as error:
        print(f"platewatch: this could not be written into the access log: {error}", file=sys.stderr)


def _show(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    from edge.events.export import json_line
    from edge.events.query import find
    from edge.web.words import moment

    found = find(store, wanted, _name(settings))
    _noted(settings, store, "looked up", len(found))
    if args.json:
        for one in found:
            print(json_line(one))
        return 0
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("when", "plate", "sure", "camera", "list", "way", *(["distance"] if wanted.fuzzy else []))
    for one in found:
        event, match = one.event, one.event.match
        known = escape(f"{match.list}{f': {match.label}' if match.label else ''}") if match else ""
        away = [f"{one.distance:.1f}"] if wanted.fuzzy else []
        table.add_row(moment(event.last_seen), event.text, f"{event.confidence:.0%}", escape(event.camera), known, event.direction, *away)
    console = Console(highlight=False)
    if found:
        console.print(table)
    more = " (the newest; --limit shows more)" if len(found) == wanted.limit else ""
    console.print(f"{len(found)} event{'' if len(found) == 1 else 's'}{more}")
    return 0


def _export(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    from edge.errors import ConfigError
    from edge.events.export import json_line, row_of, save_crop, write_csv
    from edge.events.query import find

    found = find(store, wanted, _name(settings))
    jsonl = args.json or (args.format or ("jsonl" if str(args.out).endswith((".jsonl", ".json")) else "csv")) == "jsonl"
    told = ((one, save_crop(store, one.event, Path(args.crops)) if args.crops else "") for one in found)

    def write(out: Any) -> None:
        if jsonl:
            out.writelines(f"{json_line(one, crop)}\n" for one, crop in told)
        else:
            write_csv(out, (row_of(one, crop) for one, crop in told))

    _noted(settings, store, "exported", len(found))
    if not args.out:
        write(sys.stdout)
        return 0
    try:
        with open(args.out, "w", encoding="utf-8", newline="") as out:
            write(out)
    except OSError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"--out {args.out}: cannot be written ({error.strerror})") from None
    print(f"{len(found)} events in {args.out}", file=sys.stderr)
    return 0


def _delete(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    from edge.errors import ConfigError
    from edge.events.erase import erase
    from edge.events.query import find

    if wanted.everything:
        raise ConfigError("events delete needs to know which: give --plate, --since, --until, --last, --camera or --list")
    found = find(store, wanted, _name(settings), previews=True)
    if not args.yes and not _agreed(found):
        raise ConfigError("nothing was deleted; --yes deletes without a question")
    gallery = Path(settings.unread.directory or Path(settings.runtime.directory) / "unread")
    texts = {one.event.text for one in found} | ({wanted.plate} if wanted.plate else set())
    gone = erase(store, Path(settings.store.path), gallery, [one.event.id for one in found], texts if wanted.plate else ())
    _noted(settings, store, "deleted", gone.events)
    told = {"deleted": gone.events, "unread_pictures": gone.pictures, "complete": gone.complete, "not_searched": [str(path) for path in gone.unsearched]}
    for line in _sentences(args, told):
        print(line)
    return 0 if gone.complete else 1


def _sentences(args: argparse.Namespace, told: dict[str, Any]) -> Iterator[str]:
    import json

    if args.json:
        yield json.dumps(told)
        return
    yield f"{told['deleted']} events and {told['unread_pictures']} pictures of unread plates were deleted"
    if not told["complete"]:
        yield "another program reads the store: what was deleted stays in its log until that ends; run the same again then"
    for path in told["not_searched"]:
        yield f"{path} is a damaged store that cannot be searched; delete the file if the plate may be in it"


def _agreed(found: Sequence[Found]) -> bool:
    if not sys.stdin.isatty():
        return False
    plates = len({one.event.text for one in found})
    return input(f"Delete {len(found)} events of {plates} plate{'' if plates == 1 else 's'} for good? [y/N] ").strip().lower() in ("y", "yes")


def _stats(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    import json

    from edge.events.figures import figures
    from edge.events.query import find

    told = figures(find(store, wanted, _name(settings)))
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
        return 0
    for name, value in told.items():
        print(f"{name:8} {', '.join(f'{key}: {many}' for key, many in value.items()) if isinstance(value, dict) else value}")
    return 0


def _log(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    import json

    for at, who, did, events in store.accesses(args.limit or SHOWN):
        print(json.dumps({"at": at, "who": who, "did": did, "events": events}) if args.json else f"{at}  {who}: {did}{f', {events} events' if events else ''}")
    return 0
