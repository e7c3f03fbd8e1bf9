"""What people said about the plates that the device saw, and the pictures that others of its kind shall learn from.

A label stands in the store beside the events and outlives them: it is training data, with an age and a number of its own. The event keeps what was
read. A text that was corrected opens no gate afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.events.wanted import Wanted
from edge.events.where import close_texts, fits
from edge.labels.corners import corners_in_crop
from edge.labels.label import COLUMNS, Corners, Judgement, Label, LabelError, jpeg_size, label_of
from edge.lists.entry import spelt
from edge.status import utc_iso
from edge.store import Store

if TYPE_CHECKING:
    from edge.config import Config

PICTURE = re.compile(r"2\d{7}T\d{6,12}-\d{4}")
"""A name in the gallery."""
PSEUDONYM = re.compile(r"P[A-Z2-7]{11}")
LONGEST_WHO = 100
PAGE = 50
INSERT = (
    "INSERT OR REPLACE INTO labels (event, origin, verdict, text, lines, by, at, read, confidence, camera, last_seen, list, country, direction, width, "
    "height, corners, jpeg) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Labels:
    """Writes labels into a store that can be written; LabelError, in a sentence, where that may not be, StoreError where it cannot.

    Everywhere `id` is that of an event, or the name of a picture in the gallery. A new label takes the place of the old one.
    """

    def __init__(self, store: Store, config: Config, *, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._config, self._wall = store, config, wall
        self._gallery = Path(config.unread.directory or Path(config.runtime.directory) / "unread")

    def confirm(self, id: str, by: str, lines: int = 0) -> Label:
        """What the device read is what the plate says."""
        if not (read := self._seen(id)[2]):
            raise LabelError("nothing was read there that could be confirmed; write down what the plate says")
        return self._keep(id, "confirmed", read, lines, by)

    def correct(self, id: str, text: str, by: str, lines: int = 0) -> Label:
        """The plate says `text`, as people write it, the upper line first; `lines` 1 or 2, 0 where nobody looked. What was read already is confirmed by it."""
        try:
            plain = spelt(text)
        except ValueError as error:
            raise LabelError(str(error)) from None
        return self._keep(id, "confirmed" if plain == self._seen(id)[2] else "corrected", plain, lines, by)

    def not_a_plate(self, id: str, by: str) -> Label:
        """There is no plate in the picture."""
        return self._keep(id, "not a plate", "", 0, by)

    def undo(self, id: str) -> bool:
        """Nobody said anything; False where nobody had. The copy of a picture goes too."""
        with self._store.batch() as db:
            gone = db.execute("DELETE FROM labels WHERE event = ?", (id,)).rowcount == 1
        if gone:
            self._store.erase([])
        return gone

    def of(self, id: str) -> Label | None:
        return label_for(self._store, id)

    def _keep(self, id: str, judgement: Judgement, text: str, lines: int, by: str) -> Label:
        if self._config.privacy.pseudonyms:
            raise LabelError("with privacy.pseudonyms no plate's text is written down, so that nothing can be labelled")
        if not self._config.store.max_labels:
            raise LabelError("store.max_labels is 0, so that no labels are kept")
        if lines not in (0, 1, 2):
            raise LabelError(f"a plate has 1 line or 2, not {lines}")
        origin, facts, read, jpeg, corners, seen_lines = self._seen(id)
        width, height = jpeg_size(jpeg) if jpeg else (0, 0)
        told = (id, origin, judgement, text, lines or seen_lines, by[:LONGEST_WHO], utc_iso(self._wall()), read)
        places = None if corners is None or not width else json.dumps(corners)
        with self._store.batch() as db:
            db.execute(INSERT, (*told, *facts, width, height, places, jpeg if width else None))
            db.execute("DELETE FROM labels WHERE seq <= (SELECT seq FROM labels ORDER BY seq DESC LIMIT 1 OFFSET ?)", (self._config.store.max_labels,))
        found = self.of(id)
        assert found is not None
        return found

    def _seen(self, id: str) -> tuple[str, tuple[Any, ...], str, bytes, Corners | None, int]:
        """(origin; confidence, camera, last_seen, list, country, direction; text; JPEG; corners in it; lines) of an event or a picture."""
        event = self._store.event(id)
        if event is None:
            return self._unread(id)
        if PSEUDONYM.fullmatch(event.text) and not event.crop_jpeg:
            raise LabelError("of this event only a pseudonym is kept, so that nothing can be said about its plate")
        if event.preview:
            raise LabelError("this vehicle is still there; label it when its event is final")
        at = next(iter(self._store.rows("SELECT x, y FROM crops WHERE event = ? AND x IS NOT NULL", id)), None)
        corners = corners_in_crop(event.quad, at, jpeg_size(event.crop_jpeg)) if event.crop_jpeg else None
        facts = event.confidence, event.camera, event.last_seen, event.match.list if event.match else "", event.country or "", event.direction
        return "event", facts, event.text, event.crop_jpeg, corners, event.lines

    def _unread(self, id: str) -> tuple[str, tuple[Any, ...], str, bytes, Corners | None, int]:
        if not PICTURE.fullmatch(id):
            raise LabelError("there is no such event; it may have been deleted")
        if (kept := self.of(id)) is not None:  # the gallery may have let it go since
            jpeg = self._store.rows("SELECT coalesce(jpeg, x'') FROM labels WHERE event = ?", id)[0][0]
            return "unread", (kept.confidence, kept.camera, kept.last_seen, "", "", kept.direction), kept.read, jpeg, kept.corners, kept.told.lines
        try:
            told = json.loads((self._gallery / f"{id}.json").read_bytes())
            jpeg = (self._gallery / f"{id}.jpg").read_bytes()
            if not isinstance(told, dict):
                raise ValueError
        except (OSError, ValueError, RecursionError):
            raise LabelError("this picture is no longer there; pictures of unread plates are kept for a short while only") from None
        corners = told.get("corners")
        facts = float(told.get("confidence", 0.0)), str(told.get("camera", "")), str(told.get("at", "")), "", "", str(told.get("direction", "unknown"))
        places = tuple((float(x), float(y)) for x, y in corners) if corners else None
        return "unread", facts, str(told.get("text", "")), jpeg, places, int(told.get("lines", 0))


def label_for(store: Store, id: str) -> Label | None:
    """What was said about an event or a picture."""
    rows = store.rows(f"SELECT {COLUMNS} FROM labels WHERE event = ?", id)
    return label_of(rows[0]) if rows else None


def labels(store: Store, wanted: Wanted | None = None) -> Iterator[Label]:
    """Newest first, without pictures, a page of them at a time; those of events that are gone among them."""
    wanted, last, left = wanted or Wanted(), wanted.before if wanted and wanted.before else 1 << 62, wanted.limit if wanted else -1
    says = asks_for(store, wanted)
    while left:
        rows = store.rows(f"SELECT {COLUMNS} FROM labels WHERE seq < ? ORDER BY seq DESC LIMIT {PAGE}", last)
        for one in map(label_of, rows):
            last = one.seq
            if left and fits(one, wanted, says):
                left -= 1
                yield one
        if len(rows) < PAGE:
            return


def asks_for(store: Store, wanted: Wanted) -> Callable[[str], bool]:
    """Whether a text is the plate, or fits the pattern, that is wanted."""
    if wanted.fuzzy:
        near = close_texts(store, wanted.plate, wanted.fuzzy)
        return lambda text: text in near
    pattern = re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in wanted.plate))
    return lambda text: pattern.fullmatch(text) is not None


def picture(store: Store, seq: int) -> bytes:
    """A label's JPEG, b'' where it has none."""
    rows = store.rows("SELECT coalesce(jpeg, x'') FROM labels WHERE seq = ?", seq)
    return bytes(rows[0][0]) if rows else b""


def erase_labels(store: Store, seqs: Collection[int]) -> int:
    """Forget them with their pictures; how many."""
    if not seqs:
        return 0
    with store.batch() as db:
        gone = sum(db.execute("DELETE FROM labels WHERE seq = ?", (seq,)).rowcount for seq in seqs)
    store.erase([])  # gives the pages back and empties the log
    return gone


def grow_old(store: Store, now: datetime | None, days: float, most: int) -> int:
    """Labels older than so many days go (not by a clock that is not believed: `now` None), and the oldest of too many; how many.

    One that a wrong clock has dated in the future counts as of now.
    """
    if now is not None and store.rows("SELECT 1 FROM labels WHERE at > ? LIMIT 1", soon := utc_iso(now + timedelta(days=1))):
        with store.batch() as db:
            db.execute("UPDATE labels SET at = ? WHERE at > ?", (utc_iso(now), soon))
    old = utc_iso(now - timedelta(days=days)) if now is not None else ""
    rows = store.rows("SELECT seq FROM labels WHERE at < ?1 OR seq NOT IN (SELECT seq FROM labels ORDER BY seq DESC LIMIT ?2)", old, most)
    return erase_labels(store, [seq for (seq,) in rows])
