"""`python -m train average`: one network from the weights of several runs (Model soups, Wortsman et al. 2022)."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.errors import ConfigError

HELP = "average the weights of runs that went on from each other"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folders of one network, the one whose papers are kept last")
    parser.add_argument("--shares", metavar="N,N", help="how much of each (default: alike)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new run folder")


def run(options: argparse.Namespace) -> int:
    """What to do with the outcome: measure it, and quantize it like any run folder."""
    from train.averaging import average

    try:
        shares = [float(word) for word in options.shares.split(",")] if options.shares else [1.0] * len(options.runs)
    except ValueError:
        raise ConfigError(f"--shares {options.shares}: numbers separated by commas") from None
    print(average(options.runs, shares, options.out))
    return 0
