"""`platewatch events`: look events up, count, export and delete them, while the daemon runs or not."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.events.arguments import LABELS, add_filters, wanted_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.config import Config
    from edge.events.erase import Doomed
    from edge.events.query import Findings
    from edge.events.wanted import Wanted
    from edge.store import Store

ACTIONS = ("show", "export", "delete", "stats", "log")
SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="show", help="what to do with them; log: who looked at events (default: %(default)s)")
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    add_filters(parser)
    parser.add_argument("--labelled", choices=LABELS, help="that somebody confirmed, corrected or called no plate; none: those of which nobody said anything")
    parser.add_argument("--limit", metavar="N", type=int, help=f"the newest N of them (show: {SHOWN}, else all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--looks", action="store_true", help="show, export: with --json the looks behind each text too")
    parser.add_argument("--format", choices=("csv", "jsonl"), help="export: the format (default: by the name of --out, else csv)")
    parser.add_argument("--out", metavar="FILE", help="export: write here instead of printing")
    parser.add_argument("--crops", metavar="FOLDER", help="export: write the pictures here")
    parser.add_argument("--damaged", action="store_true", help="delete: of those only the ones that cannot be read any more")
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
    wanted = wanted_of(args, SHOWN if args.action == "show" else -1)
    with Store(path, read_only=not os.access(path, os.W_OK)) as store:
        return {"show": _show, "export": _export, "delete": _delete, "stats": _stats, "log": _log}[args.action](args, settings, store, wanted)


def _name(settings: Config) -> Callable[[str], str] | None:
    if not settings.privacy.pseudonyms:
        return None
    from edge.keeping.pseudonym import device_key, pseudonym

    key = device_key(Path(settings.privacy.key_file), make=False)
    return lambda text: pseudonym(key, text)


def _noted(settings: Config, store: Store, did: str, events: int) -> None:
    from edge.events.access import note

    note(settings, store, did, events)


def _show(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    from edge.errors import ConfigError
    from edge.events.export import json_line
    from edge.events.query import find
    from edge.web.words import moment

    if args.looks and not args.json:
        raise ConfigError("--looks needs --json: a table has no room for them")
    found = find(store, wanted, _name(settings))
    _say_damaged(found)
    _noted(settings, store, "looked up", len(found))
    if args.json:
        for one in found:
            print(json_line(one, looks=store.looks(one.event.id) if args.looks else None))
        return 0
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("when", "plate", "sure", "camera", "list", "way", *(["distance"] if wanted.fuzzy else []))
    for one in found:
        event, match = one.event, one.event.match
        known = escape(f"{match.list}{f': {match.label}' if match.label else ''}") if match else ""
        away = [f"{one.distance:.1f}"] if wanted.fuzzy else []
        said = "" if one.label is None else {"confirmed": " ✓", "corrected": f" → {one.label.text}", "not a plate": " ✗"}[one.label.judgement]
        table.add_row(moment(event.last_seen), event.text + said, f"{event.confidence:.0%}", escape(event.camera), known, event.direction, *away)
    console = Console(highlight=False)
    if found:
        console.print(table)
    more = " (the newest; --limit shows more)" if len(found) == wanted.limit else ""
    console.print(f"{len(found)} event{'' if len(found) == 1 else 's'}{more}")
    return 0


def _say_damaged(found: Findings) -> None:
    """On stderr, so that what is taken from stdout is events alone."""
    if count := len(found.damaged):
        said = "1 event is damaged and left out" if count == 1 else f"{count} events are damaged and left out"
        print(f"platewatch: {said}; platewatch events delete --damaged deletes what cannot be read any more", file=sys.stderr)


def _export(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    from edge.errors import ConfigError
    from edge.events.export import json_line, row_of, save_crop, write_csv
    from edge.events.query import find

    found = find(store, wanted, _name(settings))
    _say_damaged(found)
    jsonl = args.json or (args.format or ("jsonl" if str(args.out).endswith((".jsonl", ".json")) else "csv")) == "jsonl"
    told = ((one, save_crop(store, one.event, Path(args.crops)) if args.crops else "") for one in found)

    def write(out: Any) -> None:
        if jsonl:
            out.writelines(f"{json_line(one, crop, store.looks(one.event.id) if args.looks else None)}\n" for one, crop in told)
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
    from edge.events.erase import doomed, erase

    if wanted.everything and not args.damaged:
        raise ConfigError("events delete needs to know which: give --plate, --since, --until, --last, --day, --camera, --list or another filter")
    what = doomed(store, wanted, _name(settings), damaged=args.damaged)
    if not args.yes and not _agreed(what):
        raise ConfigError("nothing was deleted; --yes deletes without a question")
    gone = erase(store, settings, what)
    _noted(settings, store, "deleted", gone.events)
    for line in _sentences(args, gone.as_json()):
        print(line)
    return 0 if gone.complete else 1


def _sentences(args: argparse.Namespace, told: dict[str, Any]) -> Iterator[str]:
    import json

    if args.json:
        yield json.dumps(told)
        return
    yield f"{told['deleted']} events, {told['labels']} labels and {told['unread_pictures']} pictures of unread plates were deleted"
    if not told["complete"]:
        yield "another program reads the store: what was deleted stays in its log until that ends; run the same again then"
    for path in told["not_searched"]:
        yield f"{path} is a damaged store that cannot be searched; delete the file if the plate may be in it"


def _agreed(what: Doomed) -> bool:
    if not sys.stdin.isatty():
        return False
    labels, many = f" and {len(what.labels)} labels" if what.labels else "", "" if what.plates == 1 else "s"
    of = f" of {what.plates} plate{many}" if what.plates else ""
    return input(f"Delete {len(what.ids)} events{labels}{of} for good? [y/N] ").strip().lower() in (
        "y",
        "yes",
    )


def _stats(args: argparse.Namespace, settings: Config, store: Store, wanted: Wanted) -> int:
    import json

    from edge.events.figures import figures
    from edge.events.wanted import zone_of

    told = figures(store, wanted, zone_of(args.zone), _name(settings))
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
