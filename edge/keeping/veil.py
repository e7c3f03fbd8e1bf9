"""What may leave the memory, and under which name. Everything that is stored, told, shown or logged goes through here first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.attention.regions import Polygon
from edge.keeping.pseudonym import device_key, pseudonym
from edge.keeping.settings import PrivacyConfig
from edge.records import Character, Event, Match, Pass
from edge.status import PlateInView
from edge.tracking.judge import Known

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edge.evidence import Evidence
    from edge.tracking.reasons import Unread


class Veil:
    """By default it hides nothing. `known` is asked with the real text; `hidden` counts the events of strangers that were let go.

    `exclude` are polygons that are black in every picture; shares of the frame.
    """

    def __init__(
        self,
        config: PrivacyConfig | None = None,
        *,
        known: Known = lambda text, at: None,
        exclude: Sequence[Polygon] = (),
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises ConfigError where pseudonyms are wanted and their key cannot be had."""
        self._known, self._exclude, self._wall = known, tuple(exclude), wall
        self.hidden = 0
        self.adopt(config or PrivacyConfig())

    def adopt(self, config: PrivacyConfig, exclude: Sequence[Polygon] | None = None) -> None:
        """From now on by these settings; raises ConfigError, and stays as it was."""
        key = device_key(Path(config.key_file)) if config.pseudonyms else b""
        self._config, self._key = config, key
        self._exclude = self._exclude if exclude is None else tuple(exclude)

    def events(self, events: Sequence[Event]) -> list[Event]:
        """What is left to store and tell."""
        shown = [event for event in events if event.match is not None or not self._config.known_only]
        if self.veils:  # others may be in the picture
            shown = [dataclasses.replace(event, frame_jpeg=b"") for event in shown]
        self.hidden += sum(not event.preview for event in events) - sum(not event.preview for event in shown)
        if self._config.known_only:  # a look may have read the plate of a stranger
            shown = [_with(event, event.evidence and event.evidence.without(lambda text: not self._is_known(text))) for event in shown]
        return [self._renamed(event) for event in shown] if self._config.pseudonyms else shown

    def passes(self, passes: Sequence[Pass]) -> list[Pass]:
        """For the gate, which writes down what it decides: it acts on what the lists said of the real text, and is told the other name."""
        if not self._config.pseudonyms:
            return list(passes)
        return [dataclasses.replace(one, text=self.name(one.text), match=self._match(one.match)) for one in passes]

    def in_view(self, plates: Sequence[PlateInView]) -> list[PlateInView]:
        """For the status and the live picture: without the text where it may not be told."""
        return [(quad, self._shown(text), sure) for quad, text, sure in plates] if self.veils else list(plates)

    def picture(self, picture: npt.NDArray[np.uint8], plates: Sequence[PlateInView] = (), size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
        """A frame, (H, W) or (H, W, 3), as others may see it: a copy without what is excluded, and without the plates that are in no one's lists.

        `size` is the frame's width and height, in whose pixels the plates stand, where the picture is the frame made smaller.
        """
        if not self.veils and not self._exclude:
            return picture
        from edge.keeping.blank import blank, fill

        shown = picture.copy()
        blank(shown, self._exclude)
        strangers = [quad.points for quad, text, _ in plates if self._config.pseudonyms or (self._config.known_only and not self._is_known(text))]
        across, down = (shown.shape[1] / size[0], shown.shape[0] / size[1]) if size else (1.0, 1.0)
        fill(shown, [[(x * across, y * down) for x, y in points] for points in strangers])
        return shown

    def unread(self, keep: Callable[[Unread], None]) -> Callable[[Unread], None]:
        """A plate that was not read is no acquaintance, and its picture is its text."""
        return lambda unread: None if self.veils else keep(unread)

    def name(self, text: str) -> str:
        return pseudonym(self._key, text) if self._config.pseudonyms and text else text

    @property
    def veils(self) -> bool:
        """Is there a text that may not be told?"""
        return self._config.known_only or self._config.pseudonyms

    def as_json(self) -> dict[str, Any]:
        """For the status."""
        return {"known_only": self._config.known_only, "pseudonyms": self._config.pseudonyms, "hidden": self.hidden}

    def _shown(self, text: str) -> str:
        return self.name(text) if not self._config.known_only or self._is_known(text) else ""

    def _is_known(self, text: str) -> bool:
        match = self._known(text, self._wall()) if text else None
        return match is not None and match.kind != "ignore"

    def _match(self, match: Match | None) -> Match | None:
        return None if match is None else dataclasses.replace(match, plate=self.name(match.plate))

    def _renamed(self, event: Event) -> Event:
        """Of the text nothing is left: no characters, no reading before the rules or of a look, no pattern, no picture."""
        name = self.name(event.text)
        return dataclasses.replace(
            event,
            text=name,
            raw_text=name,
            characters=tuple(Character(char, 1.0) for char in name),
            rule=None,
            match=self._match(event.match),
            crop_jpeg=b"",
            evidence=event.evidence and event.evidence.without_texts(),
        )


def _with(event: Event, evidence: Evidence | None) -> Event:
    return dataclasses.replace(event, evidence=evidence)
