"""What a plate says, given whose plate it is."""

from __future__ import annotations

import math

import pytest

from edge.plates.choice import everyone
from edge.plates.ruled import apply_rules, rule_looks
from tests.builders import a_read
from tests.evidence import read_of, unseen, wavering


@pytest.mark.parametrize(
    ("country", "read", "doubts", "says"),
    [
        ("br", "0ZL2318", {0: {"O": 0.3}}, "OZL2318"),
        ("br", "OZL23I8", {5: {"1": 0.2}}, "OZL2318"),
        ("gb", "V056VUF", {1: {"O": 0.1}}, "VO56VUF"),
        ("in", "MH02AJ3L5", {7: {"4": 0.4}}, "MH02AJ345"),
        ("in", "KLU2AF6363", {2: {"0": 0.4}}, "KL02AF6363"),
        ("vn", "54T16U84", {5: {"0": 0.1}}, "54T16084"),
        ("cz", "4EO2304", {2: {"0": 0.2}}, "4E02304"),
    ],
)
def test_a_look_alike_gives_way_to_the_character_that_the_format_wants(country, read, doubts, says):
    ruled = apply_rules(read_of(wavering(read, doubts)), country)
    assert (ruled.text, ruled.raw_text, ruled.country, ruled.changed) == (says, read, country, True)
    assert ruled.format
    assert ruled.cost == pytest.approx(ruled.raw_log_p - ruled.log_p)
    assert "".join(one.char for one in ruled.characters) == says
    assert ruled.confidence == pytest.approx(math.prod(one.confidence for one in ruled.characters))
    assert 0.2 < ruled.confidence <= 1.0


def test_without_a_country_the_text_is_the_readers():
    read = read_of(wavering("0ZL2318", {0: {"O": 0.3}}))
    for country in ("none", None, ""):
        ruled = apply_rules(read, country)
        assert (ruled.text, ruled.confidence, ruled.characters, ruled.country, ruled.changed) == (read.text, read.confidence, read.characters, None, False)


def test_a_text_that_fits_is_not_touched_however_unsure():
    read = read_of(wavering("OZL2318", {0: {"D": 0.45}, 3: {"7": 0.4}}))
    ruled = apply_rules(read, "br")
    assert (ruled.text, ruled.confidence, ruled.country) == ("OZL2318", read.confidence, "br")


def test_a_character_is_put_in_only_where_the_reader_half_saw_it():
    seen = apply_rules(read_of(unseen("ZL2318", 0, "O", 0.3)), "br")
    invented = apply_rules(read_of(unseen("ZL2318", 0, "O", 0.02)), "br")
    assert (seen.text, invented.text) == ("OZL2318", "ZL2318")


def test_a_mark_that_was_read_as_a_character_is_left_out():
    read = read_of(wavering("OZL12318", {3: {"": 0.3}}))
    assert (read.text, apply_rules(read, "br").text) == ("OZL12318", "OZL2318")


def test_of_two_texts_that_fit_equally_well_none_is_taken():
    assert apply_rules(read_of(wavering("0ZL2318", {0: {"O": 0.2, "Q": 0.15}})), "br").text == "0ZL2318"


def test_a_change_that_the_reader_excludes_is_not_made():
    assert apply_rules(read_of(wavering("0ZL2318", {0: {"O": 0.01}})), "br").text == "0ZL2318"


def test_a_poor_read_is_not_made_a_plate():
    doubts = {place: {"": 0.3, "X": 0.3} for place in range(6)}
    read = read_of(wavering("0ZL2318", doubts))
    assert apply_rules(read, "br").text == read.text
    nothing = apply_rules(a_read(""), "br")
    assert (nothing.text, nothing.country, nothing.format) == ("", None, None)


def test_a_vanity_plate_stays_what_it_says():
    for text in ("DUKDAWG", "IM4REAL", "LOVBUG"):
        ruled = apply_rules(read_of(wavering(text, {1: {"0": 0.05}})), "us")
        assert (ruled.text, ruled.country) == (text, None)


