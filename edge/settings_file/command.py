"""`platewatch config`: check and explain a config file, and change one key of it as the page does."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.settings_file.keys import Key
    from edge.settings_file.settings import Saved, SettingsFile

ACTIONS = {"get": 1, "set": 2, "unset": 1, "restore": 0}
"""Word -> how many words follow."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `platewatch config`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", metavar="FILE", help="read a config file and say what is wrong with it")
    what.add_argument("--table", action="store_true", help="print the table of all keys (markdown)")
    what.add_argument("--schema", action="store_true", help="print the JSON Schema of the config")
    what.add_argument("--example", action="store_true", help="print a config file with every key at its default")
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="get SECTION.KEY, set SECTION.KEY VALUE, unset SECTION.KEY, or restore (the file of before the last change)"
    )
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the file that get, set, unset and restore mean (default: %(default)s)")
    parser.set_defaults(usage=parser.error)


def run(args: argparse.Namespace) -> int:
    """`platewatch config`."""
    from edge import config, reference

    if args.check or args.table or args.schema or args.example:
        if args.words:
            args.usage(f"{' '.join(args.words)}: does not go together with --check, --table, --schema or --example")
        if args.check:
            config.load(args.check)
            print(f"{args.check}: good")
        else:
            print(reference.table() if args.table else reference.schema() if args.schema else reference.example(), end="")
        return 0
    if not args.words:
        args.usage("one of --check, --table, --schema, --example, get, set, unset or restore is needed")
    action, *words = args.words
    if action not in ACTIONS or len(words) != ACTIONS[action]:
        args.usage(f"{' '.join(args.words)}: write get SECTION.KEY, set SECTION.KEY VALUE, unset SECTION.KEY or restore")
    return _edit(Path(args.config), action, words)


def _edit(path: Path, action: str, words: list[str]) -> int:
    from edge.settings_file.draft import Change
    from edge.settings_file.settings import SettingsFile

    settings = SettingsFile(path)
    opened = settings.open()
    if action == "restore":
        return _tell(path, settings.restore(opened.etag), settings)
    name = words[0]
    if action == "get":
        print(_got(opened.values(), name))
        return 0
    value = _value(name, words[1]) if action == "set" else None
    return _tell(path, settings.save([Change(name, "set" if action == "set" else "unset", value)], opened.etag), settings)


def _got(values: dict[str, Any], name: str) -> str:
    """One value as TOML writes it, or a whole section."""
    section, _, key = name.partition(".")
    if section not in values or (key and (not isinstance(values[section], dict) or key not in values[section])):
        raise ConfigError(f"there is no key {name!r}; `platewatch config --table` lists them")
    found = values[section] if not key else values[section][key]
    return json.dumps(found, ensure_ascii=False, indent=2 if not key else None)


def _value(name: str, word: str) -> Any:
    """The word as TOML reads it, `3`, `true`, `["a"]`; as text where the key is one."""
    import tomllib

    from edge import toml_text

    known = _known(name)
    if known is not None and known.type in ("text", "choice"):
        return word
    try:
        return toml_text.loads(f"value = {word}")["value"]
    except tomllib.TOMLDecodeError:
        return word


def _known(name: str) -> Key | None:
    import re

    from edge.settings_file.keys import find

    return find(*re.sub(r"\[\d+\]", "", name).partition(".")[::2])


def _tell(path: Path, saved: Saved, settings: SettingsFile) -> int:
    """What has changed, and when it takes effect; a daemon that runs is told."""
    if not saved.changed:
        print(f"{path}: nothing changed by that")
        return 0
    print(f"{path}: {', '.join(saved.changed)} written")
    told = _reload(settings)
    if told:
        print(told)
    elif saved.restart:
        print(f"a restart of the daemon is needed for {', '.join(saved.restart)}")
    if saved.page:
        print(f"a restart of the page is needed for {', '.join(saved.page)}: sudo systemctl restart platewatch-web")
    return 0


def _reload(settings: SettingsFile) -> str:
    """The daemon's own word; '' where none runs."""
    from edge.settings_file.effect import put_in_force
    from edge.status import is_alive, read

    config = settings.open().config
    if config is None:
        return ""
    directory = settings.path.resolve().parent / config.runtime.directory
    told = read(directory)
    return f"daemon: {put_in_force(directory, 'the command line').sentence}" if told is not None and is_alive(told) else ""
