"""Whatever is changed of a config, its text says it, its comments stay, and masks come off as they went on."""

from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.settings_file.draft import Change, tried
from edge.settings_file.keys import keys
from edge.settings_file.secrets import MASK, masked, masked_text, unmasked, unmasked_text
from tests.unit.test_settings_file import FILE

SIMPLE = [key for key in keys() if key.section != "targets" and key.type in ("flag", "whole", "number", "choice") and not key.secret]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    key = draw(st.sampled_from(SIMPLE))
    if draw(st.booleans()):
        return Change(key.name, "unset")
    least, most = key.least if key.least is not None else -1000, key.most if key.most is not None else 1000
    values = {
        "flag": st.booleans(), "choice": st.sampled_from(key.choices or ("",)), "whole": st.integers(int(least), int(most)),
        "number": st.floats(least, most, allow_subnormal=False),
    }  # fmt: skip
    return Change(key.name, "set", draw(values[key.type]))


@settings(max_examples=150, deadline=None)
@given(wanted=st.lists(changes(), max_size=8))
def test_the_text_says_what_was_wanted_and_nothing_else(wanted: list[Change]) -> None:
    made = tried(FILE, wanted).text
    found, before = tomllib.loads(made), tomllib.loads(FILE)
    last = {change.name: change for change in wanted}
    for key in SIMPLE:
        value = found.get(key.section, {}).get(key.key)
        change = last.get(key.name)
        assert value == (before.get(key.section, {}).get(key.key) if change is None else change.value)
    assert found["targets"] == before["targets"]
    assert [line for line in FILE.splitlines() if line.startswith("#") and line not in made.splitlines()] == []


secret = st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=("C", "Z")), min_size=3, max_size=20)


@given(value=secret, others=st.lists(st.sampled_from(['name = "a"', "# note", "", "port = 1"]), max_size=4))
def test_masks_come_off_as_they_went_on(value: str, others: list[str]) -> None:
    text = "\n".join([*others, "[web]", f'password_hash = "{value}"', "[targets.headers]", f'X = "{value}"'])
    shown = masked_text(text)
    assert unmasked_text(shown, text) == text
    if not value.startswith(("env:", "file:")) and len(value) > 5:
        assert value not in shown
    assert unmasked("password", masked("password", value), value) == value


@given(login=st.text("ab:/@?&=#!", min_size=1, max_size=12), path=st.text("abc/", max_size=8))
def test_no_login_of_an_address_is_shown(login: str, path: str) -> None:
    address = f"rtsp://x{login}SECRET@host/{path}"
    shown = masked("source", address)
    assert "SECRET" not in shown
    assert MASK in shown
    assert unmasked("source", shown, address) == address
