"""The live room: the picture with what belongs to it, the switch, and why a daemon does not do all that it could."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from edge.errands import Answer
from edge.showing import encode
from edge.web import words
from edge.web.language import LANGUAGES
from tests.desks import FakeDesk
from tests.pages import a_page, csrf, logged_in, the_access

FIGURES = {
    "number": 7,
    "at": "2026-11-23T07:00:00+00:00",
    "width": 320,
    "height": 180,
    "plates": [{"quad": [[0, 0], [9, 0], [9, 9], [0, 9]], "text": "Ä<b>", "confidence": 0.5}],
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[FakeDesk]:
    with FakeDesk(tmp_path / "run") as desk:
        yield desk


def a_client(folder: Path, role: str) -> FlaskClient:
    the_access(folder).add_user("jo", role, "long enough")
    return logged_in(a_page(folder), "jo", "long enough")


def test_the_picture_and_its_figures_are_of_one_file(tmp_path: Path) -> None:
    """In the header of the picture, and the same from the API."""
    (tmp_path / "run").mkdir()
    client = a_client(tmp_path, "viewer")
    assert client.get("/api/live").status_code == 503
    (tmp_path / "run/live.jpg").write_bytes(encode(np.zeros((90, 160), np.uint8), FIGURES))
    answer = client.get("/live.jpg")
    assert json.loads(answer.headers["X-Figures"]) == client.get("/api/live").json == FIGURES
    assert (tmp_path / "run/watched").exists()


@pytest.mark.parametrize(
    "content", [b"", b"picture", b"\xff\xd8\xff\xfe\x00\x0eno: figures\r\n", b"\xff\xd8\xff\xfe\xff\xff{", b"\xff\xd8\xff\xfe\x00\x04{}\xff\xda"]
)
def test_a_picture_without_figures_or_with_broken_ones_is_a_picture_all_the_same(tmp_path: Path, content: bytes) -> None:
    client = a_client(tmp_path, "viewer")
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run/live.jpg").write_bytes(content)
    answer = client.get("/live.jpg")
    assert (answer.status_code, answer.data) == (200, content)
    assert client.get("/api/live").status_code == 503


def test_an_operator_switches_detection_and_a_viewer_does_not(tmp_path: Path, desk: FakeDesk) -> None:
    client = a_client(tmp_path, "operator")
    answer = client.post("/api/detect", json={"on": False}, headers=csrf(client))
    assert (answer.status_code, answer.json) == (200, {"detecting": False, "sentence": "done"})
    assert [(one.kind, dict(one.args), one.who) for one in desk.asked] == [("detect", {"on": False}, "jo")]
    assert 'action="/detect"' in client.get("/").text
    the_access(tmp_path).set_role("jo", "viewer")
    assert client.post("/api/detect", json={"on": True}, headers=csrf(client)).status_code == 403
    assert 'action="/detect"' not in client.get("/").text


def test_the_switch_works_without_script_and_says_why_it_does_not(tmp_path: Path) -> None:
    client = a_client(tmp_path, "operator")
    token = csrf(client)["X-CSRF-Token"]
    answer = client.post("/detect", data={"on": "1", "csrf": token}, headers={"Accept": "text/html"})
    assert answer.status_code == 409
    assert "does not run" in answer.text
    with FakeDesk(tmp_path / "run", {"detect": lambda errand: Answer(True, "detection is on")}) as desk:
        assert client.post("/detect", data={"on": "1", "csrf": token}).headers["Location"] == "/"
        assert dict(desk.asked[0].args) == {"on": True}


@pytest.mark.parametrize(
    ("told", "word", "also"),
    [
        ({"detecting": False, "detail": "detection is switched off"}, "Detection off", ""),
        ({"detecting": False, "detail": "the disk is full; detection is switched off"}, "Detection off", "The disk is full."),
        ({"governor": {"step": 2, "temperature_c": 81.4, "words": "hot"}, "detail": "hot"}, "Slowed down", ""),
        ({"governor": {"step": 1, "temperature_c": None, "words": "hot"}, "detail": "hot; no key"}, "Slowed down", "No key."),
        ({"reload": {"busy": True, "words": "a new config is being taken"}, "detail": "a new config is being taken"}, "Taking new settings", ""),
        ({"reload": {"waiting": ["web.port"], "words": "restart for web.port"}, "detail": "restart for web.port"}, "Waiting for a restart", ""),
        ({"detecting": True, "governor": {"step": 0}, "reload": {"busy": False, "waiting": []}}, "Watching", ""),
        ({"state": "camera lost", "detecting": False, "detail": "gone; detection is switched off"}, "Camera lost", ""),
        ({"state": "safe mode", "reload": {"waiting": ["web.port"]}, "detail": "line 3"}, "Safe mode", ""),
    ],
)
def test_what_holds_a_daemon_up_is_its_headline(told: dict[str, Any], word: str, also: str) -> None:
    """What is worse comes first, and what else is wrong stands beside it."""
    status = {"state": "watching", "updated_at": "2026-11-23T07:00:00+00:00"} | told
    found = words.headline(status, True)
    assert (found.word, found.also) == (word, also)
    for language in LANGUAGES.values():
        assert words.headline(status, True, language).word
    if "temperature_c" in str(told) and "81" in str(told):
        assert "81 °C" in found.pattern
