"""Values as text in a form, and back."""

from __future__ import annotations

from typing import Any

import pytest

from edge.config import Config
from edge.errors import ConfigError
from edge.settings_file import forms
from edge.settings_file.keys import MANY, Key, find, keys


def key(name: str) -> Key:
    found = find(*name.split("."))
    assert found is not None
    return found


@pytest.mark.parametrize("one", [one for one in keys() if one.section != MANY], ids=lambda one: one.name)
def test_every_default_comes_back_as_it_was(one: Key) -> None:
    """So that a form that nobody touched changes nothing."""
    value = getattr(getattr(Config(), one.section), one.key)
    again = forms.read(one, forms.shown(one, value))
    assert (list(value) if isinstance(value, tuple) else value) == again


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("store.retention_days", "3,5", 3.5),
        ("night.latitude", "\N{MINUS SIGN}33.9", -33.9),
        ("night.latitude", "", None),
        ("web.port", " 8080 ", 8080),
        ("gate.enabled", "on", True),
        ("lists.allow", "a.toml\r\n\n b.csv ", ["a.toml", "b.csv"]),
        ("targets.headers", "A: b: c\nX-Kind: env:K", {"A": "b: c", "X-Kind": "env:K"}),
        ("view.include", "[[[0, 0], [1, 0], [1, 1]]]", [[[0, 0], [1, 0], [1, 1]]]),
        ("view.lens", "", None),
        ("country.code", "de,fr", "de,fr"),
    ],
)
def test_what_is_typed_is_read_as_it_is_meant(name: str, text: str, value: Any) -> None:
    assert forms.read(key(name), text) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("store.retention_days", "soon", "is a number, but 'soon' is none"),
        ("web.port", "80.5", "is a whole number"),
        ("web.port", "", "needs a number"),
        ("web.port", "1e999", "is a whole number"),
        ("gate.enabled", "yes", "is on or off"),
        ("targets.headers", "Bearer", "Name: value"),
        ("view.include", "[[", "a bracket"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_key_first(name: str, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}:? .*{says}"):
        forms.read(key(name), text)


def test_an_empty_field_of_what_may_be_unset_unsets_it() -> None:
    assert forms.change("night.latitude", "").action == "unset"
    assert forms.change("targets", {"name": "a", "tries": "5"}, "add").value == {"name": "a", "tries": 5}
