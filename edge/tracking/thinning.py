"""Which looks keep their picture. A large plate's is half a megabyte, and a parked car has two dozen looks; an event shows one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edge.records import Sighting
from edge.tracking.pooled import Memo
from edge.tracking.reasons import flaw
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Track


def thin(track: Track, config: TrackingConfig, memo: Memo, done: bool) -> None:
    """Take the pictures from all looks that no event and no unread pass can be shown by any more; from all when its event is `done`."""
    keep = set() if done else wanted(track.looks, config)
    for place, look in enumerate(track.looks):
        if id(look) in keep or (look.crop is None and not look.scene_jpeg):
            continue
        track.looks[place] = bare = replace(look, crop=None, scene_jpeg=b"")
        if (known := memo.pop(look, None)) is not None:
            memo[bare] = known  # it is equal, but the key would go on holding the picture


def wanted(looks: Iterable[Sighting], config: TrackingConfig) -> set[int]:
    """The `id` of each look that may yet be chosen (`Judge._event`, `best_look`): of every text the surest, of those that vote and of all.

    A better one may come and a worse one go, neither of which brings another one back. Of equals the first is chosen and the first goes, so the last stays too.
    """
    surest = dict[tuple[object, ...], tuple[float, float, Sighting, Sighting]]()
    for look in looks:
        sure = look.read.confidence * look.detection.score
        ranks: list[tuple[tuple[object, ...], float]] = [((), look.sharpness), ((look.read.text,), 0.0)]
        ranks += [((look.read.text, "votes"), 0.0)] if flaw(look, config) is None else []
        for group, sharpness in ranks:
            before = surest.get(group)
            if look.crop is None or (before is not None and before[:2] > (sure, sharpness)):
                continue
            first = before[2] if before is not None and before[:2] == (sure, sharpness) else look
            surest[group] = sure, sharpness, first, look
    return {id(one) for _, _, first, last in surest.values() for one in (first, last)}
