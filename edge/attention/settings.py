"""The config's sections on where to look, when, and how hard."""

from __future__ import annotations

from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from edge.attention.bending import bends_back
from edge.attention.regions import Polygon, checked
from edge.section import Section

Polygons = tuple[Polygon, ...]


class ViewConfig(Section):
    """Where in the picture plates are looked for. Corners are [x, y] from 0 to 1: [0, 0] is the top left, [1, 1] the bottom right."""

    include: Polygons = Field(
        default=(), max_length=16, description="Only here: polygons such as `[[[0.1, 0.4], [0.9, 0.4], [0.9, 1], [0.1, 1]]]`; empty: everywhere."
    )
    exclude: Polygons = Field(
        default=(), max_length=16, description="Not here: the street behind the gate, the neighbour's drive. Nothing there is read or kept."
    )

    lens: tuple[float, float] | None = Field(
        default=None, description="How much a wide lens bends straight lines, `[k1, k2]` (docs/cameras.md); plates are straightened before they are read."
    )

    @field_validator("lens")
    @classmethod
    def _such_a_lens_can_be(cls, found: tuple[float, float] | None) -> tuple[float, float] | None:
        if found is not None and bends_back(*found):
            raise ValueError(f"view.lens [{found[0]:g}, {found[1]:g}] would fold the picture over itself; k1 is between -0.1 and 0.5 for most lenses")
        return found

    @field_validator("include", "exclude")
    @classmethod
    def _polygons_are_such(cls, found: Polygons, info: ValidationInfo) -> Polygons:
        for number, polygon in enumerate(found, start=1):
            try:
                checked(polygon)
            except ValueError as error:
                raise ValueError(f"view.{info.field_name}, polygon {number}: {error}") from None
        return found


class MotionConfig(Section):
    """When frames are looked at: all of them while a plate is there, few while nothing moves. Recordings with `real_time = false` are looked at whole."""

    enabled: bool = Field(default=True, description="`false`: every frame is looked at.")
    look_every_s: float = Field(default=1.0, gt=0, le=60, description="While nothing moves, there is a look all the same every so many seconds.")
    search_fps: float = Field(default=10.0, gt=0, le=240, description="While something moves but no plate is in view: at most so many looks a second.")
    contrast: float = Field(
        default=0.08, gt=0, le=1, description="So much of its local contrast must change for a spot to move; less sees more, and more noise."
    )
    cell_share: float = Field(default=0.15, gt=0, le=1, description="So much of a cell (a sixteenth of the picture's width) must move.")


class GovernorConfig(Section):
    """What a hot board does: it looks for new plates less often. A plate in view is still looked at in every frame."""

    enabled: bool = Field(default=True, description="Mind the temperature.")
    hot_c: float = Field(default=78.0, ge=30, le=120, description="From here on it slows down, step by step. A Raspberry Pi throttles itself from 80.")
    cool_c: float = Field(default=70.0, ge=20, le=119, description="From here down it speeds up again, step by step.")

    @model_validator(mode="after")
    def _cools_below_hot(self) -> Self:
        if self.cool_c >= self.hot_c:
            raise ValueError(f"governor.cool_c {self.cool_c:g} is not below governor.hot_c {self.hot_c:g}; it would change its mind for ever")
        return self
