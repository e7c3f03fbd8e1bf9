"""The Keystroke-Level Model: what one act costs somebody. Pure.

Operators and their times are those of Card, Moran and Newell (The keystroke-level model for user performance time with interactive systems, Communications of
the ACM 23, 1980): K by skill, P, H and M. The model is of acts without a mistake. Reading is Brysbaert's (How many words do we read per minute?, Journal of
Memory and Language 109, 2019): 238 words a minute of English non-fiction, silently; the slow reader has half of that. What hands do with cards and plugs is in
neither: `handling_s` is our own guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

M_S, P_S, H_S = 1.35, 1.10, 0.40
"""To make up one's mind; to point with the mouse; to move a hand between keyboard and mouse. The same for everybody, as in the paper."""
BUTTON_S = 0.20
"""To press the mouse's button: one K of the paper's average skilled typist, since it takes no knowledge of a keyboard."""
SHIFTED = '~!@#$%^&*()_+{}|:"<>?'
"""Take Shift too, which is a keystroke of its own, on the keyboard of the United States."""


@dataclass(frozen=True, slots=True)
class Person:
    """K, seconds, for words and for what is no word (a command, a password); words a minute; seconds to put one thing into its place."""

    name: str
    key_s: float
    code_s: float
    words_a_minute: float
    handling_s: float


PRACTISED = Person("practised", key_s=0.28, code_s=0.75, words_a_minute=238, handling_s=5)
"""The paper's average typist who is no secretary, and its `typing complex codes`."""
UNPRACTISED = Person("unpractised", key_s=1.20, code_s=1.20, words_a_minute=119, handling_s=10)
"""The paper's typist who does not know the keyboard."""
PERSONS = (PRACTISED, UNPRACTISED)


@dataclass(frozen=True, slots=True)
class Load:
    """What is done, counted: words read; keystrokes of words and of codes; decisions (M); clicks (P and button); moves of a hand (H); things put into place."""

    words: int = 0
    keys: int = 0
    codes: int = 0
    minds: int = 0
    clicks: int = 0
    homings: int = 0
    handlings: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Load)))


def total(loads: Iterable[Load]) -> Load:
    return sum(loads, Load())


def seconds(load: Load, person: Person) -> float:
    """Hands-on time of one person, s."""
    return (
        load.words * 60 / person.words_a_minute
        + load.keys * person.key_s
        + load.codes * person.code_s
        + load.minds * M_S
        + load.clicks * (P_S + BUTTON_S)
        + load.homings * H_S
        + load.handlings * person.handling_s
    )


def strokes(text: str) -> int:
    """Keys pressed for it, Shift counted, without Enter."""
    return sum(2 if sign.isupper() or sign in SHIFTED else 1 for sign in text)


def typed(text: str, *, code: bool = False, again: bool = False) -> Load:
    """One line at the keyboard, with the decision before it and Enter or Tab after it; `again`: the same once more, as the one thing that is left to do.

    Nothing to type is Enter alone.
    """
    pressed = strokes(text) + 1
    return Load(minds=not again, codes=pressed) if code else Load(minds=not again, keys=pressed)


def clicked(times: int) -> Load:
    """One after another on one screen, with one decision: the next click follows from the one before (the paper's rules 1 and 2 for M)."""
    return Load(minds=min(times, 1), clicks=times)


def pasted(line: str) -> Load:
    """A button copies it, a click goes to the terminal, two paste (the menu and its word), Enter.

    A word in capitals is another one's place: that is copied elsewhere by two clicks, pasted by two, and the line typed around it.
    """
    gaps = [word for word in line.split() if word.isupper()]
    if not gaps:
        return Load(minds=1, clicks=4, codes=1)
    around = " ".join(word for word in line.split() if word not in gaps)
    return typed(around, code=True) + Load(minds=len(gaps), clicks=4 * len(gaps), homings=2 * len(gaps))


def read(text: str) -> Load:
    return Load(words=len(text.split()))
