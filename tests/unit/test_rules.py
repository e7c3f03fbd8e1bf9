"""What the country files promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.plates.rules import COUNTRIES, candidates, countries, matches, parse

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
    assert form.fits("QRA7N5")
    assert form.fits("Q7N5")
    assert not form.fits("QC7N5")


def test_an_open_list_accepts_texts_of_its_shape() -> None:
    country = parse('code = "zz"\nname = "Test"\nopen_lists = ["r"]\n[lists]\nr = ["Q", "QR"]\n[[formats]]\npattern = "{r}DD"\n')
    assert country.formats[0].fits("XY12")
    assert not country.formats[0].fits("XYZ12")


def test_an_unknown_list_is_an_error() -> None:
    with pytest.raises(ConfigError):
        parse('code = "zz"\nname = "Test"\n[[formats]]\npattern = "{r}DD"\n')


def test_a_state_takes_what_it_does_not_write_from_its_country(tmp_path: Path) -> None:
    (tmp_path / "zz.toml").write_text('code = "zz"\nname = "Test"\nweight = 4\nsize = [1, 2]\nborder = 0.5\n[sets]\nX = "AB"\n[[formats]]\npattern = "DD"\n')
    state = parse('extends = "zz"\ncode = "zz-a"\nname = "Part"\nweight = 1\nborder = 0.1\n[[formats]]\npattern = "XXD"\n', tmp_path)
    assert (state.code, state.weight) == ("zz-a", 1.0)
    assert dict(state.drawing) == {"size": [1, 2], "border": 0.1}
    assert [form.pattern for form in state.formats] == ["XXD"]
    assert state.formats[0].fits("AB1")
    assert not state.formats[0].fits("CB1")


def test_every_file_is_found_under_its_own_name() -> None:
    assert {path.stem for path in COUNTRIES.glob("*.toml")} == set(countries())


def test_the_states_together_weigh_no_more_than_twice_the_heaviest_other_country() -> None:
    """A hundred state files must not drown the rest of the world."""
    weights = {code: country.weight for code, country in countries().items() if not country.generic}
    heaviest = max(weight for code, weight in weights.items() if not code.startswith("us"))
    assert sum(weight for code, weight in weights.items() if code.split("-")[0] == "us") < 2 * heaviest


def test_california_knows_its_plates() -> None:
    assert matches("7ABC123", "us-ca")
    assert not matches("ABC1234", "us-ca")
    assert "us-ca" in candidates("7ABC123")
