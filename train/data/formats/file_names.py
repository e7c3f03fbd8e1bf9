"""Plates cut out, each named by its text: `ABC123.jpg`, `ABC123_1.jpg`, as LPRNet in PyTorch has them."""

from __future__ import annotations

import re
from pathlib import Path

from train.data.formats.raw import Imported, RawImage, RawPlate, Wishes
from train.data.formats.tree import Tree

HELP = "the file name is the text (LPRNet in PyTorch): ABC123.jpg, and ABC123_1.jpg for another picture of that plate"
IS_A_GUESS = True
_NAME = re.compile(r"^(?P<text>[^\W_](?:[^\W_]|[ .·-]){2,15}?)(?:_\d{1,5}| ?\(\d{1,3}\)|-\d{1,2})?$")


def recognise(tree: Tree) -> int:
    """0 where the names look like a camera's: many of them with one beginning and a running number."""
    texts = [text for path in tree.pictures if (text := text_of(path)) and any(c.isdigit() for c in text)]
    beginnings = {re.sub(r"\d+$", "", text) for text in texts}
    wordy = sum(any(c.isalpha() for c in text) for text in texts)
    return len(texts) if len(texts) >= 0.8 * len(tree.pictures) and len(beginnings) > 0.4 * len(texts) and wordy > 0.5 * len(texts) else 0


def read(tree: Tree, wishes: Wishes) -> Imported:
    """Pictures with another kind of name are left to be reported as pictures without a label."""
    for path in tree.pictures:
        if text := text_of(path):
            yield RawImage(path, tree.relative(path), (RawPlate(text=text),), crop=True)


def text_of(path: Path) -> str | None:
    """The text, without the number that tells several pictures of one plate apart; None where the name can be none."""
    name = path.name.split(".")[0] if re.search(r"\.(jpe?g|png|bmp)\.", path.name, re.IGNORECASE) else path.stem
    found = _NAME.match(name.strip())
    return found["text"] if found and len(found["text"]) <= 16 else None
