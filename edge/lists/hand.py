"""`platewatch lists add`, `remove`, `import`, `export` and `new`: what the page does, on the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.lists.edit import ListFile

ACTIONS = {"add": 1, "remove": 1, "import": 1, "export": 0, "new": 2}
"""Word -> how many words follow."""
USAGE = "write add PLATE, remove PLATE, import FILE.csv, export, or new NAME.toml allow|deny|ignore"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="add PLATE, remove PLATE, import FILE.csv, export, or new NAME KIND (allow, deny, ignore); none: show the lists",
    )
    parser.add_argument("--list", metavar="NAME", help="the list that is meant, where the config names more than one")
    parser.add_argument("--name", default="", metavar="TEXT", help="with add: whose plate it is")
    parser.add_argument("--group", default="", metavar="TEXT", help="with add")
    parser.add_argument("--note", default="", metavar="TEXT", help="with add")
    parser.add_argument("--from", dest="first", default="", metavar="DATE", help="with add: the first day, such as 2026-12-01")
    parser.add_argument("--until", default="", metavar="DATE", help="with add: the last day")
    parser.add_argument("--times", default="", metavar="TIMES", help="with add: when it counts, such as 'Mon-Fri 07:00-18:00; Sat'")
    parser.add_argument("--yes", action="store_true", help="with import: do it; without, it is only told what would be done")


def run(args: argparse.Namespace) -> int:
    """0; 1 where an import refuses lines; raises ConfigError or Unwritable."""
    from edge.lists.registry import add_list, lists_of
    from edge.lists.settings import KINDS
    from edge.settings_file.settings import SettingsFile

    action, *words = args.words
    if len(words) != ACTIONS.get(action, -1):
        raise ConfigError(f"{' '.join(args.words)}: {USAGE}")
    settings = SettingsFile(Path(args.config))
    if action == "new":
        kind = next((kind for kind in KINDS if kind == words[1]), None)
        if kind is None:
            raise ConfigError(f"{words[1]!r} is no kind of list; it is allow, deny or ignore")
        print(f"{add_list(settings, words[0], kind).path}: made, and named in {args.config}")
        return 0
    file = _chosen(lists_of(settings), args.list)
    opened = file.open()
    match action:
        case "add":
            row = {"plate": words[0], "name": args.name, "group": args.group, "note": args.note, "from": args.first, "until": args.until, "times": args.times}
            file.add(row, opened.etag)
            print(f"{file.path.name}: {words[0]} added")
        case "remove":
            file.remove([words[0]], opened.etag)
            print(f"{file.path.name}: {words[0]} removed")
        case "export":
            from edge.lists.exchange import export

            print(export(opened), end="")
        case "import":
            return _import(file, Path(words[0]), args.yes)
    return 0


def _import(file: ListFile, source: Path, yes: bool) -> int:
    from edge import whole_file
    from edge.lists.exchange import preview, take

    opened = file.open()
    found = preview(opened, source.name, whole_file.read(source).raw)
    for line, why in found.refused:
        print(f"{source.name}, line {line}: {why}", file=sys.stderr)
    counts = f"{len(found.new)} new, {len(found.changed)} changed, {found.same} the same, {len(found.refused)} refused"
    if not yes:
        print(f"{file.path.name}: {counts}; nothing is written without --yes")
    elif found.new or found.changed:
        take(file, found, opened.etag)
        print(f"{file.path.name}: {counts}; written")
    else:
        print(f"{file.path.name}: {counts}; nothing to write")
    return int(bool(found.refused))


def _chosen(files: list[ListFile], name: str | None) -> ListFile:
    from edge.lists.exchange import named

    if name is not None:
        path = named({str(file.path): file.path for file in files}, name)
        return next(file for file in files if file.path == path)
    if len(files) != 1:
        known = ", ".join(file.path.name for file in files)
        raise ConfigError(f"name the list with --list: the config has {known}" if files else "the config names no list; make one with `platewatch lists new`")
    return files[0]