def test_a_plate_of_two_lines_is_ruled_over_both():
    read = read_of(wavering("MHO2", {2: {"0": 0.2}, 7: {"1": 0.3}}, lower="AJ3I44"))
    assert (apply_rules(read, "in").text, read.text, read.lines) == ("MH02AJ3144", "MHO2AJ3I44", 2)


def test_a_format_of_one_line_need_not_split_where_the_plate_does():
    read = read_of(wavering("0ZL2", {0: {"O": 0.3}}, lower="318"))
    assert apply_rules(read, "br").text == "OZL2318"


def test_without_logits_the_country_is_named_all_the_same():
    ruled = apply_rules(a_read("OZL2318"), "br")
    assert (ruled.text, ruled.country) == ("OZL2318", "br")
    assert apply_rules(a_read("0ZL2318"), "br").text == "0ZL2318"


def test_of_several_countries_one_is_named_only_where_no_other_fits():
    assert apply_rules(a_read("OZL2318"), "br,vn").country == "br"
    assert apply_rules(a_read("OZL2318"), "br,ar,us").country is None
    assert apply_rules(read_of(wavering("54T16U84", {5: {"0": 0.1}})), "br,vn").country == "vn"


def test_where_no_country_is_told_a_plate_that_only_one_writes_is_ruled_and_named():
    ruled = apply_rules(read_of(wavering("KLU2AF6363", {2: {"0": 0.4}})), "auto")
    assert (ruled.text, ruled.country) == ("KL02AF6363", "in")


def test_where_no_country_is_told_a_plate_of_many_is_left_alone():
    ruled = apply_rules(read_of(wavering("0ZL2318", {0: {"O": 0.3}})), "auto")
    assert (ruled.text, ruled.country) == ("0ZL2318", None)
    assert apply_rules(a_read("ABC123"), "auto").country is None


def test_a_region_that_nobody_asked_for_is_its_country():
    assert {code[:2] for code in everyone() if "-" in code} >= {"us"}
    assert apply_rules(a_read("7ABC123"), "us-ca").country == "us-ca"
    assert all("-" not in (apply_rules(a_read(text), "auto").country or "") for text in ("7ABC123", "1ABC234", "ABC1234", "A123BCD"))


def test_one_look_of_a_track_is_ruled_as_a_single_picture():
    logits = wavering("0ZL2318", {0: {"O": 0.3}})
    assert rule_looks([(logits, 0.7)], read_of(logits), "br") == apply_rules(read_of(logits), "br")


def test_looks_that_waver_differently_agree_on_what_all_allow():
    looks = [wavering("0ZL2318", {0: {"O": 0.2, "Q": 0.15}}), wavering("0ZL2318", {0: {"O": 0.3, "D": 0.25}})]
    assert [apply_rules(read_of(look), "br").text for look in looks] == ["0ZL2318"] * 2
    assert rule_looks([(look, 1.0) for look in looks], read_of(looks[0]), "br").text == "OZL2318"


def test_a_look_counts_by_its_weight():
    wants_o, wants_q = wavering("0ZL2318", {0: {"O": 0.4, "Q": 0.01}}), wavering("0ZL2318", {0: {"Q": 0.4, "O": 0.01}})
    said = [rule_looks([(wants_o, own), (wants_q, 1.0 - own)], read_of(wants_o), "br").text for own in (0.9, 0.5, 0.1)]
    assert said == ["OZL2318", "0ZL2318", "QZL2318"]


def test_a_look_that_cut_a_character_off_has_no_veto():
    whole, cut = wavering("0ZL2318", {0: {"O": 0.4}}), wavering("ZL2318")
    assert rule_looks([(whole, 1.0), (whole, 1.0), (cut, 0.5)], read_of(whole), "br").text == "OZL2318"


def test_many_looks_with_the_same_doubt_are_no_more_than_one():
    likely, hardly = wavering("0ZL2318", {0: {"O": 0.05}}), wavering("0ZL2318", {0: {"O": 0.01}})
    assert [rule_looks([(look, 1.0)] * 8, read_of(look), "br").text for look in (likely, hardly)] == ["OZL2318", "0ZL2318"]
