"""The desk where the daemon takes errands: which kinds there are, and what each does. docs/operating.md has them in a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.desk.aid import Aid, cells
from edge.desk.pause import Pause
from edge.desk.physician import Physician
from edge.desk.still import Still
from edge.desk.trial import Trial
from edge.desk.walk import Walk
from edge.errands import Answer, Errand, Errands, Refused
from edge.errors import StoreError
from edge.records import Frame

if TYPE_CHECKING:
    from edge.account import Account
    from edge.attention.governor import Governor
    from edge.camera.base import Camera
    from edge.gate.gate import Gate
    from edge.keeping.veil import Veil
    from edge.pipeline import Pipeline
    from edge.publish.publishing import Publishing
    from edge.reload import Reload

RELOAD_S = 3.0
"""So long the page waits for the outcome; taking new models may need longer."""


class Desk:
    """`reload`, `config_file` and `stop` are given by who runs the daemon; without them those errands are refused. `again` after one to restart."""

    def __init__(
        self,
        directory: Path,
        account: Account,
        *,
        store: Path,
        camera: Callable[[], Camera],
        pipeline: Callable[[], Pipeline],
        veil: Callable[[], Veil],
        gate: Callable[[], Gate | None] = lambda: None,
        governor: Callable[[], Governor | None] = lambda: None,
        publishing: Callable[[], Publishing | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pipeline, self._account, self._gate, self._governor = pipeline, account, gate, governor
        self._clock, self._pause = clock, Pause(store, publishing)
        self._reloads: list[tuple[float, str, int]] = []
        """Until when each is waited for, its errand, and how many configs had been refused before."""
        self.reload: Reload | None = None
        self.config_file: Path | None = None
        self.stop: Callable[[], None] | None = None
        self.again = False
        clerks = {
            "reload": self._reload,
            "restart": self._restart,
            "detect": self._detect,
            "still": self._still_asked,
            "aid": self._aid_asked,
            "camera": self._camera,
            "gate test": self._gate_test,
            "doctor": self._doctor,
        }
        self._errands = Errands(directory, clerks, clock=clock, wall=wall)
        self._still = Still(directory, veil, self._errands.answer, clock, wall)
        self._aid = Aid(lambda plates: veil().in_view(plates), self._facts, clock)
        self._walk = Walk(lambda plates: veil().in_view(plates), clock, wall)
        self._trial = Trial(camera, clock)
        self._physician = Physician(directory)
        account.worries.append(self._pause.words)

    @property
    def detecting(self) -> bool:
        """False while the owner has switched detection off."""
        return self._pause.detecting

    def carry_on(self, detecting: bool) -> None:
        """Other targets: detection is on or off as it was."""
        self._pause.carry_on(detecting)

    def tend(self, frame: Frame | None) -> None:
        """To be called at every turn, with its frame, whose pixels are only looked at during the call."""
        self._errands.tend()
        self._tell_reloads()
        pipeline = self._pipeline()
        self._still.tend(frame, pipeline.in_view)
        self._trial.tend()
        self._walk.tend(pipeline.judge)
        told = self._aid.tend(frame, pipeline.seen, pipeline.in_view)
        if told is not None:
            self._account.tellers["aid"] = lambda: told
        else:
            self._account.tellers.pop("aid", None)

    def close(self) -> None:
        """Leave nothing behind: the camera as the config wants it, no doctor at work."""
        self._trial.end()
        self._physician.stop()

    def _reload(self, errand: Errand) -> None:
        if self.reload is None:
            raise Refused("this daemon was started without a config file, so that there is nothing to read again")
        self._reloads.append((self._clock() + RELOAD_S, errand.id, self.reload.refused))
        self.reload.ask()

    def _tell_reloads(self) -> None:
        """As soon as it is over, or when that takes too long for who asked."""
        if not self._reloads or self.reload is None:
            return
        busy, words = self.reload.busy, self.reload.words()
        for one in list(self._reloads):
            until, id, refused = one
            if not busy:
                ok = self.reload.refused == refused
                self._errands.answer(id, Answer(ok, words or "the config was read again and is in force", {"words": words, "busy": False}))
            elif self._clock() >= until:
                said = "the new config is being taken, which needs its time; the status tells how it ends"
                self._errands.answer(id, Answer(True, said, {"words": "", "busy": True}))
            else:
                continue
            self._reloads.remove(one)

    def _restart(self, errand: Errand) -> Answer:
        if self.stop is None:
            raise Refused("this daemon cannot start itself anew; stop it and start it again")
        self.again = True
        self.stop()
        return Answer(True, "the daemon starts anew; it is back within seconds")

    def _detect(self, errand: Errand) -> Answer:
        on = errand.args.get("on")
        if not isinstance(on, bool):
            raise Refused('detect wants {"on": true} or {"on": false}')
        try:
            self._pause.detect(on)
        except StoreError as error:
            return Answer(False, f"detection is {'on' if on else 'off'} until the daemon ends, but that could not be kept: {error}", {"detecting": on})
        return Answer(True, f"detection is {'on' if on else 'off'}", {"detecting": on})

    def _still_asked(self, errand: Errand) -> None:
        self._still.ask(errand.id)

    def _aid_asked(self, errand: Errand) -> Answer:
        seconds, walk = seconds_of(errand.args), errand.args.get("walk")
        if walk is not None and (isinstance(walk, bool) or not isinstance(walk, int | float) or not 0 <= walk <= 3600):
            raise Refused('"walk" is for how many seconds the walk test runs, 0 to end it')
        self._aid.ask(seconds)
        if walk is not None:
            self._walk.ask(float(walk))
        return Answer(True, "the status tells it under `aid`")

    def _camera(self, errand: Errand) -> Answer:
        values = errand.args.get("values", {})
        if not isinstance(values, Mapping):
            raise Refused('camera wants {"values": {name: number}, "seconds": number}')
        return self._trial.ask(values, seconds_of(errand.args))

    def _gate_test(self, errand: Errand) -> Answer:
        if (gate := self._gate()) is None:
            raise Refused("the gate is switched off; set gate.enabled first")
        opened, said = gate.test(errand.who, self._clock())
        return Answer(opened, said)

    def _doctor(self, errand: Errand) -> Answer:
        return self._physician.call(self.config_file)

    def _facts(self) -> dict[str, Any]:
        attention, governor = self._pipeline().attention, self._governor()
        told: dict[str, Any] = {} if attention is None else {"motion": attention.as_json() | {"cells": cells(attention.cells)}}
        told |= {} if governor is None else {"governor": governor.as_json()}
        return told | self._walk.as_json() | ({"trying": self._trial.values} if self._trial.values else {})


def seconds_of(args: Mapping[str, Any], usual: float = 10.0) -> float:
    """Raises Refused."""
    seconds = args.get("seconds", usual)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= 3600:
        raise Refused('"seconds" is a number above 0')
    return float(seconds)
