"""The gate: looks at every pass in view, decides, writes the decision down, and only then works the relay."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, GateError, StoreError
from edge.gate.audit import Audit, Row
from edge.gate.decide import Decision, Situation, decide
from edge.gate.duty import Duty
from edge.gate.factor import SecondFactor
from edge.gate.relay import Relay
from edge.gate.settings import GateConfig
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
        self._purge_at = float("-inf")
        self._closed = False
        self.opened = 0
        self.trouble = ""

    def consider(self, passes: Sequence[Pass], now: float) -> None:
        """Decide about everything in view; to be called with every frame, and now and then without one."""
        if self._closed:
            return
        if self._relay is not None:
            self._relay.tend(now)
        self._tidy(now)
        for one in passes:
            self._consider(one, now)

    def close(self) -> None:
        """The relay is off and stays off."""
        self._closed = True
        if self._relay is not None:
            self._relay.close()
        if self._factor is not None:
            self._factor.close()
        self._audit.close()

    def as_json(self) -> dict[str, Any]:
        """For the status: how often it opened since the start, and the last decision, without its plate."""
        last = self._last
        told = None if last is None else {"at": last.at, "event": last.event, "opens": last.opens, "reason": last.reason, "why": last.why}
        return {"dry_run": self._relay is None, "opened": self.opened, "last": told, "trouble": self.problem()}

    def problem(self) -> str:
        """What keeps it from opening at all; empty when nothing does."""
        return self.trouble or (self._relay.trouble if self._relay is not None else "")

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
                self._relay.pulse(self._config.pulse_s)
            except GateError as error:
                log.error("%s", error)
                self._write(one, Decision(False, "the relay does not answer", str(error)))

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
        if now < self._purge_at:
            return
        self._purge_at = now + PURGE_EVERY_S
        try:
            self._audit.purge(utc_iso(self._wall() - timedelta(days=self._config.audit_days)))
        except StoreError as error:
            self.trouble = str(error)


def make_gate(config: Config, lists: Lists) -> Gate:
    """The gate of a config, its relay off. Raises ConfigError, GateError or StoreError where it cannot be had."""
    from edge.gate.factor import second_factor
    from edge.gate.relay import Hand

    if not config.lists.allow:
        raise ConfigError("gate.enabled is true, but lists.allow is empty, so that nobody is welcome; name a file of plates there")
    audit = Audit(config.gate.audit)
    relay = None if config.gate.dry_run else Hand(config.gate)
    return Gate(config.gate, audit, relay, camera=config.camera.name, factor=second_factor(config.gate), lists_trouble=lambda: lists.trouble)
