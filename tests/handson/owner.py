"""The owner's way through the chapter: which steps it has, and what each costs. Raises HandsonError where chapter and acts.toml do not go together."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from tests.handson import klm
from tests.handson.chapter import CHAPTER, Step, drawn, programs, steps
from tests.handson.dialogue import dialogue, load
from tests.handson.errors import HandsonError
from tests.handson.klm import Load

ACTS = Path(__file__).parent / "acts.toml"
KEYS = {"step", "says", "way", "clicks", "types", "secrets", "pastes", "handles", "reads", "phrases", "asks", "waits", "note"}
BEFORE = ("Your first card", "What you need")
"""Read while there is no card in the hand yet: told apart, and not counted."""
LATER = "Nine steps, when you like"
WAYS = {"A": "Way A: your computer runs Linux", "B": "Way B: your computer runs Windows or macOS"}
ALONE = {"3. Install (way B alone)": "B"} | {section: way for way, section in WAYS.items()}
"""Sections that one way alone has."""
END = "4. The first plate"


@dataclass(frozen=True, slots=True)
class Done:
    """One step: what it costs, how many commands it has, and what is waited for after it."""

    name: str
    load: Load
    commands: int
    waits: tuple[str, ...]


def known(file: Path = ACTS) -> list[dict[str, Any]]:
    try:
        acts: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["act"]
        if odd := {key for act in acts for key in act} - KEYS:
            raise HandsonError(f"{file}: {', '.join(sorted(odd))}: unknown; an act has {', '.join(sorted(KEYS))}")
        if any(not {"step", "says"} <= act.keys() for act in acts):
            raise HandsonError(f"{file}: every act names its step, and what the chapter says there")
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise HandsonError(f"{file}: cannot be used ({error})") from None
    return acts


def way(letter: str, chapter: Path = CHAPTER, acts: Path = ACTS) -> list[Done]:
    """From the card in the hand to the first plate."""
    found = _all(chapter, acts, letter)
    sections = [step.section for step, _ in found]
    if missing := {*BEFORE, END, LATER, *ALONE} - set(sections):
        raise HandsonError(f"{chapter}: has no section {', '.join(sorted(missing))}; tests/handson/owner.py names the sections of the way")
    last = max(at for at, section in enumerate(sections) if section == END)
    return [done for step, done in found[: last + 1] if step.section not in BEFORE and ALONE.get(step.section, letter) == letter]


def apart(sections: tuple[str, ...], chapter: Path = CHAPTER, acts: Path = ACTS) -> Load:
    """What is not on the way: BEFORE, or LATER."""
    return klm.total(done.load for step, done in _all(chapter, acts, "A") if step.section in sections)


def _all(chapter: Path, file: Path, letter: str) -> list[tuple[Step, Done]]:
    try:
        found = steps(chapter.read_text(encoding="utf-8"))
    except OSError as error:
        raise HandsonError(f"{chapter}: cannot be read ({error.strerror})") from None
    acts = known(file)
    for act in acts:
        said = next((step.text for step in found if step.name == act["step"]), None)
        if said is None:
            raise HandsonError(f"{chapter}: has no step {act['step']!r} any more; mend {file}")
        if act["says"] not in said:
            raise HandsonError(f"{chapter}: does not say {act['says']!r} in {act['step']!r} any more, but: {said}; mend {file}")
    return [(step, _done(step, [act for act in acts if act["step"] == step.name and act.get("way", letter) == letter], chapter)) for step in found]


def _done(step: Step, acts: list[dict[str, Any]], chapter: Path) -> Done:
    command = klm.pasted if any(act.get("pastes") for act in acts) else _typed
    looks = Load(minds=len(step.pictures)) + klm.read(" ".join(drawn(chapter.parent / name) for name in step.pictures))
    loads = [klm.read(step.text), looks, *map(command, step.commands), *map(cost, acts)]
    return Done(step.name, klm.total(loads), sum(len(programs(line)) for line in step.commands), tuple(act["waits"] for act in acts if "waits" in act))


def _typed(line: str) -> Load:
    return klm.typed(line, code=True)


def cost(act: dict[str, Any]) -> Load:
    """Of one entry in acts.toml. Where it clicks and types, the hand goes there and back for each line."""
    words, secrets, clicks = act.get("types", []), act.get("secrets", []), act.get("clicks", 0)
    return klm.total(
        [
            klm.clicked(clicks),
            *(klm.typed(text) for text in words),
            *(klm.typed(text, code=True, again=text in secrets[:at]) for at, text in enumerate(secrets)),
            Load(handlings=act.get("handles", 0), homings=2 * len([*words, *secrets]) if clicks else 0),
            klm.read(act.get("reads", "")),
            klm.read(" ".join(map(phrases, act.get("phrases", [])))),
            load(_asked()) if act.get("asks") else Load(),
        ]
    )


@cache
def _asked() -> list[Any]:
    return dialogue()


def phrases(pattern: str) -> str:
    """English, of the page's own catalogue. Raises HandsonError for a phrase that is gone."""
    from edge.web.phrases import catalogue

    found = [forms["en"]["other"] for key, forms in catalogue().items() if fnmatch(key, pattern)]
    if not found:
        raise HandsonError(f"{pattern}: no such phrase in edge/web/catalogue")
    return " ".join(found)
