"""What the stages work on: folders, the card of now, and the guest that runs from it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.emulate import device, program, releases, stand_in
from deploy.emulate.errors import EmulateError
from deploy.emulate.guest import Guest, Say
from deploy.emulate.machine import Board
from deploy.emulate.stand_in import StandIn
from deploy.emulate.suites import TRIXIE, Suite

Figures = dict[str, Any]
BOOT_LIMIT_S, FIRST_LIMIT_S, TRIAL_LIMIT_S = 900.0, 2400.0, 1800.0
"""Generous: an emulator on a busy computer is slow, and slowness alone is no fault."""


@dataclass(slots=True)
class Bench:
    """`cache` outlives the run; `folder` is the run's own, with the cards and a log for each time that the power is on."""

    cache: Path
    folder: Path
    seed: int
    cuts: int
    say: Say
    guest: Guest | None = None
    stage: str = ""
    logs: list[Path] = field(default_factory=list)

    def parts(self, suite: Suite = TRIXIE) -> StandIn:
        return stand_in.place(self.cache, suite)

    def flashed(self, suite: Suite = TRIXIE) -> Path:
        """The card as `deploy flash` left it."""
        return self.folder / f"flashed-{suite.name}.img"

    @property
    def card(self) -> Path:
        """The card that lives: through its first start, and everything after."""
        return self.folder / "card.img"

    @property
    def releases(self) -> dict[str, Path]:
        return releases.paths(self.folder / "releases")

    def dice(self) -> random.Random:
        """Moments of power cuts; the same seed gives the same, stage by stage."""
        return random.Random(f"{self.seed} {self.stage}")

    def copy(self, card: Path, goal: Path) -> None:
        """Sparse, as the cards are."""
        program.run("cp", "--sparse=always", card, goal)

    def power_on(self, card: Path, board: Board = "virt", suite: Suite = TRIXIE, *, watchdog: bool = False) -> Guest:
        """Whatever ran before loses its power."""
        self.cut()
        log = self.folder / f"{self.stage}-{len(self.logs) + 1}.log"
        log.unlink(missing_ok=True)
        self.logs.append(log)
        self.guest = Guest(board, card, self.parts(suite), device.login_key(self.folder), log, self.say, watchdog)
        return self.guest

    def cut(self) -> None:
        """Pulls the plug of what runs."""
        if self.guest is not None:
            self.guest.cut()
            self.guest = None

    def running(self) -> Guest:
        """A guest from the living card with its page up: the one that runs, or one that is started."""
        if not self.card.is_file():
            raise EmulateError("there is no card that went through its first start; run the stage first-boot before this one")
        if self.guest is None or not self.guest.runs or self.guest.card != self.card:
            self.power_on(self.card).until("the page", lambda: self.guest is not None and self.guest.page.alive(), BOOT_LIMIT_S)
        assert self.guest is not None
        return self.guest


def told(guest: Guest) -> dict[str, Any]:
    """`platewatch-deploy status --json` of the device; raises EmulateError."""
    said = guest.ssh("sudo platewatch-deploy status --json")
    found = json.loads(said[said.index("{") :])
    return dict(found)


def asked(guest: Guest, good: Callable[[dict[str, Any]], object]) -> Callable[[], bool]:
    """Whether the device's own status is `good`, asked over SSH; of a guest that does not answer yet it is not."""

    def ask() -> bool:
        try:
            return bool(good(told(guest)))
        except (EmulateError, ValueError):
            return False

    return ask


def settled(guest: Guest) -> Callable[[], bool]:
    """Whether nothing is on trial or waiting."""
    return asked(guest, lambda found: not found["trial"] and not found["pending"])


def well(guest: Guest) -> Callable[[], bool]:
    """Whether the page answers and new pictures come."""
    return asked(guest, lambda found: found["page"] and found["daemon"]["runs"] and found["daemon"]["frames"])


def require(good: object, words: str) -> None:
    """Raises EmulateError with `words` where `good` is not."""
    if not good:
        raise EmulateError(words)


def release_of(archive: Path) -> str:
    """The id in an archive's name."""
    return re.sub(r"^platewatch-|\.tar$", "", archive.name)
