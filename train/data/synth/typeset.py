"""Puts the lines of a plate on its paper: face, size, spacing, weight, and the groups that some countries set apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.plates.rules import MARKS
from train.data.synth import furniture
from train.data.synth.faces import Field, families, ink_table
from train.data.synth.layout import Setting, draw_marks, natural_width, set_line
from train.data.synth.strokes import SLOPE

Luma = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Hand:
    """The hand that letters one plate. A free one keeps to no norm: private sign writers, number plates cut from foil."""

    height: float
    stretch: float
    gap: float
    bold: float
    loose: float
    full: bool


def _hand(rng: np.random.Generator, look: Mapping[str, Any], height: float) -> _Hand:
    """`height` is the norm's, pixels; `loose` is the disorder of the single characters, `full` lets the line run from edge to edge."""
    full = bool(rng.random() < 0.07)
    if rng.random() >= look.get("free", 0.05):
        return _Hand(height * rng.uniform(0.94, 1.05), rng.uniform(0.88, 1.12), rng.uniform(0.09, 0.2), rng.uniform(-1.2, 1.2), 0.0, full)
    return _Hand(
        height=height * rng.uniform(0.72, 1.25),
        stretch=rng.uniform(0.7, 1.3),
        gap=rng.uniform(0.05, 0.36),
        bold=rng.uniform(-2.2, 2.6),
        loose=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.35 else 0.0,
        full=full or bool(rng.random() < 0.25),
    )


def set_lines(rng: np.random.Generator, luma: Luma, lines: list[str], look: Mapping[str, Any], box: Box, tones: tuple[int, int], plain: bool) -> None:
    """Ink the lines with their marks in place. `box` is (x0, y0, x1, y1), `tones` paper and ink; `plain` paper has one tone."""
    high, wide = luma.shape
    left, top, right, bottom = box
    paper, ink = tones
    fonts = look.get("fonts", ["any"])
    pool = families()[fonts[int(rng.integers(len(fonts)))]]
    hand = _hand(rng, look, look.get("char_mm", 75) / look.get("size", [520, 110])[1] * high)
    if hand.full:
        left, right = (left if left > wide * 0.06 else 2.0), (right if right < wide * 0.94 else wide - 2.0)
    pad = 0.0 if hand.full else (right - left) * rng.uniform(0.01, 0.04)
    split = look.get("split", 0.5)
    field, scale, marks, rules, gaps = np.zeros(luma.shape, np.uint8), 1.0, [], [], []
    bolted = rng.random() < look.get("bolts", 0.08)
    setting = Setting(pool[int(rng.integers(len(pool)))], hand.height, hand.stretch, hand.gap, hand.loose)
    for index, line in enumerate(lines):
        y0, y1 = (top, bottom) if len(lines) == 1 else (top, top + (bottom - top) * split) if index == 0 else (top + (bottom - top) * split, bottom)
        size = min(hand.height * (look.get("upper", 1.0) if index == 0 and len(lines) == 2 else 1.0), (y1 - y0) * 0.97)
        own = replace(setting, height=size, stretch=hand.stretch * (look.get("lower_stretch", 1.0) if index else 1.0))
        x0, x1 = left + pad, right - pad
        if "stack" in look and index == 0:
            x0, line = _stack(rng, field, line, own, (x0, y0, x1, y1), look["stack"])
        if "tail" in look and index == 0:
            x1, line = _tail(rng, field, line, own, (x0, y0, x1, y1), look["tail"])
            rules.append((x1, y0, right, y1))
        if hand.full:
            own = _spread(line, own, x1 - x0)
        scale, found = set_line(field, line, own, (x0, y0, x1, y1), float(np.clip(rng.normal(0.5, 0.08), 0, 1)), rng if hand.loose else None)
        marks.append((found, (y0 + y1) / 2, size))
        if bolted and not found:
            gaps += _gaps(field, box, (y0 + y1) / 2, size)
    # The peak of the field is half the pen: thinned by more than 0.4 of that, the hairlines of a light face would break.
    hand = replace(hand, bold=max(hand.bold, -0.4 * (float(field.max()) - 128) / SLOPE))
    _ink(rng, luma, field, scale, hand, tones, plain)
    for found, middle, size in marks:
        draw_marks(rng, luma, found, middle, size, ink, paper, look.get("signs", "hanzi"), look.get("motif", ""))
    if gaps:
        furniture.side_screws(rng, luma, gaps)
    for corner in rules:
        _corner(rng, luma, corner, ink, look)


def _groups(line: str, count: int) -> tuple[list[str], str]:
    """The first `count` runs of characters between marks, and the rest."""
    groups, at = [], 0
    for _ in range(count):
        while at < len(line) and line[at] in MARKS:
            at += 1
        end = at
        while end < len(line) and line[end] not in MARKS:
            end += 1
        groups.append(line[at:end])
        at = end
    return groups, line[at:].lstrip(MARKS)


