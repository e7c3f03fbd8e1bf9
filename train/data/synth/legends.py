"""What stands on vans, shops and walls, and is no plate: names, telephone numbers, addresses of the web, prices, hours, fleet numbers."""

from __future__ import annotations

import numpy as np

from train.data.synth import furniture

_SMALL = "aaabcdeeefghiiijklmnnnoooprrrsssttuuvwyz"
_TELEPHONES = (
    "Tel. 555 ####", "Tel. ### ####", "0### ### ###", "0##/######", "+## ## ### ## ##", "+### # ### ####", "(0##) #### ####", "0## #### ####", "08-### ## ##",
    "1-800-###-####", "T. 0## ## ## ##", "0# ## ## ## ##", "### ### ###", "0800 ######", "#### ####", "Call ### ### ####", "Fax ######", "24h 0### ######",
    "0## ### ## ##",
)  # fmt: skip
_NUMBERS = (
    "Nr. ##",
    "No. ###",
    "##",
    "###",
    "####",
    "Bus ##",
    "Line #",
    "#.##",
    "#.## / l",
    "##%",
    "Max. # t",
    "# - ##",
    "##.##.20##",
    "##:##",
    "## km/h",
    "A##",
    "M#",
    "Route ##",
)
_TRADES = (
    "Bread & Cakes",
    "Plumbing",
    "Electric Ltd",
    "Transport",
    "Garden Care",
    "Painters",
    "Removals",
    "Cleaning",
    "Roofing",
    "Bakery",
    "Flowers",
    "Pizza Service",
    "& Sons",
    "Logistics",
)


def legend(rng: np.random.Generator) -> str:
    """One line."""
    kind = rng.random()
    if kind < 0.4:
        return _filled(rng, _TELEPHONES)
    if kind < 0.55:
        return _filled(rng, _NUMBERS)
    if kind < 0.65:
        return f"www.{_word(rng)}.{('com', 'net', 'org', 'example')[int(rng.integers(4))]}"
    if kind < 0.85:
        return f"{_word(rng).title()} {_TRADES[int(rng.integers(len(_TRADES)))]}"
    words = [text for name in ("slogan", "dealer", "state") for text in furniture.WORDINGS[name] if " " in text]
    text = words[int(rng.integers(len(words)))] if rng.random() < 0.5 else f"{_word(rng)} {_word(rng)}"
    return text.upper() if rng.random() < 0.3 else text


def _filled(rng: np.random.Generator, forms: tuple[str, ...]) -> str:
    form = forms[int(rng.integers(len(forms)))]
    return "".join(str(rng.integers(0, 10)) if char == "#" else char for char in form)


def _word(rng: np.random.Generator) -> str:
    return "".join(_SMALL[i] for i in rng.integers(0, len(_SMALL), int(rng.integers(3, 10))))
