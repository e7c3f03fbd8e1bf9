"""Lists that are looked up in an index say the same as lists that are gone through plate by plate."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.lists.book import Book
from edge.lists.entry import Entry, PlateList
from edge.lists.index import Index
from edge.lists.nearby import accepted
from edge.plates import guess
from edge.plates.choice import choice
from edge.plates.lookalike import HAIR, TWINS, cost, distance, family
from edge.vision.alphabet import ALPHABET

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FEW = "0OQ8BDA71"
"""Some that look alike and some that do not: texts of these are often near each other."""
texts = st.text(FEW, min_size=2, max_size=7) | st.text(ALPHABET, max_size=9)
tolerances = st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0])


@given(st.lists(texts, max_size=30), texts, tolerances)
@settings(max_examples=300, deadline=None)
def test_the_index_finds_what_comparing_with_every_plate_finds(plates: list[str], text: str, reach: float):
    """The same plates, the same distances, in the order of the list."""
    slow = [(plate, away) for plate in dict.fromkeys(plates) if (away := distance(plate, text)) <= reach + HAIR]
    index = Index(plates, reach)
    assert list(index.near(text)) == slow
    assert index.has_near(text) is bool(slow)


@given(st.lists(st.tuples(st.sampled_from(["allow", "deny", "ignore"]), tolerances, st.lists(texts.filter(bool), max_size=8)), max_size=4), texts)
@settings(deadline=None)
def test_a_book_takes_a_text_for_the_plate_that_comparing_with_all_gives(told: list[tuple[str, float, list[str]]], text: str):
    """Ignore before deny before allow, then the nearest; each list within its own tolerance."""
    lists = [PlateList(f"list {n}", kind, tuple(map(Entry, dict.fromkeys(plates))), wide) for n, (kind, wide, plates) in enumerate(told)]  # type: ignore[arg-type]
    near = [
        (["ignore", "deny", "allow"].index(one.kind), distance(entry.plate, text), one.name, entry.plate)
        for one in lists
        for entry in one.entries
        if text and distance(entry.plate, text) <= one.tolerance + HAIR
    ]
    match = Book(lists).match(text, NOON)
    assert (None if match is None else (match.distance, match.list, match.plate)) == (min(near)[1:] if near else None)


@given(st.text(ALPHABET, min_size=1, max_size=3), st.floats(0, 0.99))
@settings(max_examples=40, deadline=None)
def test_what_is_accepted_is_what_trying_every_text_finds(plate: str, tolerance: float):
    every = ("".join(chars) for chars in product(*([char, *TWINS[char]] for char in plate)))
    found = accepted(plate, tolerance)
    assert found == {text: distance(plate, text) for text in every if distance(plate, text) <= tolerance + HAIR}
    assert accepted(plate, tolerance, most=len(found)) == found
    assert accepted(plate, tolerance, most=len(found) - 1) is None


@given(st.sampled_from(ALPHABET), st.sampled_from(ALPHABET))
def test_characters_that_cost_less_than_a_stranger_are_of_one_family(a: str, b: str):
    """And a family is an equivalence: its head is its own head."""
    assert cost(a, b) == 1.0 or family(a) == family(b)
    assert family(family(a)) == family(a)


@given(st.text(FEW + "123", max_size=8), st.sampled_from(["auto", "de", "gb,fr,us"]))
@settings(max_examples=200, deadline=None)
def test_the_sieve_of_formats_lets_every_format_through_that_fits(text: str, words: str):
    codes = choice(words).codes
    shapes = guess._shapes(codes)
    fitting = {number for number, shape in enumerate(shapes) if shape.form.fits(text)}
    passing = list(guess._sieve(codes).passing(text))
    assert fitting <= set(passing)
    assert passing == sorted(passing)
    assert all(guess.share(text, shapes[number].places) == guess._share(text, shapes[number].headed) for number in fitting)
