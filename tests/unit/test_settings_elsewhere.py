"""A secret goes to no other host than the one that it was written for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.errors import ConfigError
from edge.settings_file.draft import Change, tried
from edge.settings_file.secrets import MASK, masked, unmasked
from edge.settings_file.settings import SettingsFile

FILE = """\
[[targets]]
name = "hook"
kind = "webhook"
url = "https://good.example/in"
headers = { Authorization = "Bearer s3cr3t", X-Kind = "env:KIND" }

[[targets]]
name = "other"
kind = "webhook"
url = "https://other.example/in"
"""
EVIL = "https://evil.example/in"


@pytest.mark.parametrize(
    "changes",
    [
        [Change("targets[0].url", "set", EVIL)],
        [Change("targets[0].url", "set", "http://good.example/in")],
        [Change("targets[0].url", "set", "https://good.example:8443/in")],
        [Change("targets[0]", "set", {"name": "hook", "kind": "webhook", "url": EVIL, "headers": {"Authorization": MASK}})],
        [Change("targets[0]", "move", 1), Change("targets[1].url", "set", EVIL)],
        [Change("targets[0].name", "set", "hook2"), Change("targets[0].url", "set", EVIL)],
    ],
)
def test_a_target_that_moves_needs_its_secrets_again(changes: list[Change]) -> None:
    with pytest.raises(ConfigError, match=r"^targets\[[01]\]\.headers: give it again in full"):
        tried(FILE, changes)


@pytest.mark.parametrize(
    "changes",
    [
        [Change("targets[0].url", "set", "https://good.example/elsewhere")],
        [Change("targets[0].url", "set", EVIL), Change("targets[0].headers", "set", {"Authorization": "Bearer s3cr3t"})],
        [Change("targets[0].url", "set", EVIL), Change("targets[0].headers", "set", {"X-Kind": "env:KIND"})],
        [Change("targets[0].url", "set", EVIL), Change("targets[0].headers", "unset")],
        [Change("targets[0]", "move", 1)],
        [Change("targets[1].url", "set", EVIL)],
    ],
)
def test_what_is_typed_or_goes_nowhere_else_is_taken(changes: list[Change]) -> None:
    assert tried(FILE, changes).problems == ()


def test_the_same_holds_for_the_file_as_text(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "c.toml")
    file.path.write_text(FILE)
    opened = file.open()
    assert "s3cr3t" not in opened.shown_text()
    with pytest.raises(ConfigError, match="give it again"):
        file.save_text(opened.shown_text().replace("good.example", "evil.example"), opened.etag)
    assert file.path.read_text() == FILE
    moved = opened.shown_text().replace("good.example", "evil.example").replace(f'"{MASK}"', '"Bearer new"')
    assert file.save_text(moved, opened.etag).changed == ("targets",)


@pytest.mark.parametrize(
    ("before", "after", "good"),
    [
        ("https://u:p@good/x", f"https://{MASK}@good/y", "https://u:p@good/y"),
        ("https://u:p@good/x", f"https://{MASK}@evil/x", None),
        ("https://u:p@good/x", f"http://{MASK}@good/x", None),
        ("https://u:p@good/x", f"https://evil/?{MASK}@good/x", None),
        ("https://u:p@good/x", f"https://{MASK}@good.evil/x", None),
        ("https://u:p@good/x", f"https://{MASK}@good\\@evil/x", None),
        ("https://good/x?token=abc", f"https://good/y?token={MASK}", "https://good/y?token=abc"),
        ("https://good/x?token=abc", f"https://evil/x?token={MASK}", None),
    ],
)
def test_a_login_in_an_address_stays_with_its_host(before: str, after: str, good: Any) -> None:
    assert MASK in masked("url", before)
    if good is None:
        with pytest.raises(ConfigError, match="write the whole value"):
            unmasked("url", after, before)
    else:
        assert unmasked("url", after, before) == good


def test_a_saving_that_changes_nothing_leaves_the_earlier_file_alone(tmp_path: Path) -> None:
    """Else going back would lead nowhere."""
    file = SettingsFile(tmp_path / "c.toml")
    file.path.write_text(FILE)
    file.save([Change("camera.name", "set", "yard")], file.open().etag)
    assert file.save([], file.open().etag).changed == ()
    file.restore(file.open().etag)
    assert file.path.read_text() == FILE
