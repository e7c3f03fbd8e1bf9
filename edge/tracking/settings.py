"""The config's sections on tracking."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field

from edge.section import Section


class TrackingConfig(Section):
    """When many looks become one event."""

    min_reads: int = Field(default=2, ge=1, le=20, description="So many looks must agree on the whole text before a pass is reported.")
    min_characters: int = Field(default=3, ge=1, le=14, description="A shorter text is no plate.")
    min_confidence: float = Field(default=0.5, ge=0, le=1, description="The voted text must reach this confidence.")
    min_detection_score: float = Field(default=0.4, ge=0, le=1, description="Looks with a detection score below this do not vote.")
    min_plate_px: float = Field(default=32.0, ge=0, description="Plates narrower than this many pixels are not read.")
    min_sharpness: float = Field(
        default=0.02,
        ge=0,
        description="Looks less sharp than this do not vote (variance of the Laplacian over the variance of the luma).",
    )
    preview_reads: int = Field(
        default=3,
        ge=0,
        le=20,
        description="A preview is reported as soon as so many looks agree, while the car is still there; 0: no previews. The final event has the same id.",
    )
    settle_s: float = Field(
        default=5.0,
        ge=0,
        le=600,
        description="A plate still in view is reported for good once its voted text has stood for so many seconds; one that leaves, at once when it is lost.",
    )
    lost_after_s: float = Field(default=1.0, gt=0, le=60, description="A plate unseen for so many seconds has left.")
    repeat_after_s: float = Field(
        default=30.0,
        ge=0,
        description="The same plate is the same pass until it was unseen for so many seconds; so a parked car is silent. Another plate is never held back.",
    )


class UnreadConfig(Section):
    """Pictures of plates that gave no event, with the reason: to see what would help."""

    keep: int = Field(default=50, ge=0, le=1000, description="The newest so many are kept; 0 keeps none.")
    hours: float = Field(default=24.0, gt=0, le=720, description="Older ones go.")
    directory: str = Field(default="", description="Their folder; empty: `unread` in `runtime.directory`.")

    def absolute(self, base: Path) -> Self:
        return self.model_copy(update={"directory": str(base / self.directory)}) if self.directory else self
