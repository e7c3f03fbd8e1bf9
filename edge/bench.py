"""`platewatch bench`: how long each stage of a frame takes on this device, by thread count."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from edge.records import Luma

STAGES = ("resize", "detect", "decode detections", "rectify", "read", "decode reads", "whole frame")
CLIP = Path(__file__).parent / "clips" / "demo.mp4"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `platewatch bench`."""
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="pictures to measure on (default: a frame of the bundled clip)")
    parser.add_argument("--threads", metavar="N,N", help="thread counts (default: 1 up to the machine's cores, at most 4)")
    parser.add_argument("--repeat", type=int, default=100, metavar="N", help="runs a picture and thread count (default: 100)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--detector", metavar="DIR", help="another detector bundle than the shipped one")
    parser.add_argument("--reader", metavar="DIR", help="another reader bundle than the shipped one")


def run(args: argparse.Namespace) -> int:
    """`platewatch bench`: a table, and JSON where wanted."""
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from edge.health import resident_mb, temperature_c
    from edge.model.manifest import SHIPPED
    from edge.model.tflite import runtime_version

    if args.repeat < 3:
        raise ConfigError(f"--repeat {args.repeat}: at least 3")
    cores = os.cpu_count() or 1
    counts = _counts(args.threads) if args.threads else sorted({1, *(n for n in (2, 3, 4) if n <= cores)})
    pictures = _pictures(args.images)
    folders = (Path(args.detector or SHIPPED / "detector"), Path(args.reader or SHIPPED / "reader"))
    report: dict[str, Any] = {
        "v": 1,
        "machine": platform.machine(),
        "cores": cores,
        "python": platform.python_version(),
        "runtime": runtime_version(),
        "temperature_c": temperature_c(),
        "pictures": [{"name": name, "width": luma.shape[1], "height": luma.shape[0]} for name, luma in pictures],
        "threads": {},
    }
    table = Table(title=f"{len(pictures)} picture(s), {pictures[0][1].shape[1]}x{pictures[0][1].shape[0]} the first; median / 95th percentile, ms")
    table.add_column("stage")
    for count in counts:
        stages, plates = measure([luma for _, luma in pictures], folders, count, args.repeat)
        report["threads"][str(count)] = {
            name: {"median": round(float(np.median(ms)), 4), "p95": round(float(np.percentile(ms, 95)), 4)} for name, ms in stages.items()
        }
        report["plates"] = plates
        table.add_column(f"{count} thread{'s' if count > 1 else ''}", justify="right")
    report["resident_mb"] = resident_mb()
    for stage in next(iter(report["threads"].values())):
        cells = [report["threads"][str(count)][stage] for count in counts]
        table.add_row(stage, *(f"{cell['median']:.3f} / {cell['p95']:.3f}" for cell in cells), end_section=stage == "decode reads")
    Console().print(table)
    memory = f"{report['resident_mb']:.0f} MiB resident" if report["resident_mb"] else ""
    print(f"{report['plates']} plate(s) in view, {report['runtime']}, {report['machine']}, {cores} cores {memory}")
    if args.json:
        try:
            Path(args.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{args.json}: cannot be written ({error.strerror})") from None
    return 0


class Stopwatch:
    """Milliseconds of every run, by stage."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = {stage: [] for stage in STAGES}

    def time(self, stage: str, action: Callable[..., Any], *arguments: Any) -> Any:
        """Run `action`, note what it took, return what it returns."""
        began = time.perf_counter()
        value = action(*arguments)
        self.ms[stage].append(1000 * (time.perf_counter() - began))
        return value


def measure(pictures: list[Luma], folders: tuple[Path, Path], threads: int, repeat: int) -> tuple[dict[str, list[float]], int]:
    """Milliseconds of every run by stage, and the number of plates in the pictures. They take turns, so that caches are as cold as in life."""
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.vision.image import letterbox
    from edge.vision.rectify import reader_input

    detector, reader = Detector.load(folders[0], threads), Reader.load(folders[1], threads)
    size, plate_size = ((model.manifest.width, model.manifest.height) for model in (detector, reader))

    def whole(luma: Luma) -> int:
        found = detector.detect(luma)
        for detection in found:
            reader.read(luma, detection.quad, detection.lines)
        return len(found)

    for warming in (True, False):  # the first turns warm the caches and count for nothing
        watch, plates = Stopwatch(), 0
        for _ in range(3 if warming else repeat):
            for luma in pictures:
                boxed, _ = watch.time("resize", letterbox, luma, *size)
                raw = watch.time("detect", detector.infer, boxed)
                watch.time("decode detections", detector.decode, raw)
                for detection in detector.detect(luma):
                    plate = watch.time("rectify", reader_input, luma, detection.quad, *plate_size, reader.manifest.margin)
                    logits = watch.time("read", reader.infer, plate)
                    watch.time("decode reads", reader.decode, logits)
                plates += watch.time("whole frame", whole, luma)
    return {stage: ms or [0.0] for stage, ms in watch.ms.items()}, plates // repeat


def _counts(words: str) -> list[int]:
    try:
        counts = sorted({int(word) for word in words.split(",")})
    except ValueError:
        counts = [0]
    if counts[0] < 1:
        raise ConfigError(f"--threads {words}: numbers of 1 or more, separated by commas")
    return counts


def _pictures(names: list[str]) -> list[tuple[str, Luma]]:
    """The named pictures, or the middle frame of the clip."""
    from edge.vision.image import load_image, to_luma

    if names:
        return [(name, load_image(name)[0]) for name in names]
    import cv2

    capture = cv2.VideoCapture(str(CLIP))
    truth = json.loads(CLIP.with_suffix(".json").read_text()) if CLIP.with_suffix(".json").is_file() else []
    passes = truth if isinstance(truth, list) else truth.get("passes", [])
    middle_s = (passes[0]["from_s"] + passes[0]["to_s"]) / 2 if passes else 1.0
    capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * middle_s)
    ok, picture = capture.read()
    capture.release()
    if not ok:
        raise ImageError(f"{CLIP}: the bundled clip cannot be read; name a picture to measure on")
    return [(CLIP.name, to_luma(picture))]
