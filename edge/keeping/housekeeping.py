"""What goes: too old, too many, or in the way of the disk's last free space. A little at a time, so that no frame waits for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import StoreError
from edge.keeping import aside
from edge.keeping.belief import Belief
from edge.keeping.budget import Budget
from edge.keeping.dates import redate
from edge.keeping.schema import Damaged
from edge.labels.book import grow_old
from edge.status import utc_iso

if TYPE_CHECKING:
    from edge.keeping.settings import StoreConfig
    from edge.store import Store

EVERY_S, SOON_S = 600.0, 2.0
NEVER = datetime(1, 1, 2, tzinfo=UTC)
"""Nothing is older."""
STEP = 200
"""Events deleted in one go; where there are more, the next go follows soon."""
log = logging.getLogger(__name__)


class Housekeeping:
    """Tidies a store by its `config`, which may be exchanged at any time. `trouble` says what is wrong, `forgotten` counts what went and why.

    `chores` are told whether the wall clock may be believed.
    """

    def __init__(
        self,
        store: Store,
        config: StoreConfig,
        *,
        chores: Sequence[Callable[[bool], None]] = (),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self.config, self._chores, self._clock, self._wall = store, config, chores, clock, wall
        self._belief: Belief | None = None
        self._budget = Budget(wall)
        self._again_at = float("-inf")
        self._doubted, self._jumped, self._jumps = Path(f"{config.path}.clock"), False, 0
        self.trouble = ""
        self.forgotten = {"age": 0, "count": 0, "space": 0}

    def tend(self) -> None:
        """To be called at every turn; works every ten minutes, and soon again while there is more to do."""
        now = self._clock()
        if self._belief is not None:
            self._belief.look()
            if self._belief.jumps > self._jumps:
                self._jumps, self._jumped = self._belief.jumps, True
                self._belief.remember(self._doubted)
        if now < self._again_at:
            return
        self._again_at = now + EVERY_S
        try:
            if self._belief is None:
                self._belief = Belief(self._clock, self._wall, _moment(self._store.newest())).recall(self._doubted)
                self._belief.look()
                self._jumped = self._belief.jumps > 0 or self._doubted.exists()
            self._belief.remember(self._doubted)
            gone = self._tidy(self._belief)
            log.log(logging.INFO if gone else logging.DEBUG, "%d old events deleted", gone)
            self.trouble = ""
            for chore in self._chores:
                chore(self.believes)
        except Damaged as error:
            log.error("%s", error)
            self._set_aside()
        except OSError as error:
            self.trouble = str(error)
            log.error("%s", error)

    @property
    def believes(self) -> bool:
        """Whether the wall clock may be acted on; False until the first look at it."""
        return self._belief is not None and self._belief.believable(timedelta(days=self.config.retention_days))

    def _tidy(self, belief: Belief) -> int:
        gone = {"age": self._by_age(belief), "count": self._store.trim(self.config.max_events, limit=STEP)}
        labels_days = self.config.labels_days
        now = self._wall() if belief.believable(timedelta(days=labels_days)) else None
        labels = grow_old(self._store, now, labels_days, self.config.max_labels)
        log.log(logging.INFO if labels else logging.DEBUG, "%d old labels deleted", labels)
        gone["space"] = self._store.make_room(self.config.keep_at_least_mb_free, step=STEP // 4, limit=STEP)
        for why, many in gone.items():
            self.forgotten[why] += many
        if any(many >= STEP for many in gone.values()):
            self._again_at = self._clock() + SOON_S
        return sum(gone.values())

    def _by_age(self, belief: Belief) -> int:
        """What is kept for longer is judged by a clock that was believed for longer."""
        now, kept = self._wall(), [timedelta(days=days) for days in (self.config.retention_days, self.config.known_days)]
        if not any(belief.believable(keeps) for keeps in kept):
            return 0
        redate(self._store, now, thorough=self._jumped)
        self._jumped = False
        unknown, known = (now - keeps if belief.believable(keeps) else NEVER for keeps in kept)
        aside.grow_old(Path(self.config.path), unknown, now)
        return self._store.purge(utc_iso(unknown), utc_iso(known), limit=STEP)

    def _set_aside(self) -> None:
        try:
            self._store.set_aside(self._wall())
            self._again_at = self._clock()
        except StoreError as error:
            self.trouble = str(error)

    def words(self) -> tuple[str, ...]:
        """What the status says, each empty where there is nothing to say."""
        return self.trouble, aside.words(Path(self.config.path)), self._belief.words(timedelta(days=self.config.retention_days)) if self._belief else ""

    def as_json(self) -> dict[str, Any]:
        """For the status: what went and why since the start, and the bytes written to the disk."""
        return {"forgotten": dict(self.forgotten), "written_bytes": self._budget.as_json(), "set_aside": len(aside.set_aside(Path(self.config.path)))}


def _moment(iso: str) -> datetime | None:
    try:
        return datetime.fromisoformat(iso)
    except ValueError:
        return None
