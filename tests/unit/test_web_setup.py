"""The setup aid: what it finds of a plate, what a lens gives, and what it writes down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.config import load
from edge.errands import Answer
from edge.web.language import LANGUAGES
from edge.web.setup.needs import NEEDS, aided, checks
from edge.web.setup.optics import Shot, seen
from tests.desks import FakeDesk
from tests.pages import a_page, csrf, logged_in, the_access

ENGLISH = LANGUAGES["en"]
PLATE = {"width_px": 160.0, "character_height_px": 40.0, "sharpness": 1.2, "contrast": 180.0, "burnt_out": 0.0, "tilt_deg": -1.0, "text": "AB12CDE"}
SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
KNOB = {"name": "gain", "unit": "", "least": 1.0, "most": 16.0, "now": 2.0, "key": "gain", "zero": "automatic"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[FakeDesk]:
    answers = {
        "still": lambda errand: Answer(True, "there", {"width": 1280, "height": 720, "at": "2026-11-23T07:00:00+00:00", "mean": 1.0}),
        "camera": lambda errand: Answer(True, "set for 5 s", {"controls": [KNOB], "trying": dict(errand.args["values"])}),
        "reload": lambda errand: Answer(True, "in force"),
    }
    with FakeDesk(tmp_path / "run", answers) as desk:
        yield desk


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Flask]:
    """With a config file of its own, as `platewatch web` starts it."""
    app, file = a_page(tmp_path), tmp_path / "c.toml"
    file.write_text('[view]\n# the street\nexclude = [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.2]]]\n[camera]\nname = "gate"\n')
    app.extensions["config_file"] = file
    yield app
    app.extensions["daemon_files"].close()


def a_client(page: Flask, folder: Path, role: str = "admin") -> FlaskClient:
    the_access(folder).add_user("jo", role, "long enough")
    return logged_in(page, "jo", "long enough")


def test_a_good_plate_has_nothing_to_mend_and_a_bad_one_a_sentence_for_each_need() -> None:
    """In every language; figures that were not measured are left out."""
    good = checks(PLATE, ENGLISH)
    assert [one["name"] for one in good] == [need.name for need in NEEDS]
    assert {one["tone"] for one in good} == {"good"}
    assert {one["says"] for one in good} == {""}
    bad = {"width_px": 38.2, "character_height_px": 3.0, "sharpness": 0.01, "contrast": 4.0, "burnt_out": 0.9, "tilt_deg": -60.0}
    for language in LANGUAGES.values():
        found = checks(bad, language)
        assert {one["tone"] for one in found} == {"bad"}
        assert len({one["says"] for one in found}) == len(NEEDS)
        assert "38" in found[0]["says"]
    assert [one["name"] for one in checks({"width_px": 80, "contrast": None}, ENGLISH)] == ["width"]


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.name)
def test_a_bar_goes_with_the_tone(need: Any) -> None:
    """Bad below a third, good from two thirds on, in both directions of better."""
    step = (need.good - need.bad) * 0.01
    assert [need.tone(value) for value in (need.bad - step, need.bad, need.good - step, need.good)] == ["bad", "wait", "wait", "good"]
    assert need.percent(need.bad - step) < 33.4 <= need.percent(need.bad + step) < need.percent(need.good - step) < 66.7 <= need.percent(need.good + step)


def test_the_nearest_plate_with_a_text_comes_first() -> None:
    told = {"aid": {"seconds_left": 3, "plates": [PLATE | {"text": "", "width_px": 500.0}, PLATE | {"width_px": 50.0}, PLATE], "picture": None}}
    found = aided(told, ENGLISH)
    assert [(one["text"], one["width_px"], one["tone"]) for one in found["plates"]] == [
        ("AB12CDE", 160.0, "good"),
        ("AB12CDE", 50.0, "bad"),
        ("", 500.0, "good"),
    ]
    assert aided(None, ENGLISH)["plates"] == []


def test_a_track_of_a_walk_is_told_in_words() -> None:
    tracks = [{"outcome": "event"}, {"outcome": "too small"}, {"outcome": "same pass"}, {"outcome": "a new one"}]
    walk = aided({"aid": {"walk": {"seconds_left": 5, "flickers": 0, "tracks": tracks}}}, ENGLISH)["walk"]
    assert [(one["tone"], one["words"]) for one in walk["tracks"]] == [("good", "reported"), ("bad", "not read"), ("off", "kept silent"), ("bad", "not read")]
    assert [one["says"] for one in walk["tracks"]][1:] == [
        "Too small to read: zoom in or move the camera closer.", "The same vehicle, still or again in view.", "a new one",
    ]  # fmt: skip


def test_a_lens_gives_what_geometry_says() -> None:
    """At 90 degrees of view a picture is twice as wide as it is far; straight on, half-way to the border, a plate moves as it grows."""
    found = seen(Shot(view_deg=90, distance_m=10, speed_kmh=36, angle_deg=0, plate_cm=50, frame_px=2000))
    assert found.plate_px == pytest.approx(2000 / 20 * 0.5)
    assert found.good_us == pytest.approx(1e6 * 0.02 * 50 / (500 * 10 / 10))
    near, fast = seen(Shot(distance_m=3)), seen(Shot(speed_kmh=40))
    assert (near.tone, near.farthest_m) == ("good", seen(Shot()).farthest_m)
    assert fast.good_us == pytest.approx(seen(Shot()).good_us / 2)
    assert seen(Shot(angle_deg=80)).plate_px < 0.2 * seen(Shot(angle_deg=0)).plate_px


def test_areas_are_written_with_the_comments_kept_and_put_in_force(tmp_path: Path, page: Flask, desk: FakeDesk) -> None:
    client = a_client(page, tmp_path)
    now = client.get("/api/setup").json
    assert (now["include"], now["exclude"], now["profile"]) == ([], [[[0, 0], [1, 0], [1, 0.2]]], "day")
    body = {"etag": now["etag"], "include": [SQUARE], "exclude": [], "min_plate_px": now["min_plate_px"]}
    answer = client.put("/api/setup/view", json=body, headers=csrf(client))
    assert answer.json | {"etag": ""} == {"etag": "", "changed": ["view.include", "view.exclude"], "in_force": True, "sentence": "in force"}
    written = (tmp_path / "c.toml").read_text()
    assert "# the street" in written
    assert "min_plate_px" not in written
    assert load(tmp_path / "c.toml").view.include == (tuple(map(tuple, SQUARE)),)
    assert [one.kind for one in desk.asked] == ["reload"]
    stale = client.put("/api/setup/view", json=body, headers=csrf(client))
    assert (stale.status_code, (tmp_path / "c.toml").read_text()) == (409, written)
    assert "changed by somebody else" in stale.json["error"]["message"]


def test_areas_that_cannot_be_are_refused_in_a_sentence(tmp_path: Path, page: Flask) -> None:
    client = a_client(page, tmp_path)
    etag, written = client.get("/api/setup").json["etag"], (tmp_path / "c.toml").read_text()
    crossed = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]
    answer = client.put("/api/setup/view", json={"etag": etag, "include": [crossed], "exclude": []}, headers=csrf(client))
    assert (answer.status_code, "crosses itself" in answer.json["error"]["message"]) == (409, True)
    assert client.put("/api/setup/view", json={"etag": etag, "include": [[[0, 0], [2, 0], [1, 1]]], "exclude": []}, headers=csrf(client)).status_code == 400
    assert (tmp_path / "c.toml").read_text() == written


def test_camera_settings_are_tried_and_kept_by_day_or_by_night(tmp_path: Path, page: Flask, desk: FakeDesk) -> None:
    client = a_client(page, tmp_path)
    tried = client.post("/api/setup/camera", json={"values": {"gain": 4}, "seconds": 5}, headers=csrf(client)).json
    assert (tried["controls"], tried["trying"], tried["sentence"]) == ([KNOB], {"gain": 4.0}, "set for 5 s")
    for profile in ("day", "night"):
        etag = client.get("/api/setup").json["etag"]
        body = {"etag": etag, "profile": profile, "values": {"exposure_us": 1500.4, "gain": 4 if profile == "day" else 8}}
        assert client.put("/api/setup/camera", json=body, headers=csrf(client)).status_code == 200
    config = load(tmp_path / "c.toml")
    assert (config.camera.shutter_us, config.camera.gain, config.night.shutter_us, config.night.gain) == (1500, 4.0, 1500, 8.0)
    for profile, values in (("night", {"fps": 10}), ("day", {"ev": 1}), ("day", {"zoom": 1})):
        etag = client.get("/api/setup").json["etag"]
        answer = client.put("/api/setup/camera", json={"etag": etag, "profile": profile, "values": values}, headers=csrf(client))
        assert (answer.status_code, "it can be tried only" in answer.json["error"]["message"]) == (409, True)


def test_the_aid_a_walk_and_a_still_are_asked_of_the_daemon(tmp_path: Path, page: Flask, desk: FakeDesk) -> None:
    client = a_client(page, tmp_path, "operator")
    desk.tell(aid={"seconds_left": 9, "plates": [PLATE], "picture": None})
    told = client.post("/api/setup/aid", json={"seconds": 10, "walk": 120}, headers=csrf(client)).json
    assert (told["plates"][0]["tone"], told["tone"], told["word"]) == ("good", "good", "Watching")
    assert client.get("/setup-aid/still.jpg").status_code == 404
    (tmp_path / "run/still.jpg").write_bytes(b"jpeg")
    still = client.post("/api/setup/still", headers=csrf(client)).json
    assert client.get(still["path"]).data == b"jpeg"
    assert [(one.kind, dict(one.args)) for one in desk.asked] == [("aid", {"seconds": 10.0, "walk": 120.0}), ("still", {})]


@pytest.mark.parametrize(("role", "looks", "changes"), [("viewer", 403, 403), ("operator", 200, 403), ("admin", 200, 409)])
def test_who_may_look_and_who_may_change(tmp_path: Path, page: Flask, role: str, looks: int, changes: int) -> None:
    """409: the daemon of this page does not run, but the way there is open."""
    client = a_client(page, tmp_path, role)
    assert {client.get(path).status_code for path in ("/setup-aid", "/api/setup", "/api/setup/aid", "/api/setup/shutter")} == {looks}
    assert client.post("/api/setup/camera", json={}, headers=csrf(client)).status_code == changes
    body = {"etag": "stale", "include": [], "exclude": []}
    assert client.put("/api/setup/view", json=body, headers=csrf(client)).status_code == changes
    if looks == 200:
        assert ("data-save" in client.get("/setup-aid").text) == (changes != 403)


def test_without_script_the_lens_is_computed_and_without_a_file_nothing_can_be_saved(tmp_path: Path, page: Flask) -> None:
    client = a_client(page, tmp_path)
    assert "far" not in client.get("/setup-aid?distance_m=far").text.split("data-found")[1]
    assert "The plate is 6 px wide" in client.get("/setup-aid?distance_m=100&frame_px=1500&angle_deg=0").text
    (tmp_path / "c.toml").write_text("nonsense")
    assert "not valid TOML" in client.get("/setup-aid").text
    assert client.get("/api/setup").status_code == 503
    del page.extensions["config_file"]
    assert "data-save" not in client.get("/setup-aid").text
    assert client.get("/api/setup").status_code == 503
