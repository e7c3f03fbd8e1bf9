"""`python -m edge.web.api`: prints the table of all endpoints; with `--into docs/api.md` it takes its place there."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from edge.errors import PlatewatchError
from edge.web.api import PARTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m edge.web.api", description="The table of all endpoints, from their declarations.")
    parser.add_argument("--into", type=Path, metavar="FILE", help="write it between the marks of this document instead of printing it")
    args = parser.parse_args()
    for part in PARTS:
        importlib.import_module(f"edge.web.api.{part}")
    from edge.web.api.reference import put_into, table

    try:
        put_into(args.into) if args.into else print(table())
    except (PlatewatchError, OSError) as error:
        print(f"edge.web.api: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