def _stack(rng: np.random.Generator, field: Field, line: str, setting: Setting, box: Box, stack: list[float]) -> tuple[float, str]:
    """Set the first groups small, one over another, at the left; returns where the rest may begin, and the rest."""
    groups, rest = _groups(line, int(stack[0]))
    if len(groups) == 1 and len(groups[0]) > 1:
        groups = list(groups[0])
    x0, y0, x1, y1 = box
    size = setting.height * stack[1] * rng.uniform(0.92, 1.08)
    small = replace(setting, height=size, stretch=setting.stretch * rng.uniform(1.0, 1.2), gap=max(setting.gap, 0.12))
    wide = min(max(natural_width(group, small) for group in groups), (x1 - x0) * 0.3)
    middle, reach = (y0 + y1) / 2, setting.height / 2
    for index, group in enumerate(groups):
        row = middle - reach + size / 2 + index * (2 * reach - size) / max(1, len(groups) - 1) if len(groups) > 1 else middle - reach + size / 2
        set_line(field, group, small, (x0, row - size / 2, x0 + wide, row + size / 2), 0.5)
    return x0 + wide + setting.height * rng.uniform(0.05, 0.35), rest


def _tail(rng: np.random.Generator, field: Field, line: str, setting: Setting, box: Box, share: float) -> tuple[float, str]:
    """Set the last group (a region's number) into the right corner, `share` as high as the others; returns the corner's left edge and the rest."""
    cut = max(i for i, char in enumerate(line) if char in MARKS) + 1
    x0, y0, x1, y1 = box
    small = replace(setting, height=setting.height * share, gap=min(setting.gap, 0.14))
    wide = min(natural_width(line[cut:], small), (x1 - x0) * 0.3)
    y0 = (y0 + y1 - setting.height) / 2
    lower = rng.uniform(0.0, 0.1) * setting.height * (share < 0.9)
    set_line(field, line[cut:], small, (x1 - wide, y0 - lower, x1, y0 + small.height - lower), 0.5)
    return x1 - wide - setting.height * 0.08, line[:cut].rstrip(MARKS)


def _corner(rng: np.random.Generator, luma: Luma, corner: Box, ink: int, look: Mapping[str, Any]) -> None:
    """The rule before a region's number, and where the number leaves room, the country's letters and flag beneath."""
    x0, y0, x1, y1 = corner
    cv2.line(luma, (round(x0), round(y0 - 3)), (round(x0), round(y1 + 3)), ink, int(rng.integers(1, 4)))
    if look["tail"] < 0.9:
        high, wide = y1 - y0, x1 - x0
        furniture.put_legend(rng, luma, look.get("strip_text", "RUS"), (x0 + wide * 0.4, y1 - high * 0.09), round(high * 0.15), ink, wide * 0.5)


def _spread(line: str, setting: Setting, room: float) -> Setting:
    """The gap with which the line fills `room`; a line that is too long stays as it is."""
    count = sum(char not in MARKS for char in line)
    spare = (room - natural_width(line, setting)) / max(1, count) / setting.height
    return replace(setting, gap=setting.gap + min(max(0.0, spare), 0.5))


def _gaps(field: Field, box: Box, middle: float, size: float) -> list[tuple[float, float, float]]:
    """Where a screw may sit beside or between the characters of a line: (x, y, half the free width), pixels."""
    x0, _, x1, _ = box
    rows = field[max(0, round(middle - size / 2)) : round(middle + size / 2), round(x0) : round(x1)]
    inked = np.flatnonzero(rows.max(0) > 100)
    edges = np.concatenate([[0], inked, [rows.shape[1] - 1]])
    free = np.flatnonzero(np.diff(edges) > 9)
    return [(x0 + (edges[i] + edges[i + 1]) / 2, middle, float(edges[i + 1] - edges[i]) / 2) for i in free]


def _ink(rng: np.random.Generator, luma: Luma, field: Field, scale: float, hand: _Hand, tones: tuple[int, int], plain: bool) -> None:
    """Turn the distance field into ink, in place; now and then with a shadow or an outline."""
    paper, ink = tones
    table = ink_table(hand.bold, scale)
    raised = rng.random()
    if raised > 0.06 and plain and luma.min() == luma.max():
        luma[:] = cv2.LUT(field, (paper + (ink - paper) * (table / 255.0)).astype(np.uint8))
        return
    if raised < 0.03:
        # A second tone around the ink, as on letters cut from foil or moulded in plastic.
        _lay(luma, cv2.LUT(field, ink_table(hand.bold + float(rng.uniform(1.5, 5)), scale)), int(paper + (ink - paper) * rng.uniform(-0.2, 0.6)) % 256)
    elif raised < 0.06:
        shift = (int(rng.integers(-3, 4)), int(rng.integers(1, 4)))
        moved = cv2.warpAffine(field, np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32), field.shape[::-1])
        _lay(luma, cv2.LUT(moved, table), int(paper + (ink - paper) * rng.uniform(0.15, 0.5)))
    _lay(luma, cv2.LUT(field, table), ink)


def _lay(luma: Luma, alpha: Luma, tone: int) -> None:
    luma[:] = cv2.multiply(luma, 255 - alpha, scale=1 / 255) + cv2.multiply(alpha, np.full_like(alpha, tone), scale=1 / 255)
