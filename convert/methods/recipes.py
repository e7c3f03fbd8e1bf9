"""A way to int8: a calibration method and what wins back after it. Names alone; the work is in the modules beside."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from convert.methods.ranges import METHODS
from edge.errors import ConfigError

CONVERTER = "converter"
"""TensorFlow's own calibrator and nothing of ours."""
CALIBRATIONS = (CONVERTER, *METHODS)
STEPS = ("equalise", "round", "bias")
"""Steps that win back, in the order in which they are taken."""
ALIASES = {"percentile": "percentile-99.99"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """`method` is one of CALIBRATIONS, `win_back` of STEPS in their order."""

    method: str = CONVERTER
    win_back: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return " + ".join((self.method, *self.win_back))

    @property
    def slug(self) -> str:
        """For a file's name."""
        return "-".join((self.method, *self.win_back))

    @property
    def plain(self) -> bool:
        """Nothing that the converter does not do by itself."""
        return self.method == CONVERTER and not self.win_back


DEFAULTS = {"detector": Recipe("mse", STEPS), "reader": Recipe(CONVERTER)}
"""What measured best on the shipped networks, by kind (docs/quantization.md)."""


def recipe_for(kind: str, method: str | None = None, win_back: str | None = None) -> Recipe:
    """From the words of the command line; None for both is what measured best on the shipped network of that kind. Raises ConfigError.

    A method without steps is taken as it is; steps without a method go on top of that kind's own; "none" is no step.
    """
    if method is None and win_back is None:
        return DEFAULTS[kind]
    chosen = _known(ALIASES.get(method, method), CALIBRATIONS, "--method") if method else DEFAULTS[kind].method
    steps = {_known(step.strip(), STEPS, "--win-back") for step in (win_back or "none").split(",") if step.strip() not in ("", "none")}
    return Recipe(chosen, tuple(step for step in STEPS if step in steps))


def _known(word: str, words: tuple[str, ...], option: str) -> str:
    if word in words:
        return word
    near = difflib.get_close_matches(word, words, 1)
    raise ConfigError(f"{option}: there is no {word!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(words)}"))
