"""Draws clean, flat number plates: the first stage of every synthetic picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.plates import rules
from edge.plates.rules import Country, Format
from train.data.synth import furniture, lookalikes, signs
from train.data.synth.typeset import set_lines
from train.data.synth.wording import read, write, write_anything

GENERIC_SHARE = 0.35
TWO_LINE_SHARE = 0.28
"""Share of plates with two lines over all countries; within a country its formats' weights decide which."""
_STRIP_TEXTS = ("D", "F", "GB", "UK", "CZ", "PL", "NL", "I", "E", "KZ", "LT", "LV", "EST", "L", "MD", "RUS", "MK", "SRB", "AL", "IND", "TR", "GE")


@dataclass(frozen=True, slots=True)
class DrawnPlate:
    """A clean plate seen straight on.

    luma     (h, w) uint8; h is 110..130 for one line and up to 165 for two
    text     exactly what is written, A-Z0-9, the upper line first; "" where nothing is
    lines    1 or 2
    country  the code of its country file
    upper    how many characters of `text` stand in the upper line
    """

    luma: npt.NDArray[np.uint8]
    text: str
    lines: int
    country: str
    upper: int = 0


class PlateArtist:
    """Draws plates of the given countries, by their codes (all of them by default). The same generator state gives the same plate."""

    def __init__(self, countries: list[str] | None = None) -> None:
        known = rules.countries()
        self._countries = [known[code] for code in (countries or known)]
        self._choices: dict[int, tuple[list[tuple[Country, Format | None]], npt.NDArray[np.float64]]] = {}
        for lines in (1, 2):
            entries = [(c, f) for c in self._countries for f in c.formats if f.lines == lines]
            weights = [c.weight * f.weight / sum(g.weight for g in c.formats) for c, f in entries]
            self._choices[lines] = self._with_generic(entries, weights)

    def _with_generic(self, entries: list[Any], weights: list[float]) -> tuple[list[tuple[Country, Format | None]], npt.NDArray[np.float64]]:
        """Add the generic country with its fixed share and turn the weights into a cumulative distribution."""
        generic = [c for c in self._countries if c.generic]
        if generic:
            total = sum(weights)
            weights = [*weights, total * GENERIC_SHARE / (1 - GENERIC_SHARE) if total else 1.0]
            entries = [*entries, (generic[0], None)]
        cumulative = np.cumsum(weights)
        return entries, cumulative / cumulative[-1] if len(cumulative) else cumulative

    def draw(self, rng: np.random.Generator, country: str | None = None) -> DrawnPlate:
        """One plate, of `country` where it is given."""
        chosen, form = self._choose(rng, country)
        if form is None:
            return self._draw_anything(rng, chosen)
        return _draw(rng, chosen.code, write(rng, form), {**chosen.drawing, **form.drawing})

    def draw_blank(self, rng: np.random.Generator) -> DrawnPlate:
        """Something that a detector may take for a plate and that must be read as nothing: the text is ""."""
        return DrawnPlate(lookalikes.draw(rng, numbers=False), "", 1, "")

    def _choose(self, rng: np.random.Generator, code: str | None) -> tuple[Country, Format | None]:
        if code is not None:
            country = rules.countries()[code]
            if country.generic:
                return country, None
            weights = np.cumsum([form.weight for form in country.formats])
            return country, country.formats[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]
        lines = 2 if rng.random() < TWO_LINE_SHARE else 1
        entries, cumulative = self._choices[lines] if self._choices[lines][0] else self._choices[3 - lines]
        return entries[int(np.searchsorted(cumulative, rng.random(), side="right"))]

    def _draw_anything(self, rng: np.random.Generator, country: Country) -> DrawnPlate:
        """A plate of no country: any characters, proportions, colours and face."""
        two = rng.random() < TWO_LINE_SHARE
        lines = write_anything(rng, 2 if two else 1)
        ratio = float(np.exp(rng.uniform(np.log(1.1), np.log(2.4)))) if len(lines) == 2 else float(np.exp(rng.uniform(np.log(1.7), np.log(6.0))))
        if len(lines) == 1 and len(lines[0]) > 6:
            ratio = max(ratio, 2.2)
        dark_first = rng.random() < 0.25
        top = float(rng.uniform(0.34, 0.62))
        look: dict[str, Any] = {
            "size": [100 * ratio, 100],
            "char_mm": rng.uniform(32, 44) if len(lines) == 2 else rng.uniform(48, 84),
            "split": top,
            "fonts": ["any"],
            "free": 0.3,
            "colours": [["any-dark", "any-light", 1.0]] if dark_first else [["any-light", "any-dark", 1.0]],
            "strip": ("none", "none", "none", "eu", "right", "both")[int(rng.integers(6))],
            "strip_text": _STRIP_TEXTS[int(rng.integers(len(_STRIP_TEXTS)))],
            "graphic": 0.35,
            "border": 0.5,
            "stickers": 0.15,
            "legends": {"top": "slogan", "bottom": "slogan", "share": 0.2},
        }
        return _draw(rng, country.code, lines, look)


