"""A country's formats as an automaton."""

from __future__ import annotations

from random import Random

import pytest

from edge.plates.automaton import DEAD, MOST_STATES, Automaton, automaton
from edge.plates.choice import everyone
from edge.plates.rules import countries, parse
from edge.vision.alphabet import ALPHABET

OWN = 'code = "zz"\nname = "Test"\nopen_lists = ["free"]\n[lists]\ntown = ["Q", "QR", "STU"]\nfree = ["A", "BCD"]\n[sets]\nX = "AB"\n'


def of(*patterns: str) -> Automaton:
    return Automaton(parse(OWN + "".join(f'[[formats]]\npattern = "{pattern}"\n' for pattern in patterns)).formats)


@pytest.mark.parametrize("code", everyone())
def test_a_countrys_examples_are_accepted_and_its_counterexamples_are_not(code: str) -> None:
    country, machine = countries()[code], automaton((code,))
    assert [text for text in country.good if not machine.accepts(text)] == []
    assert [text for text in country.bad if machine.accepts(text)] == []


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("X-D.D|n", ["A12N", "B00N"], ["C12N", "A1N", "A12", "A-12N"]),
        ("L?ND?", ["1", "A1", "A12", "12"], ["A0", "A", "", "AA1"]),
        ("{town} D", ["Q1", "QR1", "STU1"], ["R1", "ST1", "QRQ1"]),
        ("{town}?D", ["1", "STU1"], ["S1"]),
        ("{free}D", ["A1", "ZZ1", "XYZ1"], ["1", "WXYZ1"]),
        ("{free}?DD", ["12", "Z12"], ["Z1"]),
    ],
)
def test_each_kind_of_place_accepts_what_it_says(pattern: str, fits: list[str], does_not: list[str]) -> None:
    machine = of(pattern)
    assert [text for text in fits if not machine.accepts(text)] == []
    assert [text for text in does_not if machine.accepts(text)] == []


def test_several_formats_are_accepted_side_by_side() -> None:
    machine = of("LLD", "LDD")
    assert [machine.accepts(text) for text in ("AB1", "A12", "ABC", "123")] == [True, True, False, False]


def test_a_wrong_character_leads_nowhere_at_once() -> None:
    machine = of("LD")
    assert machine.step(0, "1") == DEAD
    assert not machine.accepting(machine.step(0, "A"))


def test_formats_that_are_no_rule_are_left_out() -> None:
    assert any(not form.rule and form.fits("DUKDAWG") for form in countries()["us"].formats)
    assert not automaton(("us",)).accepts("DUKDAWG")


def test_of_several_countries_any_will_do() -> None:
    both = automaton(("br", "vn"))
    assert [both.accepts(text) for text in ("ABC1D23", "51F12345", "MH01AB1234")] == [True, True, False]


def test_it_stays_small_however_much_is_read_that_is_no_plate() -> None:
    """A sign is read in ever new ways; what was walked for it is forgotten between two reads, and plates are known as before."""
    random, codes = Random(1), everyone()
    whole = automaton(codes)
    good = [text for code in ("de", "gb", "fr", "cz") for text in countries()[code].good]
    known = [whole.accepts(text) for text in good]
    largest = 0
    for _ in range(1500):
        machine, state = automaton(codes), [0]
        for char in random.choices(ALPHABET, k=9):
            state = [after for before in state if (after := machine.step(before, char)) != DEAD] or [0]
        largest = max(largest, len(machine))
    assert MOST_STATES < largest < MOST_STATES + 20
    assert [automaton(codes).accepts(text) for text in good] == known
