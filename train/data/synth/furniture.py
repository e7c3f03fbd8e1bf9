"""What stands on a plate beside its characters: paper, strips, legends, stickers, borders, holes."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import signs
from train.data.synth.faces import families, ink_table
from train.data.synth.strokes import MASTER, PAD

Luma = npt.NDArray[np.uint8]

TONES: dict[str, tuple[int, int]] = {
    "white": (205, 250), "cream": (190, 225), "yellow": (165, 215), "grey": (140, 190), "silver": (170, 210), "orange": (140, 180), "lightblue": (170, 205),
    "lightgreen": (165, 210), "black": (8, 48), "darkgrey": (45, 80), "blue": (35, 85), "darkblue": (20, 55), "green": (50, 100), "darkgreen": (30, 70),
    "red": (60, 105), "any-light": (130, 250), "any-dark": (5, 95),
}  # fmt: skip
"""Luma ranges of the colours that the country files name."""

_WORDS = (
    "SUNSHINE STATE|GARDEN STATE|LAND OF LINCOLN|GOLDEN STATE|FIRST IN FLIGHT|EMPIRE STATE|GREAT LAKES|LIVE FREE OR DIE|THE LONE STAR STATE|ALOHA STATE|"
    "EVERGREEN STATE|VACATIONLAND|LAND OF ENCHANTMENT|BIRTHPLACE OF AVIATION|10,000 LAKES|WILD WONDERFUL|OCEAN STATE|SHOW-ME STATE|PEACH STATE|SCENIC|"
    "FAMOUS POTATOES|GRAND CANYON STATE|CENTENNIAL STATE|TREASURE STATE|SILVER STATE|BEEF STATE|NATURAL STATE|CONSTITUTION STATE|YOURS TO DISCOVER|"
    "JE ME SOUVIENS|BEAUTIFUL|FRIENDLY|MUNICIPAL AUTO PARK|MOTOR CITY|ABC MOTORS|SMITH & SONS|AUTOHAUS|CITY GARAGE|www.autopark.example|CAR CENTRE|BEST DRIVE|"
    "EXEMPT|COMMERCIAL|TRUCK|PASSENGER|VETERAN|COLLECTOR|CONSERVATION|WILDLIFE|UNIVERSITY|FIREFIGHTER|FARM|DEALER|TRAILER|APPORTIONED"
)
STATES = (
    "ALABAMA|ALASKA|ARIZONA|ARKANSAS|CALIFORNIA|COLORADO|CONNECTICUT|DELAWARE|FLORIDA|GEORGIA|HAWAII|IDAHO|ILLINOIS|INDIANA|IOWA|KANSAS|KENTUCKY|LOUISIANA|"
    "MAINE|MARYLAND|MASSACHUSETTS|MICHIGAN|MINNESOTA|MISSISSIPPI|MISSOURI|MONTANA|NEBRASKA|NEVADA|NEW HAMPSHIRE|NEW JERSEY|NEW MEXICO|NEW YORK|NORTH CAROLINA|"
    "NORTH DAKOTA|OHIO|OKLAHOMA|OREGON|PENNSYLVANIA|RHODE ISLAND|SOUTH CAROLINA|SOUTH DAKOTA|TENNESSEE|TEXAS|UTAH|VERMONT|VIRGINIA|WASHINGTON|WEST VIRGINIA|"
    "WISCONSIN|WYOMING|ONTARIO|QUEBEC|ALBERTA|MANITOBA|BRITISH COLUMBIA|NOVA SCOTIA|NEW SOUTH WALES|VICTORIA|QUEENSLAND|JALISCO|NUEVO LEON|DF MEXICO"
)
STACKS = ("DV", "EX", "FD", "PT", "TRK", "MC", "CV", "VET", "DL", "NG", "RV", "APP", "LTD", "HC", "CO", "PS")
"""Small letters that stand one over another beside the text."""
WORDINGS: dict[str, tuple[str, ...]] = {
    "slogan": tuple(_WORDS.split("|")),
    "state": tuple(STATES.split("|")),
    "brasil": ("BRASIL", "REPUBLICA ARGENTINA", "URUGUAY", "PARAGUAY"),
    "city": ("SP-SAO PAULO", "RJ-RIO DE JANEIRO", "MG-BELO HORIZONTE", "PR-CURITIBA", "SC-JOINVILLE", "RS-PELOTAS", "BA-SALVADOR", "CE-FORTALEZA"),
    "chile": ("CHILE",),
    "month": ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC", "05", "12", "18", "24"),
    "dealer": tuple(word for word in _WORDS.split("|") if "." in word or word.istitle() or "MOTOR" in word or "AUTO" in word or "&" in word),
    "country": ("ARGENTINA", "ISLAND", "REPUBLICA"),
    "expiry": tuple(f"{month:02}.{year}" for month in (2, 5, 8, 11) for year in (23, 25, 27, 29)),
    "punjab": ("PUNJAB", "SINDH", "ICT-ISLAMABAD", "KPK"),
}  # fmt: skip


@lru_cache(maxsize=600)
def legend(text: str, face_index: int, height: int) -> Luma:
    """A line of small lettering as ink 0..255, (height + padding, width) uint8."""
    faces = families()["small"]
    face = faces[face_index % len(faces)]
    pieces = []
    for char in text:
        if char == " ":
            pieces.append(np.zeros((MASTER + 2 * PAD, MASTER // 3), np.uint8))
        else:
            pieces.append(face.field(char)[:, 4:-4])
    field = np.hstack(pieces)
    scale = height / MASTER
    size = (max(2, round(field.shape[1] * scale)), max(2, round(field.shape[0] * scale)))
    return cv2.LUT(cv2.resize(field, size, interpolation=cv2.INTER_AREA), ink_table(0.8, scale))


def put_legend(rng: np.random.Generator, luma: Luma, text: str, centre: tuple[float, float], height: int, tone: int, room: float) -> None:
    """Small lettering around `centre`, in place, squeezed into `room` pixels."""
    # Heights in steps of two keep the cache of words small.
    word = legend(text, int(rng.integers(0, 12)), max(6, height // 2 * 2))
    if word.shape[1] > room:
        word = cv2.resize(word, (max(2, int(room)), word.shape[0]), interpolation=cv2.INTER_AREA)
    high, wide = word.shape
    x, y = round(centre[0] - wide / 2), round(centre[1] - high / 2)
    a, b, c, d = max(0, x), max(0, y), min(luma.shape[1], x + wide), min(luma.shape[0], y + high)
    if c > a and d > b:
        ink = word[b - y : d - y, a - x : c - x].astype(np.float32) / 255
        region = luma[b:d, a:c]
        region[:] = region + (tone - region.astype(np.float32)) * ink


@cache
def _backdrops() -> list[npt.NDArray[np.int8]]:
    """Faint pictures as they lie behind the characters of American plates: (64, 128) int8 offsets."""
    rng = np.random.default_rng(31)
    bank = []
    for _ in range(48):
        picture = np.zeros((64, 128), np.float32)
        if rng.random() < 0.6:
            picture += np.linspace(rng.uniform(-50, 20), rng.uniform(-20, 50), 64, dtype=np.float32)[:, None]
        for _ in range(int(rng.integers(0, 5))):
            shape = np.zeros((64, 128), np.uint8)
            if rng.random() < 0.5:
                outline = np.cumsum(rng.normal(0, 5, 9))
                points = [[128 * i // 8, int(32 + outline[i])] for i in range(9)] + [[128, 64], [0, 64]]
                cv2.fillPoly(shape, [np.array(points)], 255)
            else:
                cv2.ellipse(
                    shape,
                    (int(rng.integers(128)), int(rng.integers(64))),
                    (int(rng.integers(5, 40)), int(rng.integers(4, 25))),
                    int(rng.integers(180)),
                    0,
                    360,
                    255,
                    -1,
                )
            picture += shape / 255.0 * rng.uniform(-35, 25)
        bank.append(np.clip(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 5)), -90, 60).astype(np.int8))
    return bank


def backdrop(rng: np.random.Generator, luma: Luma, strength: float) -> None:
    """Lay a faint picture over the plain paper, in place."""
    bank = _backdrops()
    picture = bank[int(rng.integers(len(bank)))]
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    offset = cv2.resize(picture.astype(np.int16), (luma.shape[1], luma.shape[0]), interpolation=cv2.INTER_LINEAR)
    luma[:] = np.clip(luma + offset * strength, 0, 255)


def strip(rng: np.random.Generator, luma: Luma, left: int, right: int, text: str) -> None:
    """A dark band from column `left` to `right` with stars or a badge above and a country's letters below, in place."""
    high = luma.shape[0]
    tone = int(rng.integers(25, 110))
    luma[:, left:right] = tone
    middle, light = (left + right) // 2, int(rng.integers(170, 250))
    radius = max(3, round((right - left) * 0.3))
    if rng.random() < 0.8:
        for angle in np.linspace(0, 2 * np.pi, 10, endpoint=False):
            cv2.circle(luma, (round(middle + radius * np.sin(angle)), round(high * 0.28 + radius * np.cos(angle))), max(1, radius // 6), light, -1)
    else:
        cv2.circle(luma, (middle, round(high * 0.3)), radius, (light + tone) // 2, -1, cv2.LINE_AA)
    put_legend(rng, luma, text, (middle, high * 0.78), max(8, round((right - left) * 0.42)), light, (right - left) * 0.86)


def badge(rng: np.random.Generator, luma: Luma, left: int, right: int, text: str) -> None:
    """A hologram with a wheel above and a country's letters below, straight on the paper, in place."""
    high, paper = luma.shape[0], int(luma[luma.shape[0] // 2, (left + right) // 2])
    away, room = (-1 if paper > 110 else 1), right - left
    wheel, letters = (int(np.clip(paper + away * rng.uniform(low, low + 110), 0, 255)) for low in (30, 60))
    middle = (left + right) // 2
    signs.wheel(luma, (middle, round(high * rng.uniform(0.2, 0.42))), max(3, round(room * rng.uniform(0.22, 0.42))), wheel)
    put_legend(rng, luma, text, (middle, high * rng.uniform(0.66, 0.84)), max(8, round(room * 0.44)), letters, room * 0.9)


def band(rng: np.random.Generator, luma: Luma, height: int, text: str) -> None:
    """The Mercosur plate's dark band along the top, in place."""
    luma[:height] = int(rng.integers(35, 95))
    light = int(rng.integers(180, 245))
    put_legend(rng, luma, text, (luma.shape[1] / 2, height * 0.5), round(height * 0.6), light, luma.shape[1] * 0.6)
    cv2.rectangle(
        luma,
        (luma.shape[1] - round(height * 1.5), round(height * 0.2)),
        (luma.shape[1] - round(height * 0.4), round(height * 0.8)),
        int(rng.integers(90, 200)),
        -1,
    )


def sticker(rng: np.random.Generator, luma: Luma, x: int, y: int, size: int) -> None:
    """A month or year sticker with its corner at (x, y), in place."""
    tone = int(rng.integers(30, 245))
    cv2.rectangle(luma, (x, y), (x + round(size * rng.uniform(1, 1.6)), y + size), tone, -1)
    if rng.random() < 0.7:
        put_legend(
            rng,
            luma,
            WORDINGS["month"][int(rng.integers(len(WORDINGS["month"])))],
            (x + size * 0.6, y + size * 0.5),
            round(size * 0.6),
            (tone + 128) % 256,
            size,
        )


def border(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """The line around the plate, in place."""
    high, wide = luma.shape
    inset, thick = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    cv2.rectangle(luma, (inset, inset), (wide - 1 - inset, high - 1 - inset), ink, thick)


def stacked(rng: np.random.Generator, luma: Luma, left: float, right: float, ink: int) -> tuple[float, float]:
    """Two or three small letters one over another beside the text, as on American plates; they are no part of it. Returns the columns left for the text."""
    high = luma.shape[0]
    word = STACKS[int(rng.integers(len(STACKS)))]
    size = high * rng.uniform(0.13, 0.18)
    room = size * 1.3
    at_left = bool(rng.random() < 0.6)
    x = left + room * 0.6 if at_left else right - room * 0.6
    for index, char in enumerate(word):
        put_legend(rng, luma, char, (x, high * 0.52 + (index - (len(word) - 1) / 2) * size * 1.2), round(size), ink, room)
    return (left + room, right) if at_left else (left, right - room)


def screw(rng: np.random.Generator, luma: Luma, centre: tuple[int, int], radius: int) -> None:
    """A screw's head, a cap or a bare hole, round like an O and no letter, in place."""
    tone, other = int(rng.integers(10, 235)), int(rng.integers(10, 235))
    cv2.circle(luma, centre, radius, tone, -1, cv2.LINE_AA)
    kind = rng.random()
    if kind < 0.35 and radius > 2:
        cv2.circle(luma, centre, radius, other, max(1, radius // 4), cv2.LINE_AA)
    elif kind < 0.55 and radius > 2:
        cv2.circle(luma, (centre[0] - radius // 4, centre[1] - radius // 4), radius // 2, min(255, tone + 60), -1, cv2.LINE_AA)
    elif kind < 0.75 and radius > 2:
        angle, reach = rng.uniform(0, np.pi), radius * 0.7
        dx, dy = round(reach * np.cos(angle)), round(reach * np.sin(angle))
        cv2.line(luma, (centre[0] - dx, centre[1] - dy), (centre[0] + dx, centre[1] + dy), other, 1, cv2.LINE_AA)
        if kind < 0.65:
            cv2.line(luma, (centre[0] - dy, centre[1] + dx), (centre[0] + dy, centre[1] - dx), other, 1, cv2.LINE_AA)


def side_screws(rng: np.random.Generator, luma: Luma, gaps: list[tuple[float, float, float]]) -> None:
    """One to three screws in `gaps` (x, y, room) of a line of text, in place: too small for a letter, and never on one."""
    high = luma.shape[0]
    for at in rng.permutation(len(gaps))[: int(rng.integers(1, 4))]:
        x, y, room = gaps[at]
        radius = round(min(room * 0.6, high * rng.uniform(0.05, 0.11)))
        if radius >= 3:
            screw(rng, luma, (round(x), round(y + high * rng.normal(0, 0.04))), radius)


def holes(rng: np.random.Generator, luma: Luma, paper: int) -> None:
    """Screws and bolt holes near the top and bottom, in place."""
    high, wide = luma.shape
    radius = max(2, round(high * rng.uniform(0.025, 0.05)))
    spread, rows = rng.uniform(0.2, 0.42), (0.07, 0.93) if rng.random() < 0.5 else (0.5,) if rng.random() < 0.3 else (0.08,)
    tone = int(rng.integers(20, 90)) if paper > 110 or rng.random() < 0.4 else int(rng.integers(120, 210))
    for row in rows:
        for side in (-1, 1):
            cv2.circle(luma, (round(wide / 2 + side * spread * wide), round(high * row)), radius, tone, -1, cv2.LINE_AA)
