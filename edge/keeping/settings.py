"""The config's sections on what is stored, for how long, and what is never written down."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field

from edge.section import Section


class StoreConfig(Section):
    """What is kept, and for how long."""

    path: str = Field(default="var/events.sqlite", min_length=1, description="The event store's file.")
    retention_days: float = Field(default=7.0, gt=0, le=3650, description="Events of plates that are on no list are deleted after so many days.")
    known_days: float = Field(default=30.0, gt=0, le=3650, description="Events of plates of your lists are deleted after so many days.")
    max_events: int = Field(default=100_000, ge=1, le=10_000_000, description="Of more events than so many the oldest go.")
    keep_at_least_mb_free: int = Field(
        default=200,
        ge=0,
        description="When the disk has less free than this many megabytes, the oldest events go first.",
    )
    crops: bool = Field(default=True, description="Keep the picture of the plate with each event.")
    labels_days: float = Field(
        default=365.0,
        gt=0,
        le=3650,
        description="What you confirmed or corrected is kept as training data, with its picture, for so many days after that, also when its event is gone.",
    )
    max_labels: int = Field(default=5000, ge=0, le=100_000, description="Of more labels than so many the oldest go; 0 keeps none.")
    frames: bool = Field(
        default=False,
        description="Keep the whole picture of the best look with each event too, at most 1280 pixels wide; none in the modes of `privacy`.",
    )


class PrivacyConfig(Section):
    """What is never written down. Neither mode is undone later: what was not written is not there."""

    known_only: bool = Field(
        default=False, description="Plates that are on none of your lists never leave the memory: no event, no picture, no target, no line in the log."
    )
    pseudonyms: bool = Field(
        default=False,
        description="Instead of each plate its pseudonym is stored and told: the same plate has always the same, and only `key_file` could tell whose. "
        "No pictures of plates are kept.",
    )
    key_file: str = Field(
        default="", description="The key of the pseudonyms, made on first use, readable by its owner alone; empty: `pseudonym.key` beside `store.path`."
    )
    access_log_rows: int = Field(
        default=10_000, ge=0, le=1_000_000, description="So many lines are kept of who looked events up, exported or deleted them; 0 keeps none."
    )

    def absolute(self, base: Path) -> Self:
        return self.model_copy(update={"key_file": str(base / self.key_file)}) if self.key_file else self
