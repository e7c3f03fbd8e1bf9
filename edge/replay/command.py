"""`platewatch replay`: what would have been events in a recording, and what another configuration or bundle would have made of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from edge.config import Config
    from edge.replay.play import Progress, Replayed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `platewatch replay`."""
    parser.add_argument("recording", type=Path, metavar="VIDEO|FOLDER", help="a video, or a folder of pictures in the order of their names")
    parser.add_argument("--config", metavar="FILE", help="the config file (default: every key at its default)")
    parser.add_argument("--detector", metavar="DIR", help="another detector bundle than the config's")
    parser.add_argument("--reader", metavar="DIR", help="another reader bundle than the config's")
    parser.add_argument("--every-frame", action="store_true", help="look at every frame, also where nothing moves")
    parser.add_argument("--against", metavar="FILE", help="play it again with this config file, and compare")
    parser.add_argument("--against-detector", metavar="DIR", help="play it again with this detector bundle, and compare")
    parser.add_argument("--against-reader", metavar="DIR", help="play it again with this reader bundle, and compare")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="JSON list of {text, from_s, to_s}: what passed, to say what is right, wrong and missed")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")


def run(args: argparse.Namespace) -> int:
    """0 also where something is missed or differs: this is a report."""
    _quiet_decoders()
    from edge.camera.files import PICTURE_SUFFIXES, VIDEO_SUFFIXES
    from edge.replay.pairs import load_truth, score

    if not args.recording.exists():
        raise ImageError(f"{args.recording}: no such file or folder")
    if args.recording.is_file() and args.recording.suffix.lower() not in VIDEO_SUFFIXES | PICTURE_SUFFIXES:
        raise ImageError(f"{args.recording}: is neither a video nor a picture by its name; known are {' '.join(sorted(VIDEO_SUFFIXES | PICTURE_SUFFIXES))}")
    truth = None if args.truth is None else load_truth(args.truth)
    config = _with_bundles(_load(args.config, "--config"), args.detector, args.reader)
    wanted = {"first": config}
    if args.against or args.against_detector or args.against_reader:
        other = _load(args.against, "--against") if args.against else config
        wanted["second"] = _with_bundles(other, args.against_detector, args.against_reader)
    for one in wanted.values():  # minutes may pass before the second is played
        _check_bundles(one)
    told: dict[str, Replayed] = {}
    announced = frames_of(args.recording)
    for which, one in wanted.items():
        with _bar(f"{args.recording.name} {which if len(wanted) > 1 else ''}", announced) as progress:
            told[which] = _play(one, args.recording, args.every_frame, progress)
        if announced and not one.camera.fps_limit:
            told[which].cut_short = max(0, announced - told[which].frames - told[which].skipped)
    scores = {} if truth is None else {which: score(truth, told[which].events, one.tracking.repeat_after_s) for which, one in wanted.items()}
    if args.json:
        from edge.replay.report import as_json

        print(json.dumps(as_json(told, scores), ensure_ascii=False))
    else:
        from edge.replay.report import show

        show(told, scores)
    return 0


def _play(config: Config, recording: Path, every_frame: bool, progress: Progress) -> Replayed:
    from edge.replay.play import play

    return play(config, recording, every_frame=every_frame, progress=progress)


def _load(path: str | None, option: str) -> Config:
    from edge.config import Config, load

    try:
        return Config() if path is None else load(path)
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from None


def _with_bundles(config: Config, detector: str | None, reader: str | None) -> Config:
    """A folder given by its name alone is a folder here, unlike in a config file."""
    changes = {kind: str(Path(name).resolve()) for kind, name in (("detector", detector), ("reader", reader)) if name}
    return config.model_copy(update={"models": config.models.model_copy(update=changes)})


def _check_bundles(config: Config) -> None:
    from edge.model.manifest import load_manifest
    from edge.wiring import bundle_dir

    for kind in ("detector", "reader"):
        load_manifest(bundle_dir(getattr(config.models, kind)), kind)


def _quiet_decoders() -> None:
    """The decoders have lines of their own to say about a broken file; ours is the one that helps. Before OpenCV is loaded."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")


def frames_of(recording: Path) -> int | None:
    """How many there should be; None where nobody says."""
    import cv2

    from edge.camera.files import PICTURE_SUFFIXES, VIDEO_SUFFIXES

    if recording.is_dir():
        return sum(path.suffix.lower() in PICTURE_SUFFIXES for path in recording.iterdir()) or None
    if recording.suffix.lower() not in VIDEO_SUFFIXES:
        return 1
    video = cv2.VideoCapture(str(recording))
    found = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    video.release()
    return found if found > 0 else None


@contextmanager
def _bar(words: str, total: int | None) -> Iterator[Progress]:
    """A bar on stderr that vanishes at the end."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()) as bar:
        task: Any = bar.add_task(words.strip(), total=total)
        yield lambda frames: bar.update(task, completed=frames)
