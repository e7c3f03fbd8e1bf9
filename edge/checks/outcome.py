"""What a check looks at, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.config import Config


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check saw. `state` is good, note (works, could be better) or bad (must be mended); `mend` is what to do, where there is something to do."""

    state: str
    words: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """What the checks look at: the config file if one was named, and what stands in it if it can be used."""

    config_file: str | None = None
    config: Config | None = None


def worst(outcomes: list[Outcome]) -> Outcome:
    """One outcome of many: the worst state, and the words of those that are in it."""
    for state in ("bad", "note", "good"):
        if found := [one for one in outcomes if one.state == state]:
            return Outcome(state, "; ".join(one.words for one in found), "; ".join(dict.fromkeys(one.mend for one in found if one.mend)))
    return Outcome("good", "nothing to check")
