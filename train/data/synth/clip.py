"""Draws the demo clip: `python -m train.data.synth.clip --out edge/clips --seed 7`.

About 50 seconds at a driveway: cars come and go by day, dusk falls, headlights, then the camera goes over to infra-red, and day breaks
again so that the clip loops. Every plate is invented. Beside the clip lies its truth, a list of passes with the times, in seconds from
the start, at which the plate is whole in the picture and at least 60 pixels wide.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import yard
from train.data.synth.cast import PASSES, Actor, distance, draw_van, fair_plate, make_actor
from train.data.synth.hours import SECONDS, daylight, expose, switch_on
from train.data.synth.plates import DrawnPlate, PlateArtist

Picture = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]

RATE = 12
LEAST_WIDTH = 60.0


VAN_START_S, VAN_SECONDS = 13.2, 5.2


@dataclass(frozen=True, slots=True)
class Truth:
    """When a plate can be seen: seconds from the clip's start."""

    text: str
    lines: int
    from_s: float
    to_s: float
    country: str


def _affine(actor: Actor, x_m: float, z_m: float) -> tuple[int, npt.NDArray[np.float64]]:
    """Which pyramid level to use, and the matrix from its pixels to the frame's."""
    width = yard.FOCAL * 1.8 / z_m
    level = 0
    while level + 1 < len(actor.levels) and actor.levels[level + 1][1].shape[1] > width * 0.95:
        level += 1
    high, wide = actor.levels[level][1].shape
    scale = width / wide
    foot_x, foot_y = yard.project(x_m, 0.0, z_m)
    return level, np.array([[scale, 0, foot_x - width / 2], [0, scale, foot_y - high * scale]])