def _colours(rng: np.random.Generator, look: Mapping[str, Any]) -> tuple[int, int]:
    """Paper and ink luma, at least 45 apart."""
    pairs = look.get("colours", [["white", "black", 1.0]])
    weights = np.cumsum([pair[2] for pair in pairs])
    pair = pairs[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]
    paper, ink = (int(rng.integers(*furniture.TONES[name])) for name in pair[:2])
    if abs(paper - ink) < 45:
        paper, ink = (min(255, ink + 60), ink) if paper >= ink else (paper, min(255, paper + 60))
    return paper, ink


def _draw(rng: np.random.Generator, code: str, lines: list[str], look: Mapping[str, Any]) -> DrawnPlate:
    """Set `lines` on a plate as the country file's keys (and `rng`) say."""
    width_mm, height_mm = look.get("size", [520, 110])
    high = int(rng.integers(110, 131)) if len(lines) == 1 else int(rng.integers(130, 161))
    wide = round(high * width_mm / height_mm * rng.uniform(0.97, 1.03))
    paper, ink = _colours(rng, look)
    luma = np.full((high, wide), paper, np.uint8)
    plain = rng.random() >= look.get("graphic", 0.0)
    if not plain:
        furniture.backdrop(rng, luma, float(rng.uniform(0.3, 0.9)))
    left, right = _strips(rng, luma, look, code)
    if rng.random() < look.get("stacked", 0.0):
        left, right = furniture.stacked(rng, luma, left, right, ink)
    top, bottom = _legends(rng, luma, look, ink, len(lines))
    set_lines(rng, luma, lines, look, (left, top, right, bottom), (paper, ink), plain)
    if rng.random() < look.get("border", 0.3):
        furniture.border(rng, luma, ink)
    if rng.random() < look.get("stickers", 0.0):
        for _ in range(int(rng.integers(1, 3))):
            size = round(high * rng.uniform(0.1, 0.16))
            x = int(rng.integers(3, max(4, size))) if rng.random() < 0.5 else wide - 2 * size - int(rng.integers(1, 4))
            furniture.sticker(rng, luma, max(0, x), 3 if rng.random() < 0.75 else high - size - 3, size)
    if rng.random() < look.get("holes", 0.3):
        furniture.holes(rng, luma, paper)
    return DrawnPlate(luma, read(lines), len(lines), code, len(read(lines[:1])))


def _strips(rng: np.random.Generator, luma: npt.NDArray[np.uint8], look: Mapping[str, Any], code: str) -> tuple[float, float]:
    """Draw the strips; returns the columns between which the characters may stand."""
    high, wide = luma.shape
    kind = look.get("strip", "none")
    band_px = round(high * (0.36 if wide > 2.6 * high else 0.22) * rng.uniform(0.9, 1.1))
    left, right = wide * 0.02 + 2, wide * 0.98 - 2
    if kind in ("eu", "both") and rng.random() < look.get("strip_share", 0.9):
        furniture.strip(rng, luma, 0, band_px, look.get("strip_text", code.upper()))
        left = band_px + wide * 0.01
    elif kind == "badge" and rng.random() < look.get("strip_share", 0.9):
        furniture.badge(rng, luma, round(left), band_px, look.get("strip_text", code.upper()))
        left = band_px + wide * 0.01
    if kind in ("right", "both"):
        text = str(rng.integers(10, 99)) if look.get("strip_right") == "number" or rng.random() < 0.5 else code.upper()
        furniture.strip(rng, luma, wide - band_px, wide, text)
        right = wide - band_px - wide * 0.01
    return left, right


def _legends(rng: np.random.Generator, luma: npt.NDArray[np.uint8], look: Mapping[str, Any], ink: int, lines: int) -> tuple[float, float]:
    """Draw the small lettering; returns the rows between which the characters may stand."""
    high, wide = luma.shape
    top, bottom = high * 0.05, high * 0.95
    if "band" in look:
        furniture.band(rng, luma, round(high * (0.22 if lines == 1 else 0.16)), look["band"])
        top = high * (0.24 if lines == 1 else 0.18)
    texts = look.get("legends", {})
    share = texts.get("share", 1.0)
    size = round(high * rng.uniform(0.1, 0.16))
    if "top" in texts and rng.random() < share:
        words = _words(texts["top"])
        furniture.put_legend(rng, luma, words[int(rng.integers(len(words)))], (wide / 2, high * 0.12), size, ink, wide * 0.62)
        top = high * 0.21
    if "bottom" in texts and rng.random() < share:
        words = _words(texts["bottom"])
        furniture.put_legend(rng, luma, words[int(rng.integers(len(words)))], (wide / 2, high * 0.89), round(size * 0.85), ink, wide * 0.62)
        bottom = high * 0.81
    if "script" in look and rng.random() < look["script"]:
        signs.script_line(rng, luma, look.get("signs", "hanzi"), (wide * rng.uniform(0.2, 0.34), high * 0.8, wide * rng.uniform(0.66, 0.8), high * 0.93), ink)
        bottom = high * 0.78
    return top, bottom


def _words(entry: str | list[str]) -> Sequence[str]:
    """The wordings of a legend: a name in `furniture.WORDINGS`, or the words themselves."""
    return furniture.WORDINGS[entry] if isinstance(entry, str) else entry
