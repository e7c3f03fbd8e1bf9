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
        "v": 1, "machine": platform.machine(), "cores": cores, "python": platform.python_version(), "runtime": runtime_version(),
        "temperature_c": temperature_c(), "pictures": [{"name": name, "width": luma.shape[1], "height": luma.shape[0]} for name, luma in pictures], "threads": {},
    }
    table = Table(title=f"{len(pictures)} picture(s), {pictures[0][1].shape[1]}x{pictures[0][1].shape[0]} the first; median / 95th percentile, ms")
    table.add_column("stage")
    for count in counts:
        stages, plates = measure([luma for _, luma in pictures], folders, count, args.repeat)
        report["threads"][str(count)] = {name: {"median": round(float(np.median(ms)), 4), "p95": round(float(np.percentile(ms, 95)), 4)} for name, ms in stages.items()}
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


def measure(pictures: list[Luma], folders: tuple[Path, Path], threads: int, repeat: int) -> tuple[dict[str, list[float]], int]:
    """Milliseconds of every run by stage, and the number of plates found. The pictures take turns, so that caches are as cold as in life."""
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.vision.image import letterbox
    from edge.vision.rectify import reader_input

    detector, reader = Detector.load(folders[0], threads), Reader.load(folders[1], threads)
    width, height = detector.manifest.width, detector.manifest.height
    stages: dict[str, list[float]] = {name: [] for name in ("resize", "detect", "decode detections", "rectify", "read", "decode reads", "whole frame")}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        value = action()
        stages[name].append(1000 * (time.perf_counter() - began))
        return value

    plates = 0
    for turn in range(repeat + 3):
        if turn == 3:  # the first turns warm the caches and count for nothing
            for times in stages.values():
                times.clear()
            plates = 0
        for luma in pictures:
            boxed, _ = timed("resize", lambda luma=luma: letterbox(luma, width, height))
            timed("detect", lambda boxed=boxed: detector.infer(boxed))
            began = time.perf_counter()
            found = detector.detect(luma)
            for detection in found:
                reader.read(luma, detection.quad, detection.lines)
            stages["whole frame"].append(1000 * (time.perf_counter() - began))
            stages["decode detections"].append(max(0.0, detector_decode_ms(detector, boxed)))
            for detection in found:
                plate = timed("rectify", lambda luma=luma, detection=detection: reader_input(luma, detection.quad, reader.manifest.width, reader.manifest.height))
                raw_ms = len(stages["read"])
                timed("read", lambda plate=plate: reader.infer(plate))
                began = time.perf_counter()
                reader.read_input(plate)
                stages["decode reads"].append(max(0.0, 1000 * (time.perf_counter() - began) - stages["read"][raw_ms]))
            plates += len(found)
    return {name: times or [0.0] for name, times in stages.items()}, plates // max(1, repeat)


def detector_decode_ms(detector: Any, boxed: Luma) -> float:
    """What the codec takes of one run: the whole less the network."""
    began = time.perf_counter()
    detector.infer(boxed)
    middle = time.perf_counter()
    detector.detect(boxed)
    return 1000 * ((time.perf_counter() - middle) - (middle - began))


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
