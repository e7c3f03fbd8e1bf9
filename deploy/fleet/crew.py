"""The same act on many devices: canaries first, side by side with a bound, and an end where too many fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from deploy.fleet.acts import Clock, Outcome
from deploy.fleet.errors import FleetError
from deploy.fleet.inventory import Device

CANARY = "canary"
"""Devices of this group go first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`at_once` devices at a time; `canaries` alone before the others, watched for `watch_s`; no more begun once the failed are `stop_at` of all, or more."""

    at_once: int = 4
    canaries: int = 0
    watch_s: float = 0.0
    stop_at: float = 0.25

    def __post_init__(self) -> None:
        if self.at_once < 1:
            raise FleetError(f"--at-once {self.at_once}: at least 1")
        if self.canaries < 0:
            raise FleetError(f"--canary {self.canaries}: 0 or more")
        if not 0 < self.stop_at <= 1:
            raise FleetError(f"--stop-at {100 * self.stop_at:g}: more than 0 and at most 100 percent")


def in_order(devices: Sequence[Device], canaries: int) -> tuple[list[Device], list[Device]]:
    """(canaries, the others): those of the group `canary` before all, else as they stand."""
    ordered = sorted(devices, key=lambda device: CANARY not in device.groups)
    return ordered[:canaries], ordered[canaries:]


def too_many(failed: int, devices: int, stop_at: float) -> bool:
    """No more is begun. One failure alone ends nothing but where it is the whole share: 1 of 3 is more than a quarter, so it does."""
    return failed > 0 and failed >= stop_at * devices


class Crew:
    """`do` acts on one device and never raises; `still_well` looks at a canary again, and says '' or what is wrong; `halt` ends what runs, after Ctrl-C."""

    def __init__(
        self,
        do: Callable[[Device], Outcome],
        still_well: Callable[[Device], str],
        done: Callable[[Outcome], None] = lambda outcome: None,
        halt: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self._do, self._still_well, self._done, self._halt, self._clock = do, still_well, done, halt, clock or Clock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Begin no more."""
        self._stopped.set()

    def work(self, devices: Sequence[Device], plan: Plan) -> list[Outcome]:
        """An Outcome for each device, in the order of `devices`."""
        first, rest = in_order(devices, plan.canaries)
        outcomes = self._side_by_side(first, plan, len(devices), 0)
        why = self._verdict(first, outcomes, plan) if first else ""
        if why:
            outcomes |= self._held(rest, why)
        else:
            outcomes |= self._side_by_side(rest, plan, len(devices), sum(not outcome.ok for outcome in outcomes.values()))
        return [outcomes[device.name] for device in devices]

    def _verdict(self, first: Sequence[Device], outcomes: dict[str, Outcome], plan: Plan) -> str:
        """Why the others are not begun, or ''."""
        if not all(outcomes[device.name].ok for device in first):
            return "a canary failed"
        give_up_at = self._clock.now() + plan.watch_s
        while not self._stopped.is_set():
            for device in first:
                if wrong := self._still_well(device):
                    outcomes[device.name] = Outcome(device.name, "failed", f"did not stay well: {wrong}", outcomes[device.name].release)
                    self._done(outcomes[device.name])
                    return "a canary did not stay well"
            if (left := give_up_at - self._clock.now()) <= 0:
                return ""
            self._clock.sleep(min(left, 10.0))
        return "it was stopped"

    def _side_by_side(self, devices: Sequence[Device], plan: Plan, among: int, failed: int) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        waiting, running = list(devices), dict[Future[Outcome], Device]()
        with ThreadPoolExecutor(plan.at_once, thread_name_prefix="device") as pool:
            try:
                while waiting or running:
                    open_to_more = not self._stopped.is_set() and not too_many(failed, among, plan.stop_at)
                    while open_to_more and waiting and len(running) < plan.at_once:
                        device = waiting.pop(0)
                        running[pool.submit(self._do, device)] = device
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        device = running.pop(future)
                        outcomes[device.name] = outcome = future.result()
                        failed += not outcome.ok
                        self._done(outcome)
            except KeyboardInterrupt:
                self.stop()
                self._halt()
                raise
        why = "it was stopped" if self._stopped.is_set() else f"{failed} of {among} failed"
        return outcomes | self._held(waiting, why)

    def _held(self, devices: Sequence[Device], why: str) -> dict[str, Outcome]:
        held = {device.name: Outcome(device.name, "held", why) for device in devices}
        for outcome in held.values():
            self._done(outcome)
        return held