def _blend(frame: Picture, shine: Picture, actor: Actor, matrix: npt.NDArray[np.float64], level: int) -> None:
    """Lay the vehicle over the frame and its plate over the mask of what reflects, in place."""
    picture, mask, plate = actor.levels[level]
    high, wide = mask.shape
    x0, y0 = np.maximum(0, np.floor(matrix[:, 2]).astype(int))
    x1, y1 = np.minimum((yard.WIDE, yard.HIGH), np.ceil(matrix[:, 2] + (matrix[0, 0] * wide, matrix[1, 1] * high)).astype(int))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    local = matrix.copy()
    local[:, 2] -= (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    alpha = cv2.warpAffine(mask, local, size)
    weight = (alpha.astype(np.float32) / 255)[:, :, None]
    region = frame[y0:y1, x0:x1]
    region[:] = region * (1 - weight) + cv2.warpAffine(picture, local, size) * weight
    shine[y0:y1, x0:x1] = np.where(alpha > 0, cv2.warpAffine(plate, local, size), shine[y0:y1, x0:x1])


def _shadow(frame: Picture, x_m: float, z_m: float, strength: float) -> None:
    """The dark patch under a car, in place."""
    left, right = yard.project(x_m - 1.0, 0, z_m), yard.project(x_m + 1.0, 0, z_m)
    back = yard.project(x_m, 0, z_m + 3.6)
    soft = 8 + yard.FOCAL * 0.2 / z_m
    x0, x1 = int(max(0, left[0] - soft)), int(min(yard.WIDE, right[0] + soft))
    y0, y1 = int(max(0, back[1] - soft)), int(min(yard.HIGH, left[1] + soft))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    dark = np.zeros((y1 - y0, x1 - x0), np.uint8)
    corners = np.array(
        [
            [left[0], left[1] + 3],
            [right[0], right[1] + 3],
            [yard.project(x_m + 1.0, 0, z_m + 3.6)[0], back[1]],
            [yard.project(x_m - 1.0, 0, z_m + 3.6)[0], back[1]],
        ]
    )
    cv2.fillPoly(dark, [(corners - (x0, y0)).round().astype(np.int32)], 255)
    dark = cv2.GaussianBlur(dark, (0, 0), max(1.0, yard.FOCAL * 0.05 / z_m))
    region = frame[y0:y1, x0:x1]
    region[:] = region * (1 - dark.astype(np.float32)[:, :, None] / 255 * strength)


def _blend_van(frame: Picture, van: tuple[Picture, Picture], t: float) -> None:
    """The van drives across from left to right, 13 metres away, in place."""
    share = (t - VAN_START_S) / VAN_SECONDS
    if not 0 <= share <= 1:
        return
    picture, mask = van
    z, scale = 13.0, 5.2 * yard.FOCAL / 13.0 / van[1].shape[1]
    x_m = -8.2 + 16.4 * share
    foot = yard.project(x_m, 0, z)
    matrix = np.array([[scale, 0, foot[0] - mask.shape[1] * scale / 2], [0, scale, foot[1] - (mask.shape[0] - 6) * scale]])
    alpha = cv2.warpAffine(mask, matrix, (yard.WIDE, yard.HIGH), flags=cv2.INTER_AREA)
    laid = cv2.warpAffine(picture, matrix, (yard.WIDE, yard.HIGH), flags=cv2.INTER_LINEAR)
    weight = cv2.GaussianBlur(alpha, (0, 0), 0.6).astype(np.float32)[:, :, None] / 255
    y0, y1 = int(max(0, matrix[1, 2])), int(min(yard.HIGH, foot[1] + 12))
    frame[y0:y1] = frame[y0:y1] * (1 - weight[y0:y1]) + laid[y0:y1] * weight[y0:y1]


def _plate_box(actor: Actor, matrix: npt.NDArray[np.float64], level: int) -> tuple[float, float, float, float]:
    scale = matrix[0, 0] / 2**level
    cx, cy, _ = actor.vehicle.plate
    wide, tall = actor.plate_share
    x, y = cx * scale + matrix[0, 2], cy * scale + matrix[1, 2]
    return x - wide * scale / 2, y - tall * scale / 2, x + wide * scale / 2, y + tall * scale / 2


class Clip:
    """Draws the clip's frames one after another and remembers when each plate could be seen."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        artist = PlateArtist([entry.country for entry in PASSES])
        plates: list[DrawnPlate] = []
        for entry in PASSES:
            plates.append(plates[entry.again] if entry.again is not None else fair_plate(self._rng, artist, entry.country, entry.lines))
        looks = [np.random.default_rng(seed + 100 + (entry.again if entry.again is not None else index)) for index, entry in enumerate(PASSES)]
        self._actors = [make_actor(look, entry, plate) for look, entry, plate in zip(looks, PASSES, plates, strict=True)]
        self._yard, self._night = yard.build(self._rng)
        self._van = draw_van(self._rng)
        self._seen: dict[int, list[float]] = {}

    def frame(self, t: float) -> Picture:
        """The picture at `t` seconds, (720, 1280, 3) BGR."""
        frame, shine = self._yard.copy(), np.zeros((yard.HIGH, yard.WIDE), np.uint8)
        lamps = np.zeros((yard.HIGH, yard.WIDE, 3), np.float32)
        _blend_van(frame, self._van, t)
        present = [(z, index) for index, entry in enumerate(PASSES) if (z := distance(entry, t - entry.start_s)) is not None]
        for z, index in sorted(present, reverse=True):
            entry, actor = PASSES[index], self._actors[index]
            level, matrix = _affine(actor, entry.lane_m, z)
            _shadow(frame, entry.lane_m, z, 0.55)
            _blend(frame, shine, actor, matrix, level)
            if daylight(t) < 0.75:
                switch_on(lamps, actor, entry, matrix, level, z)
            x0, y0, x1, y1 = _plate_box(actor, matrix, level)
            if x1 - x0 >= LEAST_WIDTH * (1 if actor.plate.lines == 1 else 0.7) and x0 >= 0 and y0 >= 0 and x1 <= yard.WIDE and y1 <= yard.HIGH:
                self._seen.setdefault(index, []).append(t)
        return expose(frame, shine, lamps, self._night, t)

    def truths(self) -> list[Truth]:
        """What could be read in the frames drawn so far, in the order of appearance."""
        found = [
            Truth(self._actors[i].plate.text, self._actors[i].plate.lines, round(min(times), 2), round(max(times), 2), PASSES[i].country)
            for i, times in self._seen.items()
        ]
        return sorted(found, key=lambda truth: truth.from_s)


def _write(frames: Iterator[Picture], path: Path, codec: str) -> None:
    """Frames to `path`: as H.264 where the program ffmpeg is at hand, a quarter of the size of what OpenCV's own MPEG-4 needs."""
    program = shutil.which("ffmpeg") if codec == "h264" else None
    if program:
        command = [program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{yard.WIDE}x{yard.HIGH}", "-r", str(RATE), "-i", "-"]
        command += ["-c:v", "libx264", "-preset", "slow", "-crf", "23", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-threads", "1", str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            for frame in frames:
                process.stdin.write(frame.tobytes())
            process.stdin.close()
            if process.wait():
                raise SystemExit(f"{path}: ffmpeg could not write it; try --codec mp4v")
        return
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*("mp4v" if codec == "h264" else codec)), RATE, (yard.WIDE, yard.HIGH))
    if not writer.isOpened():
        raise SystemExit(f"{path}: this OpenCV cannot write {codec}; try --codec mp4v")
    for frame in frames:
        writer.write(frame)
    writer.release()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Draw the demo clip and its truth.")
    parser.add_argument("--out", type=Path, default=Path("edge/clips"), help="folder for demo.mp4 and demo.json")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--codec", default="h264", help="h264 (needs ffmpeg, else mp4v is taken) or the four letters of an OpenCV codec")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "demo.mp4"
    clip = Clip(options.seed)
    _write((clip.frame(index / RATE) for index in range(round(SECONDS * RATE))), path, options.codec)
    (options.out / "demo.json").write_text(json.dumps([asdict(truth) for truth in clip.truths()], indent=2) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {len(clip.truths())} passes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
