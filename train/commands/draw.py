"""`python -m train draw`: a labelled set in the native format, drawn."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "draw labelled pictures: plates cut out, and scenes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the sets drawn_crops and drawn_scenes")
    parser.add_argument("--crops", type=int, default=500, metavar="N", help="plates cut out (default: 500)")
    parser.add_argument("--scenes", type=int, default=200, metavar="N", help="scenes (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same set where the same fonts are installed (default: 1)")


def run(options: argparse.Namespace) -> int:
    """Prints the folders written."""
    from train.data.synth.labelled import draw_crops, draw_scenes

    if options.crops:
        print(draw_crops(options.out / "drawn_crops", options.crops, options.seed))
    if options.scenes:
        print(draw_scenes(options.out / "drawn_scenes", options.scenes, options.seed))
    return 0
