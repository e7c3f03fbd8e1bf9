"""`python -m train`: from photographs to float models. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from edge.errors import PlatewatchError


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m train", description="Train Platewatch's detector and reader.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fit = commands.add_parser(
        "fit", help="train one experiment, or go on with it", description="Train one experiment; a run that was stopped goes on where it was."
    )
    fit.add_argument("experiment", type=Path, metavar="EXPERIMENT.toml", help="one of train/experiments, or your own")
    fit.add_argument(
        "--data", type=Path, action="append", required=True, metavar="DIR", help="labelled folder, or a folder of them; may be given several times"
    )
    fit.add_argument("--validate", type=Path, action="append", default=[], metavar="DIR", help="labelled folders to look at while training, never trained on")
    fit.add_argument("--out", type=Path, help="run folder (default: runs/NAME of the experiment's file)")
    fit.add_argument("--steps", type=int, help="train so many steps in all instead of the experiment's own number")
    fit.add_argument("--every", type=int, default=1000, help="check and save every so many steps (default: 1000)")
    fit.add_argument("--threads", type=int, default=0, help="processor cores to use (default: all)")
    fit.set_defaults(action=_fit)
    draw = commands.add_parser("draw", help="draw labelled pictures: plates cut out, and scenes", description="Draw a labelled set in the native format.")
    draw.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the sets drawn_crops and drawn_scenes")
    draw.add_argument("--crops", type=int, default=500, metavar="N", help="plates cut out (default: 500)")
    draw.add_argument("--scenes", type=int, default=200, metavar="N", help="scenes (default: 200)")
    draw.add_argument("--seed", type=int, default=1, help="the same seed draws the same set where the same fonts are installed (default: 1)")
    draw.set_defaults(action=_draw)
    options = parser.parse_args(arguments)
    try:
        return int(options.action(options))
    except PlatewatchError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train: stopped; the same command goes on from the last save", file=sys.stderr)
        return 130


def _fit(options: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if options.threads:
        os.environ.update(OMP_NUM_THREADS=str(options.threads), TF_NUM_INTRAOP_THREADS=str(options.threads), TF_NUM_INTEROP_THREADS="1")
    import cv2

    from train.data.formats.native import find_folders
    from train.fit import fit

    cv2.setNumThreads(1)
    out = options.out or Path("runs") / options.experiment.stem
    print(fit(options.experiment, find_folders(options.data), find_folders(options.validate) if options.validate else [], out, options.steps, options.every))
    return 0


def _draw(options: argparse.Namespace) -> int:
    from train.data.synth.labelled import draw_crops, draw_scenes

    if options.crops:
        print(draw_crops(options.out / "drawn_crops", options.crops, options.seed))
    if options.scenes:
        print(draw_scenes(options.out / "drawn_scenes", options.scenes, options.seed))
    return 0
