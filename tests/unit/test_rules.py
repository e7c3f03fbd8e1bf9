"""What the country files promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.plates.rules import candidates, countries, matches, parse

CODES = [code for code, country in countries().items() if not country.generic]


@pytest.mark.parametrize("code", CODES)
def test_a_countrys_good_examples_match(code: str) -> None:
    country = countries()[code]
    assert len(country.good) >= 2
    assert [text for text in country.good if not matches(text, code)] == []


@pytest.mark.parametrize("code", CODES)
def test_a_countrys_bad_examples_do_not_match(code: str) -> None:
    country = countries()[code]
    assert len(country.bad) >= 2
    assert [text for text in country.bad if matches(text, code)] == []


@pytest.mark.parametrize("code", CODES)
def test_a_file_is_named_after_its_code(code: str) -> None:
    assert countries()[code].code == code


@pytest.mark.parametrize("code", CODES)
def test_the_good_examples_name_their_country(code: str) -> None:
    for text in countries()[code].good:
        assert code in candidates(text)


def test_the_most_specific_country_comes_first() -> None:
    assert candidates("MH01AB1234") == ["in"]
    assert candidates("CA1234AB")[0] == "bg"


def test_nothing_fits_an_empty_text() -> None:
    assert candidates("") == []


def test_a_generic_country_is_no_candidate() -> None:
    assert countries()["xx"].generic
    assert not any("xx" in candidates(text) for text in ("ABC123", "1234567", "XX"))


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=12))
def test_every_candidate_matches(text: str) -> None:
    assert all(matches(text, code) for code in candidates(text))


def test_marks_are_drawn_and_not_read() -> None:
    country = parse('code = "zz"\nname = "Test"\n[sets]\nX = "AB"\n[lists]\nr = ["Q", "QR"]\n[[formats]]\npattern = "{r}*X?D-.n|5"\n')
    form = country.formats[0]
    assert form.lines == 2
    assert form.regex.fullmatch("QRA7N5")
    assert form.regex.fullmatch("Q7N5")
    assert not form.regex.fullmatch("QC7N5")


def test_an_open_list_accepts_texts_of_its_shape() -> None:
    country = parse('code = "zz"\nname = "Test"\nopen_lists = ["r"]\n[lists]\nr = ["Q", "QR"]\n[[formats]]\npattern = "{r}DD"\n')
    assert country.formats[0].regex.fullmatch("XY12")
    assert not country.formats[0].regex.fullmatch("XYZ12")


def test_an_unknown_list_is_an_error() -> None:
    with pytest.raises(KeyError):
        parse('code = "zz"\nname = "Test"\n[[formats]]\npattern = "{r}DD"\n')
