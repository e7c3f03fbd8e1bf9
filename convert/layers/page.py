"""The layers as one HTML file that can be read anywhere: pictures inside, no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from convert.layers.run import Report
from convert.layers.tables import HARM_HEADS, HEADS, decibel, harm_rows, matched, rows, verdict
from train.evaluation.page import STYLE, data_url, examples_as_html

SHOWN = 48
"""Examples a side."""


def make_page(found: Report, plots: dict[str, bytes], made: str, progress: Any = iter) -> str:
    """The whole file. `made` says when; photographs may be in it, so it stays with whoever owns them."""
    title = f"Where int8 hurts: {found.name}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p class=soft>{escape(made)}. {escape(matched(found))}. sha256 {escape(found.sha256[:16])}</p>",
        _tiles(found),
        _heading("Where the loss is born"),
        _note("One layer in int8, all else in float, and what that does to the outputs. Steps of a recurrence are taken together."),
        _plot(plots["harm"], "harm"),
        _table(HARM_HEADS, harm_rows(found.harms), "SQNR at the worst output, dB; lower hurts more"),
        _heading("Layer by layer"),
        _note(
            "SQNR is the float signal's power over the error's, in dB: 6 dB are one bit. whole: the int8 network against the float one, all that was "
            "lost up to here. alone: this layer's int8 kernel, fed with what the float network has before it. rounding: the float result rounded and "
            "clipped, nothing else. weights: the int8 weights against the float ones. clipped: float values beyond what int8 can say; after a ReLU many "
            "values at -128 are zeros and no loss. idle bits: what channels leave unused on the mean, as all share one scale. worst channel: its own SQNR."
        ),
        _plot(plots["sqnr"], "SQNR by layer"),
        _table(HEADS, rows(found), "of many the worst, of the range used and the idle bits the median; layers that only move numbers are left out"),
        _heading("What clips most"),
        _note("Sigmoid and tanh end at 255/256 and 127/128 in int8 by definition: what lies beyond is cut by half a step, and costs next to nothing."),
        _plot(plots["histograms"], "histograms"),
    ]
    said = found.disagreement
    if said is not None:
        parts += [_heading("Photographs on which they differ" if not found.drawn else "Drawn pictures on which they differ")]
        parts += [_note(words) for words in verdict(said, found.kind)]
        parts += [_heading("Float right, int8 wrong"), examples_as_html(progress(said.lost[:SHOWN])), _heading("Int8 right, float wrong")]
        parts += [examples_as_html(progress(said.won[:SHOWN]))]
    body = "\n".join(parts)
    head = f'<meta charset=utf-8><meta name=viewport content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"<!doctype html>\n<html lang=en><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def _tiles(found: Report) -> str:
    tiles = [(f"{decibel(layer.whole)} dB", f"at {layer.name}, int8 against float", f"error / std {layer.relative:.3f}") for layer in found.outputs]
    tiles.append((f"{decibel(found.all_weights)} dB", "all weights in int8 alone", "activations in float"))
    said = found.disagreement
    if said is not None and said.plates:
        tiles.append((f"{said.float_only} : {said.int8_only}", "float alone right : int8 alone right", f"of {said.plates} labelled plates"))
    shown = (f"<div class=tile><b>{escape(big)}</b>{escape(what)}<br><span class=soft>{escape(more)}</span></div>" for big, what, more in tiles)
    return f"<div class=tiles>{''.join(shown)}</div>"


def _heading(words: str) -> str:
    return f"<h2>{escape(words)}</h2>"


def _note(words: str) -> str:
    return f"<p class=soft>{escape(words)}</p>"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], caption: str) -> str:
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(word)}</td>" for word in line) + "</tr>" for line in lines)
    return f"<div class=scroll><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _plot(content: bytes, name: str) -> str:
    return f'<figure class="plot wide"><img alt="{escape(name)}" src="{data_url(content, "png")}"></figure>'
