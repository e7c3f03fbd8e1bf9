"""From what somebody wrote to the text of a plate: A-Z and 0-9 alone, and every change told."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from edge.vision.alphabet import ALPHABET, normalise
from edge.vision.reader_codec import MAX_LENGTH

LOOKS_LIKE = dict(zip("АВЕКМНОРСТУХІЈЅԚԜ", "ABEKMHOPCTYXIJSQW", strict=True)) | dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
"""Cyrillic and Greek capitals that a plate prints as the Latin letter of the same shape (GOST R 50577 has twelve, Greek plates fourteen)."""
NO_TEXT = {"UNKNOWN", "UNREADABLE", "NOTREADABLE", "ILLEGIBLE", "UNLABELLED", "UNLABELED", "NONE", "NULL", "NAN", "NA", "NOPLATE"}
"""Written by people and programs where a text should be."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`text` None: there is none, and `reasons` says why. `partial`: characters were left out that can be seen."""

    text: str | None
    partial: bool = False
    reasons: tuple[str, ...] = ()


def clean(written: str | None) -> Cleaned:
    """Reasons are keys of REASONS, each once."""
    if written is None or not written.strip():
        return Cleaned(None)
    if normalise(written) in NO_TEXT:
        return Cleaned(None, reasons=("no text meant",))
    kept, left_out, reasons = [], 0, dict[str, None]()
    for glyph in _glyphs(written):
        char, reason = _latin(glyph)
        if char is None and reason is None:
            left_out += 1
        elif char:
            kept.append(char)
        if reason:
            reasons[reason] = None
    text = "".join(kept)
    if left_out:
        if len(text) < 2 or left_out > len(text):
            return Cleaned(None, reasons=(*reasons, "outside the alphabet"))
        reasons["glyphs left out"] = None
    if not text:
        return Cleaned(None, reasons=("no text meant",))
    if len(text) > MAX_LENGTH:
        return Cleaned(None, reasons=(*reasons, "text too long"))
    return Cleaned(text, left_out > 0, tuple(reasons))


def _glyphs(written: str) -> list[str]:
    """Characters in capitals, each with the marks that belong to it. `ß`, which would become two letters, stays as it is."""
    glyphs: list[str] = []
    for char in unicodedata.normalize("NFC", written):
        if unicodedata.combining(char) and glyphs:
            glyphs[-1] += char
        else:
            glyphs.append(char.upper() if len(char.upper()) == 1 else char)
    return glyphs


def _latin(glyph: str) -> tuple[str | None, str | None]:
    """(character, reason): ("", reason) for a separator, (None, None) for a glyph that the alphabet has not."""
    if glyph in ALPHABET:
        return glyph, None
    if glyph in LOOKS_LIKE:
        return LOOKS_LIKE[glyph], "transliterated"
    wide = unicodedata.normalize("NFKC", glyph).upper()
    if wide in ALPHABET and unicodedata.east_asian_width(glyph) == "F":
        return wide, "transliterated"
    bare = "".join(char for char in unicodedata.normalize("NFKD", glyph) if not unicodedata.combining(char)).upper()
    if len(bare) == 1 and bare in ALPHABET and unicodedata.category(glyph[0])[0] == "L":
        return bare, "accents dropped"
    if len(bare) == 1 and bare in LOOKS_LIKE:
        return LOOKS_LIKE[bare], "transliterated"
    # A question mark, an asterisk or a number sign stands for a character that nobody could read.
    if unicodedata.category(glyph[0]) in ("Zs", "Zl", "Zp", "Pd", "Pc", "Ps", "Pe", "Pi", "Pf", "Cc", "Cf", "Sk") or glyph in ".,:;'\"/\\!&·•・∙|+~=":
        return "", "separators dropped"
    return None, None
