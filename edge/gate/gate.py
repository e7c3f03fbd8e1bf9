"""The gate: looks at every pass in view, decides, writes the decision down, and only then works the relay."""

from __future__ import annotations

import logging
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, GateError, StoreError
from edge.gate.audit import Audit, Row
from edge.gate.decide import Decision, Situation, decide
from edge.gate.duty import WINDOW_S, Duty
from edge.gate.factor import SecondFactor
from edge.gate.relay import Relay
from edge.gate.settings import GateConfig
from edge.keeping.belief import FAR
from edge.records import Pass
from edge.status import utc_iso

if TYPE_CHECKING:
    from edge.config import Config
    from edge.lists.book import Lists

REMEMBERED = 500
"""Passes whose decisions are known, so that none is written twice."""
PURGE_EVERY_S = 3600.0
log = logging.getLogger(__name__)


class Gate:
    """One gate of one camera. A `relay` of None is a dry run: everything is decided and written down, nothing moves.

    `lists_trouble` says what is wrong with the lists, if anything. Times are monotonic seconds, but for what `wall` dates.
    """

    def __init__(
        self,
        config: GateConfig,
        audit: Audit,
        relay: Relay | None,
        *,
        camera: str = "camera",
        factor: SecondFactor | None = None,
        lists_trouble: Callable[[], str] = lambda: "",
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._audit, self._relay, self._camera = config, audit, relay, camera
        self._factor, self._lists_trouble, self._wall = factor, lists_trouble, wall
        self._duty = Duty(config.max_duty)
        self._opened_at: dict[str, float] = {}
        self._said: OrderedDict[str, set[str]] = OrderedDict()
        """Pass -> the reasons that were written down for it."""
        self._last: Row | None = None
        self._opening: OrderedDict[str, Pass] = OrderedDict()
        self._purge_at = float("-inf")
        self._closed, self._now = False, 0.0
        self._heard: tuple[bool, str] | None = None
        """What the second factor said when it was last asked."""
        self.believes: Callable[[], bool] = lambda: True
        """Whether the wall clock may be acted on: a clock that jumped must not empty the audit."""
        self.opened = 0
        self.trouble = ""

    def consider(self, passes: Sequence[Pass], now: float) -> None:
        """Decide about everything in view; to be called with every frame, and now and then without one."""
        if self._closed:
            return
        self._now = now
        if self._relay is not None:
            self._relay.tend(now)
            self._hear_back()
        self._tidy(now)
        for one in passes:
            self._consider(one, now)

    def test(self, who: str, now: float) -> tuple[bool, str]:
        """A pulse that somebody asks for, within the same limits and written down first; whether it was given, and a sentence."""
        trouble = self.problem()
        if self._closed or trouble:
            return False, trouble or "the gate is closed: the daemon ends"
        if not self._duty.allows(self._config.pulse_s, now):
            return False, f"the relay was on for long enough within the last minute (gate.max_duty {self._config.max_duty:g}); try again in a minute"
        why = f"test by {who}"
        row = Row(utc_iso(self._wall()), self._camera, "", "", "", "", None, "unknown", 0, 0.0, True, self._relay is None, "test", why)
        if not self._keep(row):
            return False, self.trouble
        self._duty.take(self._config.pulse_s, now)
        log.info("the gate %s: %s", "would open (dry run)" if self._relay is None else "opens", why)
        if self._relay is None:
            return True, "written down; the relay was left alone, since gate.dry_run is true"
        try:
            self._relay.pulse(self._config.pulse_s, f"test-{uuid.uuid4().hex}")
        except GateError as error:
            self._keep(replace(row, at=utc_iso(self._wall()), opens=False, reason="the relay does not answer", why=f"{why}: {error}"))
            return False, str(error)
        self.opened += 1
        return True, f"the relay was switched on for {self._config.pulse_s:g} s"

    def pass_over(self, ids: Iterable[str]) -> None:
        """These passes open nothing any more: the settings changed under them, and a gate opens for a pass, not for a setting."""
        for id in ids:
            self._said.setdefault(id, set()).add("welcome")

    def inherit(self, before: Gate) -> None:
        """Take the place of one that is closed: nothing that was in view then opens, no pause starts anew, and the relay's minute goes on."""
        self._said = OrderedDict((id, {*said, "welcome"}) for id, said in before._said.items())
        self._opened_at, self.opened, self._last = dict(before._opened_at), before.opened, before._last
        self._duty.go_on(before._duty)

    def close(self) -> None:
        """The relay is off and stays off."""
        self._closed = True
        if self._relay is not None:
            self._relay.close()
            self._hear_back()
        if self._factor is not None:
            self._factor.close()
        self._audit.close()

    def as_json(self) -> dict[str, Any]:
        """For the status: how often it opened since the start, the last decision without its plate, and what holds it back just now, without plates too."""
        last = self._last
        told = None if last is None else {"at": last.at, "event": last.event, "opens": last.opens, "reason": last.reason, "why": last.why}
        ignored = getattr(self._factor, "ignored", None)
        said = {"dry_run": self._relay is None, "opened": self.opened, "last": told, "trouble": self.problem()}
        said |= {
            "duty": {"on_s": round(self._duty.on_s(self._now), 2), "most_s": round(WINDOW_S * self._config.max_duty, 2)},
            "cooling": sum(self._now - at < self._config.cooldown_s for at in self._opened_at.values()),
            "factor": None if self._heard is None else {"yes": self._heard[0], "said": self._heard[1]},
        }
        return said | ({"factor_ignored": ignored} if ignored else {})

    def problem(self) -> str:
        """What keeps it from opening at all; empty when nothing does."""
        return self.trouble or (self._relay.trouble if self._relay is not None else "") or str(getattr(self._factor, "trouble", ""))

    def _consider(self, one: Pass, now: float) -> None:
        said = self._said.setdefault(one.id, set())
        self._said.move_to_end(one.id)
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        if "welcome" in said:  # a pass opens once
            return
        decision = decide(one, self._situation(one, now), self._config)
        if decision.reason in said:
            return
        if not self._write(one, decision):
            return  # no decision without its row: the gate stays as it is, closed
        said.add(decision.reason)
        if decision.opens:
            self._open(one, now)

    def _situation(self, one: Pass, now: float) -> Situation:
        welcome = one.match is not None and one.match.kind == "allow" and one.match.due
        factor = self._factor.answer() if self._factor is not None and welcome else None if self._factor is None else (False, "")
        self._heard = factor if welcome else self._heard
        relay_trouble = self._relay.trouble if self._relay is not None else ""
        return Situation(now, self._lists_trouble(), self._opened_at, factor, self._duty.allows(self._config.pulse_s, now), relay_trouble)

    def _open(self, one: Pass, now: float) -> None:
        assert one.match is not None
        self._opened_at = {plate: at for plate, at in self._opened_at.items() if now - at < self._config.cooldown_s} | {one.match.plate: now}
        self._duty.take(self._config.pulse_s, now)
        self.opened += 1
        log.info("the gate %s for event %s", "would open (dry run)" if self._relay is None else "opens", one.id[:8])
        if self._relay is not None:
            try:
                self._relay.pulse(self._config.pulse_s, one.id)
                self._opening[one.id] = one
                while len(self._opening) > REMEMBERED:
                    self._opening.popitem(last=False)
            except GateError as error:
                log.error("%s", error)
                self._write(one, Decision(False, "the relay does not answer", str(error)))

    def _hear_back(self) -> None:
        """An order that came to nothing is written down too; the pass stays decided, since the order may have been heard after all."""
        for event, why in self._relay.undone() if self._relay is not None else ():
            log.error("the order to open for event %s came to nothing: %s", event[:8], why)
            if (one := self._opening.pop(event, None)) is not None:
                self._write(one, Decision(False, "the relay does not answer", why))

    def _write(self, one: Pass, decision: Decision) -> bool:
        """Whether it stands in the audit. Only plates of an allow or a deny list are named there: of a stranger the event's number is enough."""
        match = one.match if one.match is not None and one.match.kind != "ignore" else None
        row = Row(
            at=utc_iso(self._wall()),
            camera=self._camera,
            event=one.id,
            plate=one.text if match else "",
            list=match.list if match else "",
            label=match.label if match else "",
            distance=match.distance if match else None,
            direction=one.direction,
            agreeing=one.agreeing,
            confidence=round(one.confidence, 4),
            opens=decision.opens,
            dry_run=self._relay is None,
            reason=decision.reason,
            why=decision.why,
        )
        return self._keep(row)

    def _keep(self, row: Row) -> bool:
        try:
            self._audit.add(row)
        except StoreError as error:
            if not self.trouble:
                log.error("%s; the gate stays closed", error)
            self.trouble = f"{error}; the gate stays closed"
            return False
        self.trouble, self._last = "", row
        return True

    def _tidy(self, now: float) -> None:
        if now < self._purge_at or not self.believes():
            return
        self._purge_at = now + PURGE_EVERY_S
        try:
            wall = self._wall()
            self._audit.purge(utc_iso(wall - timedelta(days=self._config.audit_days)), utc_iso(wall + FAR))
        except StoreError as error:
            self.trouble = str(error)


def make_gate(config: Config, lists: Lists) -> Gate:
    """The gate of a config, its relay off. Raises ConfigError, GateError or StoreError where it cannot be had."""
    from edge.gate.broker import connector
    from edge.gate.factor import second_factor
    from edge.gate.relay import Hand
    from edge.gate.remote import make_remote

    if not config.lists.allow:
        raise ConfigError("gate.enabled is true, but lists.allow is empty, so that nobody is welcome; name a file of plates there")
    audit = Audit(config.gate.audit)
    connect = connector(config)
    factor = second_factor(config.gate, connect)
    relay: Relay | None = None
    if not config.gate.dry_run:
        relay = make_remote(config.gate, connect, config.camera.name) if config.gate.send_to else Hand(config.gate)
    return Gate(config.gate, audit, relay, camera=config.camera.name, factor=factor, lists_trouble=lambda: lists.trouble)
