"""Why a label was dropped, mended or only noted: the whole list. docs/prepare.md shows it, and a test compares."""

from __future__ import annotations

from typing import NamedTuple

DROPPED = ("label", "picture", "plate", "text")


class Reason(NamedTuple):
    """`action`: one of DROPPED (that much is dropped), or `mended` or `noted` (nothing is)."""

    action: str
    words: str


REASONS = {
    "broken label": Reason("label", "a line or a file of labels that does not follow its format"),
    "no label": Reason("picture", "a picture that no label names; an empty label file says that there is no plate, none at all says nothing"),
    "missing picture": Reason("picture", "the label names a picture that is not there, or several of that name are"),
    "undecodable picture": Reason("picture", "the file is empty, cut short, corrupt or no picture"),
    "size differs": Reason("picture", "the labels were drawn on a picture of another shape than this one"),
    "same file twice": Reason("picture", "byte for byte a picture that is already there, with no more plates than that one"),
    "contradicting labels": Reason("picture", "the same file with two different texts for one plate: nobody knows which is right, so none is kept"),
    "near-duplicate": Reason("picture", "looks like a picture that is already there, and --drop-near-duplicates was given"),
    "no usable plate": Reason("picture", "all its plates were dropped; kept, it would say that there is none"),
    "no text": Reason("picture", "a plate cut out without a usable text teaches nothing"),
    "empty box": Reason("plate", "less than two pixels wide or high, or not a number"),
    "box outside": Reason("plate", "more than half of it lies outside the picture"),
    "degenerate polygon": Reason("plate", "fewer than three different points, or all on one line"),
    "outside the alphabet": Reason("text", "most of its characters are neither A-Z nor 0-9 nor look like them"),
    "text too long": Reason("text", "more characters than the reader can write"),
    "plate cut off": Reason("text", "more than a tenth of the plate lies outside the picture, so the text cannot be read from it"),
    "transliterated": Reason("mended", "Cyrillic, Greek or full-width letters written as the Latin ones they look like"),
    "accents dropped": Reason("mended", "letters with marks written without them (Ü as U)"),
    "separators dropped": Reason("mended", "spaces, dashes, dots and the like left out of the text"),
    "glyphs left out": Reason("mended", "characters outside the alphabet left out of the text; the plate is marked partial"),
    "no text meant": Reason("mended", 'the text says that there is none ("unknown", "n/a", ...)'),
    "box clipped": Reason("mended", "a box that reached outside the picture, cut at its edge"),
    "corners dropped": Reason("mended", "corners outside the picture; the box stays"),
    "box turned round": Reason("mended", "right and left, or top and bottom, were exchanged"),
    "corners reordered": Reason("mended", "four corners put clockwise from the top-left one"),
    "polygon without corners": Reason("mended", "not four-cornered even when simplified: only its box is kept"),
    "scaled": Reason("mended", "labels of the same shape as the picture but of another size, scaled to it"),
    "turned": Reason("mended", "labels drawn on the picture as stored, turned with it by its EXIF orientation"),
    "written upright": Reason("mended", "a picture stored turned (EXIF), written again upright"),
    "written anew": Reason("mended", "neither JPEG nor PNG, so written again as one"),
    "orientation unknown": Reason("noted", "the picture is stored turned (EXIF) and its labels do not say on which side up they were drawn: --exif decides"),
    "odd shape": Reason("noted", "a plate narrower than 0.6 or wider than 9 times its height; look at it"),
    "other class": Reason("noted", "objects of a class that is no plate"),
    "crowd": Reason("noted", "a box around several plates (iscrowd), kept as a place to ignore"),
    "looks predicted": Reason("noted", "a confidence beside each box: these seem to be another detector's output, not labels"),
    "another name": Reason("noted", "the label names another picture than the one that stands beside it; the one beside it is taken"),
    "unknown region": Reason("noted", "a region that is no country of edge/plates/countries; kept as plate_region"),
    "breaks its own rules": Reason("noted", "a text that the format's own settings (slots, alphabet) do not allow"),
    "looks alike": Reason("noted", "near-duplicates of another picture: kept on one side of the split"),
}
"""In the order in which the table shows them: what is lost first."""
