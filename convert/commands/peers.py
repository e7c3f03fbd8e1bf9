"""Platewatch and other recognisers on the same photographs, in the same run, at the same number of threads (docs/peers.md)."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import add_data

HELP = "Platewatch and other recognisers side by side on the same photographs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser, required=True, words="labelled photographs that none of the sides was trained on; may be given several times")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="PEER",
        help="fast-alpr, a TOML file that tells of a peer, or a folder with a detector and a reader of Platewatch in it; may be given several times",
    )
    for kind in ("detector", "reader"):
        parser.add_argument(f"--{kind}", type=Path, metavar="DIR", help="another bundle than the shipped one, or a run folder of python -m train fit")
    parser.add_argument("--closer-looks", type=int, metavar="N", help="how many closer looks a picture may cost Platewatch (default: as the device)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor cores for each side (default: 1)")
    parser.add_argument("--at-most", type=int, metavar="N", help="only so many photographs, drawn at random from all (the same each time)")
    parser.add_argument("--patience", type=float, default=60.0, metavar="S", help="seconds that one photograph may take a side (default: 60)")
    parser.add_argument("--allow-download", action="store_true", help="a peer may fetch its models from the network")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write peers.md and sheets of the plates read by one side alone there; a stopped run goes on from there"
    )
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="bootstrap resamples for the intervals (default: 1000)")


def run(options: argparse.Namespace) -> int:
    from convert.peers.command import compare_peers

    return compare_peers(options)
