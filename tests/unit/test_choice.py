"""What `--country` says."""

from __future__ import annotations

import pytest

from edge.errors import ConfigError
from edge.plates.choice import choice, everyone


@pytest.mark.parametrize(
    ("words", "mend"), [("zw,zzz", "zzz"), ("Germany", "'de' (Germany)"), ("DE", "'de'"), ("de,auto", "stand alone"), (",", "commas"), ("xx", "xx")]
)
def test_an_unknown_country_is_one_sentence_with_the_mend(words, mend):
    with pytest.raises(ConfigError, match=r"^country .*(known|alone)") as caught:
        choice(words)
    assert mend in str(caught.value)


def test_a_country_named_twice_counts_once():
    assert choice("de, fr,de").codes == ("de", "fr")
    assert choice("auto").codes == everyone()
    assert "xx" not in everyone()


@pytest.mark.parametrize("words", [None, "", "none"])
def test_nobody_need_name_a_country(words):
    assert choice(words).codes == ()
