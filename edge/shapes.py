"""The only two shapes in the house. Coordinates are floats in pixels, x to the right, y down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-aligned rectangle in pixels of the frame it was found in."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


@dataclass(frozen=True, slots=True)
class Quad:
    """Four corners, clockwise from the top-left corner of the plate as it is read."""

    points: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

    @classmethod
    def from_array(cls, points: npt.ArrayLike) -> Quad:
        """From anything of shape (4, 2)."""
        import numpy as np

        a, b, c, d = np.asarray(points, dtype=float).reshape(4, 2).tolist()
        return cls(((a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1])))

    @classmethod
    def from_box(cls, box: Box) -> Quad:
        return cls(((box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)))

    def array(self) -> npt.NDArray[np.float32]:
        """(4, 2) float32."""
        import numpy as np

        return np.array(self.points, dtype=np.float32)

    @property
    def box(self) -> Box:
        """The tightest axis-aligned box around the four corners."""
        xs, ys = [p[0] for p in self.points], [p[1] for p in self.points]
        return Box(min(xs), min(ys), max(xs), max(ys))
