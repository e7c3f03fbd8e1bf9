"""Where the findings go: console, and a folder with the page, its plots, the contact sheets and JSON."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from convert.layers.page import make_page
from convert.layers.plots import draw_plots
from convert.layers.run import Report
from convert.layers.tables import as_json
from train.evaluation.sheets import write_sheet


def write_report(found: Report, folder: Path, progress: Any = iter) -> Path:
    """`folder/layers.html`, whole in itself; beside it layers.json, the plots, and lost.jpg and won.jpg when there is something to show."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = draw_plots(found)
    for name, content in plots.items():
        (folder / f"{name}.png").write_bytes(content)
    (folder / "layers.json").write_text(json.dumps(as_json(found), indent=1) + "\n", encoding="utf-8")
    if found.disagreement is not None:
        for name, examples in (("lost", found.disagreement.lost), ("won", found.disagreement.won)):
            (folder / f"{name}.jpg").unlink(missing_ok=True)
            write_sheet(examples[:96], folder / f"{name}.jpg")
    page = folder / "layers.html"
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    page.write_text(make_page(found, plots, made, progress), encoding="utf-8")
    return page
