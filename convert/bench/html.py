"""The few pieces that the pages of the benchmark are made of, in the house's dress."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from train.evaluation.page import STYLE

Row = Sequence[str]


def page(title: str, parts: Iterable[str]) -> str:
    """One HTML file, whole in itself."""
    head = f'<meta charset=utf-8><meta name=viewport content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>'
    body = "\n".join(part for part in parts if part)
    return f"<!doctype html>\n<html lang=en><head>{head}</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"


def heading(words: str) -> str:
    return f"<h2>{escape(words)}</h2>"


def note(words: str) -> str:
    return f"<p class=soft>{escape(words)}</p>"


def warning(words: str) -> str:
    return f"<p><b>Warning:</b> {escape(words)}.</p>"


def tiles(told: Mapping[str, tuple[str, str]]) -> str:
    """What it is -> the figure and its reach."""
    each = (f"<div class=tile><b>{escape(value)}</b>{escape(words)}<br><span class=soft>{escape(reach)}</span></div>" for words, (value, reach) in told.items())
    return f"<div class=tiles>{''.join(each)}</div>"


def table(heads: Row, rows: Sequence[Row], caption: str = "") -> str:
    """Nothing where there are no rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(word)}</td>" for word in row) + "</tr>" for row in rows)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<div class=scroll><table>{said}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def plots(drawn: Mapping[str, bytes], wide: Sequence[str] = ()) -> str:
    """PNG pictures, those named in `wide` over the whole width."""
    each = ((name, "plot wide" if name in wide else "plot", base64.b64encode(png).decode()) for name, png in drawn.items())
    figures = (f'<figure class="{dress}"><img alt="{escape(name)}" src="data:image/png;base64,{data}"></figure>' for name, dress, data in each)
    return f"<div class=plots>{''.join(figures)}</div>" if drawn else ""
