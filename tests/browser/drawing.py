"""What is plugged in where, as a drawing: no board in particular, since the sockets lie elsewhere on each."""

from __future__ import annotations

BOXES = (
    (330, 80, 200, 160, "#dff0e2", "#3d7a4a", "Raspberry Pi", "4 or 5, 64-bit"),
    (20, 80, 240, 64, "#fff", "#5b6472", "1. The card", "its slot is on the underside"),
    (20, 176, 240, 64, "#fff", "#5b6472", "2. The camera", "by ribbon or USB; or in the network"),
    (600, 80, 240, 64, "#fff", "#5b6472", "3. The network", "a cable; for Wi-Fi plug nothing"),
    (600, 176, 240, 64, "#fff", "#a4461a", "4. The power supply", "last: it starts by itself"),
)
"""x, y, width, height, fill, edge, words, smaller words."""
LINES = ((260, 112, 330, 112), (260, 208, 330, 208), (600, 112, 530, 112), (600, 208, 530, 208))


def _box(x: int, y: int, width: int, height: int, fill: str, edge: str, words: str, more: str) -> str:
    middle, top = x + width // 2, y + height // 2
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{edge}" stroke-width="2"/>'
        f'<text x="{middle}" y="{top - 4}" font-size="16" font-weight="600">{words}</text>'
        f'<text x="{middle}" y="{top + 16}" font-size="12.5">{more}</text>'
    )


def _line(x: int, y: int, to_x: int, to_y: int) -> str:
    return f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="#5b6472" stroke-width="3"/><circle cx="{to_x}" cy="{to_y}" r="5" fill="#5b6472"/>'


DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 290" font-family="DejaVu Sans, Arial, sans-serif" text-anchor="middle" fill="#1b1f24" role="img">'
    "<title>What is plugged into the Raspberry Pi: the card, the camera, the network, and last the power supply</title>"
    '<rect width="860" height="290" fill="#fff"/><text x="430" y="50" font-size="20" font-weight="600">Plug in, in this order, with the power off</text>'
    + "".join(_line(*one) for one in LINES)
    + "".join(_box(*one) for one in BOXES)
    + '<text x="430" y="275" font-size="12" fill="#5b6472">'
    + "Not to scale: where the sockets are differs from board to board. Never pull the ribbon or the card while there is power."
    + "</text></svg>\n"
)
