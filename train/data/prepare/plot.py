"""A picture of the statistics: how wide the plates are, how long their texts, and which characters the training side lacks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from train.data.prepare.statistics import RARE
from train.data.prepare.write import replace


def draw(path: Path, figures: dict[str, Any]) -> None:
    """A PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7))
    FigureCanvasAgg(figure)
    widths, lengths, characters = figure.subplot_mosaic([["widths", "lengths"], ["characters", "characters"]]).values()
    figure.subplots_adjust(left=0.06, right=0.98, top=0.95, bottom=0.06, hspace=0.3, wspace=0.15)
    for axes, key, title in ((widths, "widths_px", "Width of the plates, px"), (lengths, "lengths", "Characters in a text")):
        axes.bar(list(figures[key]), list(figures[key].values()), color="#3b7dd8")
        axes.set_title(title)
        axes.set_ylabel("plates")
        axes.tick_params(axis="x", labelsize=8)
    everything, train = figures["characters"], figures["characters_train"]
    lacking = [char for char in everything if train[char] < RARE]
    characters.bar(list(everything), list(everything.values()), color="#c9d8ee", label="all")
    characters.bar(list(train), list(train.values()), color=["#d8573b" if char in lacking else "#3b7dd8" for char in train], label="train")
    characters.set_title(f"Characters; red: fewer than {RARE} to train on ({', '.join(lacking) or 'none'})")
    characters.set_ylabel("times")
    characters.legend(loc="upper right")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    replace(path, drawn.getvalue())
