"""The words of the command line for which events are meant; `platewatch events` and `platewatch export-labels` share them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.events.wanted import Wanted

LABELS = ("any", "corrected", "confirmed", "not-a-plate", "none")
DIRECTIONS = ("approaching", "leaving", "left", "right", "unknown")


def add_filters(parser: argparse.ArgumentParser) -> None:
    """All but the number."""
    parser.add_argument("--plate", metavar="TEXT", help="of this plate, read or corrected; * stands for any characters, ? for one")
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
    parser.add_argument("--day", metavar="DATE", help="of this day")
    parser.add_argument("--zone", metavar="NAME", default="", help="days and times are those of this time zone, as Europe/Berlin (default: this device's)")
    parser.add_argument("--camera", metavar="NAME", help="of this camera")
    parser.add_argument("--list", metavar="NAME", help="of plates of this list; none: of those of no list")
    parser.add_argument("--country", metavar="CODE", help="of plates that were taken for this country's")
    parser.add_argument("--direction", choices=DIRECTIONS, help="of vehicles that went this way")
    parser.add_argument("--below", metavar="SHARE", type=float, default=0.0, help="less sure than this, from 0 to 1")


def wanted_of(args: argparse.Namespace, limit: int) -> Wanted:
    """Raises ConfigError for what cannot be meant."""
    from datetime import UTC, datetime

    from edge.errors import ConfigError
    from edge.events.wanted import Wanted, ago, day, moment, plate_of, zone_of

    begins = [f"--{name}" for name in ("last", "since", "day") if getattr(args, name)]
    if len(begins) > 1:
        raise ConfigError(f"{' and '.join(begins)} both say where to begin; give one of them")
    if args.day and args.until:
        raise ConfigError("--day and --until both say where to end; give one of them")
    if not 0 <= args.fuzzy <= 5:
        raise ConfigError(f"--fuzzy {args.fuzzy:g}: is no distance from 0 to 5")
    if args.fuzzy and not args.plate:
        raise ConfigError("--fuzzy needs a --plate to be near to")
    if not 0 <= args.below <= 1:
        raise ConfigError(f"--below {args.below:g}: is no share from 0 to 1")
    if args.limit is not None and args.limit < 1:
        raise ConfigError(f"--limit {args.limit}: must be 1 or more")
    zone = zone_of(args.zone)
    since = ago(args.last, datetime.now(UTC)) if args.last else moment(args.since, "--since", zone) if args.since else ""
    until = moment(args.until, "--until", zone) if args.until else ""
    if args.day:
        since, until = day(args.day, "--day", zone)
    label = (getattr(args, "labelled", None) or "").replace("-", " ")
    return Wanted(
        plate=plate_of(args.plate, args.fuzzy) if args.plate is not None else "",
        fuzzy=args.fuzzy,
        since=since,
        until=until,
        camera=args.camera or "",
        list=args.list or "",
        limit=args.limit or limit,
        country=(args.country or "").lower(),
        direction=args.direction or "",
        below=args.below,
        label=label,
    )
