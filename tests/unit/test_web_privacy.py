"""The sign and the record: the device's own figures, and nothing stored."""

from __future__ import annotations

import html
from pathlib import Path

from flask.testing import FlaskClient

from tests.pages import csrf

FILE = """
[store]
retention_days = 2.5
known_days = 1
crops = false
[gate]
enabled = true
audit_days = 12
[[targets]]
name = "hook"
kind = "webhook"
url = "https://user:s3cr3t@example.org/in?token=t0ken"
"""


def test_the_record_tells_what_the_config_says_now(client: FlaskClient, file: Path) -> None:
    shown = html.unescape(client.get("/privacy/record").text)
    for says in (
        "Plates on no list: 2.5 days",
        "Plates on a list: 1 day<",
        "Decisions about the gate: 12 days",
        "hook (webhook)",
        "example.org/in",
        "encrypted",
    ):
        assert says in shown
    assert "A picture of the plate." not in shown
    assert "s3cr3t" not in shown
    assert "t0ken" not in shown
    file.write_text("[privacy]\nknown_only = true\n")
    later = client.get("/privacy/record").text
    assert "Plates of strangers are not stored." in later
    assert "everything stays on this device" in later


def test_the_sign_speaks_another_language_than_the_page(client: FlaskClient) -> None:
    form = {"csrf": csrf(client)["X-CSRF-Token"], "name": "<b>Farm</b>", "language": "fr", "language_before": "en", "paper": "a5", "kept": "ever"}
    shown = client.post("/privacy", data=form).text
    assert "&lt;b&gt;Farm&lt;/b&gt;" in shown
    assert "Ici, les plaques sont lues" in shown
    assert "2,5 jours, puis effacé" in shown
    assert 'class="paper sign a5"' in shown
    assert '<html lang="en">' in shown


def test_nothing_of_it_is_stored(client: FlaskClient, tmp_path: Path, file: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    client.post("/privacy", data={"csrf": csrf(client)["X-CSRF-Token"], "name": "Mrs Unmistakable"})
    assert {path.name for path in tmp_path.iterdir()} == before
    assert all(b"Unmistakable" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
