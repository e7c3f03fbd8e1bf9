"""How much a text looks like a plate of a country."""

from __future__ import annotations

import itertools

import pytest

from edge.plates.automaton import alternatives
from edge.plates.choice import choice, everyone
from edge.plates.guess import format_of, log_prior, name, posterior, share
from edge.plates.rules import parse

OWN = 'code = "zz"\nname = "Test"\nopen_lists = ["free"]\n[lists]\ntown = ["A", "AB"]\nfree = ["A", "BB"]\n[sets]\nX = "AB"\nY = "1AB"\n[[formats]]\npattern = '


@pytest.mark.parametrize("pattern", ["XY?X", "{town}X-X", "{town}?Y|Y", "XXX?X?", "{town}{town}"])
def test_the_texts_of_a_format_share_one(pattern):
    """Also where a text can be written in two ways, as AB is with A-B and with the town AB."""
    places = [alternatives(place) for place in parse(OWN + f'"{pattern}"').formats[0].places if place.choices]
    texts = ("".join(chars) for length in range(7) for chars in itertools.product("AB1", repeat=length))
    assert sum(share(text, places) for text in texts) == pytest.approx(1.0)


def test_every_text_of_one_length_of_an_open_list_is_as_likely():
    places = [alternatives(place) for place in parse(OWN + '"{free}"').formats[0].places]
    assert share("A", places) == share("Z", places) == pytest.approx(0.5 / 26)
    assert share("BB", places) == share("QZ", places) == pytest.approx(0.5 / 26**2)


def test_a_text_of_a_country_is_likelier_than_a_stray_one():
    assert log_prior("MH01AB1234", ("in",)) > log_prior("MH0IAB1234", ("in",)) + 10


def test_a_narrow_format_proves_its_country_and_a_wide_one_nothing():
    assert posterior("MH01AB1234", everyone())["in"] > 0.99
    assert max(posterior("ABC123", everyone()).values()) < 0.5
    assert posterior("QQQQQQQQQQ", everyone())[""] > 0.99


def test_a_single_country_that_was_told_is_named_wherever_it_fits():
    assert name("ABC123", choice("us")) == ("us", True)
    assert name("ABC123", choice("us,pk"))[1] is False
    assert name("DUKDAWG", choice("us")) == (None, False)
    assert name("ABC123", choice("none")) == (None, False)


def test_the_format_of_a_text_is_the_likeliest_that_fits():
    assert format_of("OZL2318", "br").pattern == "LLL-DDDD"
    assert format_of("0ZL2318", "br") is None
