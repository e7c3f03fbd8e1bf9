"""The evaluation as one HTML file that can be read anywhere: pictures inside, no scripts, nothing from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from train.evaluation import tables
from train.evaluation.confusion import worst
from train.evaluation.evaluation import Evaluation
from train.evaluation.sheets import Example, as_jpeg, cut, mistakes, rights

STYLE = """
:root { color-scheme: light dark; --ground: #fbfbfc; --card: #fff; --ink: #1d2127; --soft: #5d6672; --line: #dfe3e8; --mark: #1f6fb4; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --card: #1b1f25; --ink: #e6e9ee; --soft: #9aa4b1; --line: #313842; --mark: #6db3ee; }
  .plot img { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 1.5rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; } p { margin: .25rem 0; max-width: 80ch; }
.soft, caption { color: var(--soft); }
nav { margin: .75rem 0; } a { color: var(--mark); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: .75rem; margin: 1rem 0; }
.tile, .plot, .example { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tile { padding: .7rem .9rem; } .tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px; margin: .5rem 0; }
th, td { padding: .22rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } tbody + tbody tr:first-child td { border-top: 2px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; } caption { text-align: left; caption-side: top; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: .75rem; }
.wide { grid-column: 1 / -1; } .plot { padding: .5rem; margin: 0; max-width: 100%; isolation: isolate; }
.plot img { display: block; max-width: 100%; height: auto; margin: auto; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: .6rem; }
.example { margin: 0; padding: .4rem; } .example img { width: 100%; height: 92px; object-fit: contain; background: #0001; }
.example figcaption { font-size: 12.5px; line-height: 1.35; overflow-wrap: anywhere; }
"""

WIDE = ("reliability", "slices", "confusion")
HEADLINES = {
    "exact": "found and read exactly",
    "exact_auto": "the same under the country rules",
    "read_exact": "cut-out plates read exactly",
    "read_exact_auto": "the same under the country rules",
    "recall": "plates found",
    "precision": "of the reports are plates",
    "map": "mAP, IoU 0.50-0.95",
    "ece": "expected calibration error",
    "coverage": "accepted at 0.5 % wrong",
    "false_per_empty": "false plates an empty picture",
}


def make_page(found: Evaluation, plots: dict[str, bytes], title: str, made: str, progress: Any = iter, reads: bool = True) -> str:
    """The whole file. `made` says when; real photographs are in it, so it stays with whoever owns them."""
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p class=soft>{escape(made)}. {_counts(found)}</p>",
        _models(found),
        "<nav>" + " · ".join(f'<a href="#{name}">{escape(words)}</a>' for name, words in _SECTIONS.items()) + "</nav>",
        _headlines(found),
        _section("intervals"),
        _note("95 % intervals by bootstrap over the pictures. Mean, standard deviation and range over the test sets, each set counting the same."),
        _table(tables.INTERVAL_HEADS, [tables.interval_rows(found)]),
        _section("groups"),
        *_groups(found),
    ]
    if len(found.plates.right):
        parts += [
            _section("confidence"),
            _note("A confidence is honest when, of the plates read with 0.9, nine in ten are right. Counted are pictures in which every report can be judged."),
            _table(tables.CONFIDENCE_HEADS, [tables.confidence_rows(found)]),
            _table(tables.COVERAGE_HEADS, [tables.coverage_rows(found)], "Coverage: of all plates, those read right and accepted from that confidence on."),
            _table(tables.STUDY_HEADS, [tables.study_rows(found)], tables.STUDY_TITLE) if found.study else "",
            _plots(plots, ("reliability", "coverage", "roc", "precision-recall", "confidences")),
            _section("looks"),
            _table(tables.SLICE_HEADS, [tables.slice_rows(found)]),
            _plots(plots, ("slices",)),
            _section("characters"),
            _table(
                ("there", "read", "how often"),
                [[[there or "(invented)", said or "(lost)", str(number)] for there, said, number in worst(found.confusions, 15)]],
            ),
            _plots(plots, ("confusion",)),
        ]
    parts += [_section("wrong"), _note("The surest mistakes first."), examples_as_html(progress(mistakes(found.cases, reads=reads)))]
    if reads:
        parts += [_section("right"), _note("The least sure of those read rightly."), examples_as_html(progress(rights(found.cases)))]
    body = "\n".join(part for part in parts if part)
    head = f'<meta charset=utf-8><meta name=viewport content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"<!doctype html>\n<html lang=en><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


_SECTIONS = {
    "intervals": "All pictures",
    "groups": "By source and country",
    "confidence": "Confidence",
    "looks": "How the plate looks",
    "characters": "Characters",
    "wrong": "What went wrong",
    "right": "What just went right",
}


def _section(name: str) -> str:
    return f"<h2 id={name}>{escape(_SECTIONS[name])}</h2>"


def _note(words: str) -> str:
    return f"<p class=soft>{escape(words)}</p>"


def _counts(found: Evaluation) -> str:
    everything = found.groups["all"]["all"]
    words = [f"{everything['images']} pictures from {len(found.groups['source'])} sets"]
    words += [
        f"{everything[key]} {name}"
        for key, name in (("plates", "plates in scenes"), ("texts", "of them with a text"), ("crops", "cut-out plates"))
        if key in everything
    ]
    return escape(", ".join(words)) + "."


def _models(found: Evaluation) -> str:
    items = (
        f"<li>{escape(kind)}: <b>{escape(str(model['name']))}</b> <span class=soft>sha256 {escape(str(model['sha256'])[:16])}</span></li>"
        for kind, model in found.models.items()
    )
    return "<ul>" + "".join(items) + "</ul>"


def _headlines(found: Evaluation) -> str:
    tiles = []
    for key, words in HEADLINES.items():
        one = found.intervals.get(key)
        if one is not None:
            unit = "" if key == "false_per_empty" else " %"
            reach = f"{tables.cell(key, one.low)} to {tables.cell(key, one.high)}"
            tiles.append(f"<div class=tile><b>{tables.cell(key, one.value)}{unit}</b>{escape(words)}<br><span class=soft>{reach}</span></div>")
    return f"<div class=tiles>{''.join(tiles)}</div>"


def _groups(found: Evaluation) -> Iterable[str]:
    for title, columns in tables.TITLES.items():
        used, kinds = tables.group_rows(found.groups, columns)
        if any(kinds):
            yield _table(("", *(column.replace("_", " ") for column in used)), kinds, title)


def _table(heads: Sequence[str], sections: Sequence[tables.Rows], caption: str = "") -> str:
    if not any(sections):
        return ""
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    bodies = (
        "<tbody>" + "".join("<tr>" + "".join(f"<td>{escape(word)}</td>" for word in row) + "</tr>" for row in rows) + "</tbody>" for rows in sections if rows
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<div class=scroll><table>{said}<thead><tr>{head}</tr></thead>{''.join(bodies)}</table></div>"


def _plots(plots: dict[str, bytes], names: Sequence[str]) -> str:
    kept = (
        f'<figure class="plot{" wide" if name in WIDE else ""}"><img alt="{escape(name)}" src="{data_url(plots[name], "png")}"></figure>'
        for name in names
        if name in plots
    )
    return f"<div class=plots>{''.join(kept)}</div>"


def examples_as_html(examples: Iterable[Example]) -> str:
    """Cut-outs with what was read, the pictures inlined."""
    figures = []
    for one in examples:
        words = f"{escape(one.label)}<br><span class=soft>{escape(one.case.image.source)} · {one.confidence:.3f}</span>"
        picture = data_url(as_jpeg(cut(one, colour=True)), "jpeg")
        figures.append(f'<figure class=example><img alt="{escape(one.what)}" src="{picture}"><figcaption>{words}</figcaption></figure>')
    return f"<div class=examples>{''.join(figures)}</div>" if figures else "<p>None.</p>"


def data_url(content: bytes, kind: str) -> str:
    """A picture as part of the page itself; `kind` is png or jpeg."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
