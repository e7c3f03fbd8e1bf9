"""Everything but plates: vehicles without one, lettering, trees, rain, lamps that flicker; or pictures without plates, moved. There must be no event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.records import Luma
from tests.soak.scenes import Moment
from train.data.synth import banks, streets, yard
from train.data.synth.cast import draw_van
from train.data.synth.lookalikes import draw as draw_lookalike
from train.data.synth.vehicles import PAINTS, draw_vehicle

FPS = 5.0
SCENE_S = 30.0
"""So long one scene lasts; then the camera looks at another."""
FROM_S = 6 * 3600.0
SUFFIXES = (".jpg", ".jpeg", ".png")


class _Hour:
    """`allow`, `deny` and `ignore` as `Scenes` has them."""

    allow, deny, ignore = ["AB12CDE"], ["XY34ZZZ"], ["ZZ99ZZZ"]

    def __init__(self, hours: float, seed: int) -> None:
        self._hours, self._seed = hours, seed
        rng = np.random.default_rng((seed, 5))
        self._noise = [np.abs(rng.normal(0, 2.5, (yard.HIGH, yard.WIDE))).astype(np.uint8) for _ in range(8)]

    def moments(self) -> Iterator[Moment]:
        per_scene = round(SCENE_S * FPS)
        for index in range(round(3600 * self._hours * FPS)):
            number, step = divmod(index, per_scene)
            if step == 0:
                now = self._scene(np.random.default_rng((self._seed, 6, number)), number)
            luma = now.at(step / FPS)
            luma = cv2.subtract(cv2.add(luma, self._noise[index * 3 % 8]), self._noise[(index * 5 + 1) % 8])
            yield Moment(FROM_S + index / FPS, np.asarray(luma, np.uint8))

    def _scene(self, rng: np.random.Generator, number: int) -> _Drawn | _Moved:
        raise NotImplementedError

    def truth(self, events: list[dict[str, Any]], midnight_s: float, until_s: float) -> dict[str, Any]:
        return {"final_events": len(events), "told": [_about(event, midnight_s) for event in events]}


def _about(event: dict[str, Any], midnight_s: float) -> dict[str, Any]:
    """What is needed to see why."""
    xs = [x for x, _ in event["quad"]]
    when_s = datetime.fromisoformat(event["first_seen"]).timestamp() - midnight_s - FROM_S
    return {key: event[key] for key in ("text", "detection_score", "confidence", "looks", "agreeing", "duration_s")} | {
        "width_px": max(xs) - min(xs), "scene": int(when_s // SCENE_S), "second": round(when_s, 1),
    }  # fmt: skip


class DrawnHour(_Hour):
    """Drawn streets, a different one every half minute."""

    def _scene(self, rng: np.random.Generator, number: int) -> _Drawn:
        return _Drawn(rng)


class PicturedHour(_Hour):
    """The pictures of some folders, in an order drawn by the seed, each panned, brought nearer and turned a little."""

    def __init__(self, folders: list[Path], hours: float, seed: int) -> None:
        from edge.errors import ImageError

        super().__init__(hours, seed)
        self._paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not self._paths:
            raise ImageError(f"{', '.join(map(str, folders))}: holds no picture; name a folder of .jpg or .png with --pictures")
        np.random.default_rng((seed, 7)).shuffle(self._paths)  # type: ignore[arg-type]

    def _scene(self, rng: np.random.Generator, number: int) -> _Moved:
        from edge.vision.image import load_image

        return _Moved(rng, load_image(self._paths[number % len(self._paths)])[0])


class _Moved:
    """A picture as a camera that pans over it sees it."""

    def __init__(self, rng: np.random.Generator, luma: Luma) -> None:
        cover = max(yard.WIDE / luma.shape[1], yard.HIGH / luma.shape[0])
        self._luma, self._scale, self._growth = luma, cover * rng.uniform(1.0, 1.2), rng.uniform(1.0, 1.5)
        self._turn, self._phase = rng.normal(0, 0.02), rng.uniform(0, 6.28, 2)

    def at(self, now: float) -> Luma:
        scale = self._scale * self._growth ** (0.5 + 0.5 * np.sin(now / 5 + self._phase[0]))
        high, wide = self._luma.shape
        turn = scale * np.array([[np.cos(self._turn), -np.sin(self._turn)], [np.sin(self._turn), np.cos(self._turn)]])
        room = np.maximum(0.0, (wide * scale - yard.WIDE, high * scale - yard.HIGH)) / 2
        here = np.array([yard.WIDE, yard.HIGH]) / 2 + room * np.sin(now / np.array([4.0, 7.0]) + self._phase)
        matrix = np.concatenate([turn, (here - turn @ np.array([wide / 2, high / 2]))[:, None]], axis=1)
        return np.asarray(cv2.warpAffine(self._luma, matrix, (yard.WIDE, yard.HIGH), borderMode=cv2.BORDER_REFLECT), np.uint8)


class _Drawn:
    """A street with signs, things that cross it, and the weather."""

    def __init__(self, rng: np.random.Generator) -> None:
        street = streets.street(rng, (480, 640))
        streets.write_signs(rng, street)
        self._street = np.asarray(cv2.resize(street, (yard.WIDE, yard.HIGH), interpolation=cv2.INTER_CUBIC), np.uint8)
        self._things = [_thing(rng) for _ in range(int(rng.integers(2, 5)))]
        self._light = float(rng.choice([1.0, 1.0, 0.7, 0.35, 0.15]))
        self._rain = rng.random() < 0.3
        self._lamps = rng.uniform((0, 0), (yard.WIDE, 0.6 * yard.HIGH), (int(rng.integers(0, 4)), 2)).astype(int)
        self._rng = rng

    def at(self, now: float) -> Luma:
        frame = self._street.copy()
        for luma, mask, start, velocity, growth in self._things:
            scale = float(np.clip(growth ** (now / SCENE_S), 0.2, 3.0))
            x, y = (np.array(start) + np.array(velocity) * now) % (yard.WIDE + 500, yard.HIGH) - (250, 0)
            _put(frame, luma, mask, float(x), float(y), scale)
        if self._light < 1:
            frame = np.asarray(cv2.convertScaleAbs(frame, alpha=self._light), np.uint8)
        for number, (x, y) in enumerate(self._lamps):
            if np.sin(now * (3 + number)) > -0.3:  # they flicker
                cv2.circle(frame, (int(x), int(y)), 6 + 5 * number, 255, -1, cv2.LINE_AA)
        if self._rain:
            shift = int(now * 97) % 400
            rain = np.roll(banks.rain(self._rng, frame.shape[:2]), shift, axis=0)
            frame = np.clip(frame + np.asarray(rain, np.float32) * 60, 0, 255).astype(np.uint8)
        return frame


def _thing(rng: np.random.Generator) -> tuple[Luma, Luma, npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """What crosses the picture: luma and mask, where it begins, its pixels a second, and how much it grows in a scene."""
    kind = rng.random()
    if kind < 0.45:  # a vehicle whose plate is missing
        body, front, paint = ("saloon", "hatch", "suv")[int(rng.integers(3))], bool(rng.random() < 0.5), PAINTS[int(rng.integers(len(PAINTS)))]
        vehicle = draw_vehicle(rng, int(rng.integers(250, 700)), body, front, paint)
        luma, mask = np.asarray(cv2.cvtColor(vehicle.picture, cv2.COLOR_BGR2GRAY), np.uint8), vehicle.mask
    elif kind < 0.6:
        picture, mask = draw_van(rng)
        luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    else:  # a board, a poster, somebody's shirt
        luma = draw_lookalike(rng, numbers=False)
        wide = int(rng.integers(60, 400))
        luma = np.asarray(cv2.resize(luma, (wide, max(12, round(wide * luma.shape[0] / luma.shape[1])))), np.uint8)
        mask = np.full_like(luma, 255)
    velocity = rng.normal(0, 1, 2) * (120.0, 15.0)
    return luma, mask, rng.uniform((0, 0.2 * yard.HIGH), (yard.WIDE, 0.8 * yard.HIGH)), velocity, float(rng.uniform(0.6, 1.8))


def _put(frame: Luma, luma: Luma, mask: Luma, x: float, y: float, scale: float) -> None:
    """A thing with its centre at (x, y), in place."""
    high, wide = mask.shape
    matrix = np.array([[scale, 0, x - scale * wide / 2], [0, scale, y - scale * high / 2]])
    shown, alpha = (cv2.warpAffine(layer, matrix, (frame.shape[1], frame.shape[0])) for layer in (luma, mask))
    cv2.copyTo(shown, np.asarray(alpha > 127, np.uint8), frame)
