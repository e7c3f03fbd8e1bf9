"""Which photographs to learn from and which to measure on: no plate may stand on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from train.data.formats.native import LabelledImage


def countable(image: LabelledImage, kind: str) -> int:
    """How many plates of the picture can be held against a network of that kind."""
    if kind == "reader":
        return sum(plate.exact and not plate.year_omitted for plate in image.plates)
    return 0 if image.crop else len(image.plates)


def texts(images: Iterable[LabelledImage]) -> set[str]:
    """Every text that stands on a plate of the pictures."""
    return {plate.text for image in images for plate in image.plates if plate.text}


def without(images: Sequence[LabelledImage], known: set[str]) -> list[LabelledImage]:
    """The pictures on which no plate has a text in `known`."""
    return [image for image in images if not any(plate.text in known for plate in image.plates)]


def split(images: Sequence[LabelledImage], kind: str, share: float, least: int, most: int, seed: int) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """(to learn from, set aside). Set aside are whole groups, chosen by the seed, until `share` of the countable plates is reached.

    But never fewer than `least` of them while there are any left, and no group begins beyond `most`. Both keep the order of `images`.
    """
    number = [countable(image, kind) for image in images]
    wanted = min(max(share * sum(number), least), most)
    members = groups(images, kind)
    aside: set[int] = set()
    taken = 0
    for place in np.random.default_rng(seed).permutation(len(members)):
        plates = sum(number[index] for index in members[place])
        if taken >= wanted:
            break
        if plates and (taken + plates <= 1.5 * wanted or taken < least):
            aside.update(members[place])
            taken += plates
    return [one for index, one in enumerate(images) if index not in aside], [one for index, one in enumerate(images) if index in aside]


def groups(images: Sequence[LabelledImage], kind: str) -> list[list[int]]:
    """Indices of pictures that belong together: they show the same plate, or, for the detector, come from the same run of a camera."""
    parent = list(range(len(images)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, image in enumerate(images):
        marks = [("plate", plate.text) for plate in image.plates if plate.text]
        # A fixed camera shows one street all day: a detector would be asked about a picture that it has all but seen.
        if image.session and (kind == "detector" or not marks):
            marks.append(("session", f"{image.source}/{image.session}"))
        for mark in marks:
            parent[root(index)] = root(first.setdefault(mark, index))
    together: dict[int, list[int]] = {}
    for index in range(len(images)):
        together.setdefault(root(index), []).append(index)
    return list(together.values())
