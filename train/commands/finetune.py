"""`python -m train finetune`: teach a trained network one camera or one country in minutes, and say what it forgot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "teach a trained network your camera or country, and say what it forgot"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--from", dest="start", required=True, metavar="START", help="reader, detector, a run folder, or a bundle folder")
    _folders(parser, "--data", "your labelled photographs; may be given several times", required=True)
    _folders(parser, "--validate", "labelled photographs of other plates to measure on (default: a fifth of yours is set aside)")
    _folders(parser, "--keep", "photographs that the network learnt from before, mixed in so that it remembers; a tenth is set aside to measure on")
    _folders(parser, "--known", "photographs that it never learnt from and must not get worse on")
    parser.add_argument("--country", action="append", default=[], metavar="xx", help="draw mostly plates of this country; may be given several times")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/KIND-COUNTRY, or runs/KIND-DATA)")
    parser.add_argument("--steps", type=int, default=400, metavar="N", help="length of the training (default: 400)")
    parser.add_argument("--batch", type=int, metavar="N", help="pictures a step (default: 32 for a reader, 16 for a detector)")
    parser.add_argument("--rate", type=float, help="learning rate (default: a sixth of the start's)")
    parser.add_argument("--allowed-drop", type=float, default=1.0, metavar="POINTS", help="how much may be lost on what was known, in points (default: 1.0)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws and splits the same (default: 1)")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use (default: all)")


def _folders(parser: argparse.ArgumentParser, name: str, words: str, required: bool = False) -> None:
    parser.add_argument(name, type=Path, action="append", default=None if required else [], required=required, metavar="DIR", help=words)


def run(options: argparse.Namespace) -> int:
    """What can be refused is refused before Keras is loaded."""
    from edge.errors import ConfigError
    from train.data.formats.native import find_folders
    from train.data.synth.nearby import check_country
    from train.finetune.gather import Given
    from train.finetune.outcome import print_outcome, read_outcome
    from train.finetune.plan import Settings, begin, hold_to_plan
    from train.finetune.start import find_start

    for name in ("steps", "batch", "rate"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            raise ConfigError(f"--{name}: {value} is not more than 0")
    if options.allowed_drop < 0:
        raise ConfigError(f"--allowed-drop: {options.allowed_drop} is less than 0")
    countries = tuple(dict.fromkeys(check_country(code) for code in options.country))
    start = find_start(options.start)
    given = Given(*(find_folders(folders) if folders else [] for folders in (options.data, options.validate, options.keep, options.known)))
    settings = Settings(options.steps, options.batch, options.rate, countries, options.allowed_drop / 100, options.seed)
    out = options.out or Path("runs") / f"{start.experiment.kind}-{'-'.join(countries) or options.data[0].resolve().name}"

    hold_to_plan(out, start, settings, given)

    def say(words: str) -> None:
        print(f"train: {words}", file=sys.stderr)

    if (out / "finetune.json").is_file():
        say(f"{out} is finished: this is what came of it")
        outcome = read_outcome(out / "finetune.json", settings)
    else:
        parts = begin(out, start, settings, given, say)
        from train.machine import prepare_backend

        prepare_backend(options.threads)
        from train.finetune.run import finetune

        outcome = finetune(start, given, settings, parts, out, say)
    from rich.console import Console

    print_outcome(outcome, Console() if sys.stdout.isatty() else Console(width=130))
    for warning in outcome.choice.warnings:
        say(warning)
    print(out / "average.weights.h5")
    return 0
