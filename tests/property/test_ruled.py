"""Promises of the country rules for any text and any evidence."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.plates.automaton import automaton
from edge.plates.choice import everyone
from edge.plates.guess import posterior
from edge.plates.ruled import apply_rules
from edge.plates.rules import countries, matches
from edge.vision.alphabet import ALPHABET
from tests.evidence import read_of, wavering

TEXTS = st.text(ALPHABET, min_size=1, max_size=10)
CODES = st.sampled_from(everyone())
UNHURRIED = settings(deadline=None)
"""The first read of a country builds its automaton."""


@st.composite
def plates(draw: st.DrawFn) -> tuple[str, str]:
    """(a country, a text that one of its formats writes)."""
    code = draw(CODES)
    forms = [form for form in countries()[code].formats if form.rule]
    form = draw(st.sampled_from(forms))
    return code, "".join(draw(st.sampled_from(place.choices)) for place in form.places if place.choices and not (place.optional and draw(st.booleans())))


@st.composite
def evidence(draw: st.DrawFn) -> np.ndarray:
    """Logits of a reader that wavers at some places of any text."""
    text = draw(TEXTS)
    doubts = draw(st.dictionaries(st.integers(0, len(text) - 1), st.tuples(st.sampled_from(ALPHABET), st.floats(0.01, 0.45)), max_size=4))
    return wavering(text, {place: {char: p} for place, (char, p) in doubts.items() if char != text[place]})


@UNHURRIED
@given(plates())
def test_the_automaton_accepts_every_plate_of_its_country(plate):
    code, text = plate
    assert automaton((code,)).accepts(text)


@UNHURRIED
@given(TEXTS, CODES)
def test_the_automaton_and_the_patterns_agree(text, code):
    assert automaton((code,)).accepts(text) == matches(text, code)


@UNHURRIED
@given(plates())
def test_a_plate_that_fits_and_is_surely_read_comes_out_unchanged(plate):
    code, text = plate
    assume(len(text) <= 14)
    read = read_of(wavering(text))
    for country in (code, f"{code},de", "none"):
        ruled = apply_rules(read, country)
        assert (ruled.text, ruled.confidence, ruled.changed) == (text, read.confidence, False)
    assert apply_rules(read, code).country == code


@UNHURRIED
@given(TEXTS, st.one_of(CODES, st.just("auto"), st.just("gb,in")))
def test_perfect_evidence_is_never_overruled(text, country):
    read = read_of(wavering(text))
    assert apply_rules(read, country).text == read.text == text


@UNHURRIED
@given(evidence(), st.one_of(st.sampled_from(["br", "gb", "in", "us", "vn", "br,gb"]), st.just("auto")))
def test_a_ruled_text_matches_its_country_and_a_raw_one_is_as_read(logits, country):
    read = read_of(logits)
    ruled = apply_rules(read, country)
    codes = everyone() if country == "auto" else tuple(country.split(","))
    assert ruled.raw_text == read.text
    if ruled.changed:
        assert any(matches(ruled.text, code) for code in codes)
        assert not any(matches(read.text, code) for code in codes)
        assert 0.0 < ruled.confidence <= 1.0
        assert "".join(one.char for one in ruled.characters) == ruled.text
    else:
        assert (ruled.confidence, ruled.characters) == (read.confidence, read.characters)
    if ruled.country:
        assert any(matches(ruled.text, code) for code in codes if code[:2] == ruled.country[:2])


@UNHURRIED
@given(TEXTS)
def test_the_shares_of_all_countries_and_the_stray_plate_are_one(text):
    shares = posterior(text, everyone())
    assert abs(sum(shares.values()) - 1.0) < 1e-9
    assert all(p >= 0.0 for p in shares.values())
