"""`platewatch targets`: who is told, how that goes, and one test event to try it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import sqlite3

    from edge.config import Config

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--test", metavar="NAME", help="send one event marked as a test to this target, past the outbox")
    what.add_argument("--retry", "--again", metavar="NAME", help="offer this target once more what was set aside because it refused it")
    what.add_argument("--schema", action="store_true", help="print the JSON Schema of the native dialect")


def run(args: argparse.Namespace) -> int:
    if args.schema:
        from edge.publish.schema import text

        print(text(), end="")
        return 0
    from edge import config

    found = config.load(args.config)
    if args.test:
        print(test(found, args.test))
    elif args.retry:
        print(again(found, args.retry))
    else:
        print("\n".join(lines(found)))
    return 0


def lines(config: Config) -> list[str]:
    """One line a target, and its last error below."""
    from edge.publish.kinds import make
    from edge.publish.publishing import site_of

    site, states = site_of(config), _states(config)
    told = []
    for target in config.targets:
        made = make(target, site)  # secrets and certificates are there
        state = states.get(target.name, {})
        where = f" on {base}/..." if (base := getattr(made, "base", "")) else ""
        told.append(f"{target.name}: {target.dialect} by {target.kind}{where}; {_in_words(state)}")
        for reason, many, id in _refused(config, target.name) if state.get("refused") else ():
            told.append(f"  set aside, {many} of them ({id[:8]}{', ...' if many > 1 else ''}): {reason}; platewatch targets --retry {target.name}")
        if state.get("last_error"):
            told.append(f"  {'now' if state['failing'] else 'last, ' + state['last_error_at']}: {state['last_error']}")
    return told or ["no targets; add [[targets]] to the config file (docs/targets.md)"]


def _in_words(state: dict[str, Any]) -> str:
    if not state:
        return "never started"
    counts = f"{state['pending']} waiting, {state['delivered']} delivered, {state['dropped']} dropped, {state['refused']} set aside"
    if "failing" not in state:
        return f"{counts} (the daemon is not running)"
    return f"{'failing' if state['failing'] else 'not connected' if state['connected'] is False else 'good'}; {counts}"


def _states(config: Config) -> dict[str, dict[str, Any]]:
    """By name: of the daemon that runs, else what the outbox holds."""
    from pathlib import Path

    from edge import status
    from edge.publish.tables import counts

    said = status.read(Path(config.runtime.directory))
    if said is not None and status.is_alive(said):
        return {one["name"]: one for one in said.get("targets", []) if "pending" in one}
    return _asked(config, lambda db: {name: found.as_json() for name, found in counts(db).items()}, {})


def _refused(config: Config, name: str) -> list[tuple[str, int, str]]:
    from edge.publish.tables import set_aside

    return _asked(config, lambda db: set_aside(db, name), [])


def _asked(config: Config, question: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
    """Of the outbox, without touching it."""
    import sqlite3
    from pathlib import Path

    try:
        db = sqlite3.connect(f"{Path(config.store.path).absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return otherwise
    try:
        return question(db)
    except sqlite3.Error:  # a store that never had targets
        return otherwise
    finally:
        db.close()


def test(config: Config, name: str) -> str:
    """Send it; what happened, in a sentence. PublishError or ConfigError where it did not."""
    import uuid
    from datetime import UTC, datetime

    from edge.publish.base import Parcel, PublishError
    from edge.publish.kinds import make
    from edge.publish.mqtt import Mqtt
    from edge.publish.packer import Packer
    from edge.publish.publishing import site_of
    from edge.publish.trial import test_event

    target = _named(config, name)
    site = site_of(config)
    event = test_event(f"test-{uuid.uuid4().hex[:12]}", config.camera.name, datetime.now(UTC))
    made = make(target, site)
    if isinstance(made, Mqtt):
        made.as_guest()
    try:
        made.send(Packer(target).pack(Parcel(0, name, event.as_json(), event.crop_jpeg), site, test=True))
    except PublishError as error:
        raise PublishError(f"target {name!r}: {error}") from None
    finally:
        made.close()
    if target.kind == "csv":
        return f"{name}: the file can be written; a row cannot be marked as a test, so none was added"
    return f"{name}: it has the test event {event.id}"


def again(config: Config, name: str) -> str:
    from pathlib import Path

    from edge.errors import StoreError
    from edge.publish.outbox import Outbox

    _named(config, name)
    if not Path(config.store.path).exists():
        raise StoreError(f"{config.store.path}: there is no event store yet; the daemon makes it when it first starts")
    outbox = Outbox(config.store.path, config.targets, config.outbox)
    try:
        return f"{name}: {outbox.again(name)} events wait once more"
    finally:
        outbox.close()


def _named(config: Config, name: str) -> Any:
    from edge.errors import ConfigError
    from edge.publish.settings import nearest

    found = {target.name: target for target in config.targets}
    if name not in found:
        raise ConfigError(f"there is no target {name!r}; {nearest(name, found) if found else 'the config names none'}")
    return found[name]
