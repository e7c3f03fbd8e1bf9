"""The first start: each step is saved, can be left and taken up again, and lays no secret down where others read it."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.errors import ConfigError
from edge.web.app import create_app
from edge.web.first_start import STEPS, Progress, cameras, keep_secret, stream
from tests.pages import a_config, csrf, logged_in

FILE = "# mine\n"


def answer(client: FlaskClient, step: str, **form: str) -> Any:
    return client.post(f"/start/{step}", data={"csrf": csrf(client)["X-CSRF-Token"], **form})


def written(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text())


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_a_page(client: FlaskClient, step: str) -> None:
    shown = client.get(f"/start/{step}?lang=de")
    assert shown.status_code == 200
    assert f"Schritt {STEPS.index(step) + 1} von {len(STEPS)}" in shown.text


def test_the_whole_way_makes_a_config_that_reads(client: FlaskClient, file: Path) -> None:
    assert answer(client, "language").headers["Location"] == "/start/password"
    answer(client, "password")
    assert answer(client, "device", name="gate", country="gb").headers["Location"] == "/start/camera"
    shown = answer(client, "camera", camera="stream", address="10.0.0.7/main", user="viewer", password="h0rse/b@t")
    assert "h0rse" not in shown.text
    answer(client, "area", skip="1")
    answer(client, "keeping", retention_days="1,5", known_days="30", mode="known")
    answer(client, "targets", host="ha.local", user="plates", password="br0ker", homeassistant="on")
    assert answer(client, "gate", gate="dry").headers["Location"] == "/start/test"
    assert answer(client, "test").headers["Location"] == "/"
    found = written(file)
    assert found["camera"] == {"name": "gate", "kind": "opencv", "source": "rtsp://viewer:h0rse%2Fb%40t@10.0.0.7/main"}
    assert found["country"]["code"] == "gb"
    assert (found["store"]["retention_days"], found["store"]["crops"], found["privacy"]["known_only"]) == (1.5, False, True)
    assert (found["gate"]["enabled"], found["gate"]["dry_run"]) == (True, True)
    secret = Path(found["targets"][0]["password"].removeprefix("file:"))
    assert found["targets"][0]["dialect"] == "homeassistant"
    assert secret.read_text() == "br0ker\n"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert "br0ker" not in file.read_text()
    assert file.read_text().startswith("# mine\n")


def test_it_goes_on_where_it_was_left(client: FlaskClient) -> None:
    assert client.get("/start").headers["Location"] == "/start/language"
    for step in ("language", "password"):
        answer(client, step)
    assert client.get("/start").headers["Location"] == "/start/device"


@pytest.mark.parametrize(
    ("step", "form", "says"),
    [
        ("device", {"name": "", "country": "auto"}, "camera.name"),
        ("device", {"name": "x", "country": "zz"}, "zz"),
        ("camera", {"camera": "stream", "address": "ftp://x/"}, "begins with rtsp://"),
        ("camera", {}, "hoose a camera"),
        ("camera", {"camera": "tv 0"}, "camera.kind"),
        ("keeping", {"retention_days": "ever", "known_days": "1"}, "is a number"),
        ("targets", {"url": "ftp://x"}, "http"),
    ],
)
def test_what_cannot_be_stays_on_its_step_and_writes_nothing(client: FlaskClient, file: Path, step: str, form: dict[str, str], says: str) -> None:
    shown = answer(client, step, **form)
    assert (shown.status_code, says in shown.text) == (409, True)
    assert file.read_text() == "# mine\n"
    assert Progress(file.parent).done() == set()


def test_a_password_that_is_set_is_not_set_again_without_the_old_one(client: FlaskClient) -> None:
    assert answer(client, "password", new="another long one", again="another long one").status_code == 303
    page = client.application
    assert logged_in(page).get("/start").status_code == 302


def test_the_first_password_of_an_open_page_locks_it(tmp_path: Path, file: Path) -> None:
    page: Flask = create_app(a_config(tmp_path, hashed="", host="127.0.0.1"), file)
    client = page.test_client()
    assert answer(client, "password", new="long enough one", again="other").status_code == 409
    assert answer(client, "password", new="long enough one", again="long enough one").headers["Location"] == "/start/device"
    assert client.get("/start/device").status_code == 200
    assert page.test_client().get("/start/device").headers["Location"].startswith("/login")
    page.extensions["daemon_files"].close()


def test_the_example_is_a_picture(client: FlaskClient) -> None:
    assert client.get("/start/example.jpg").data.startswith(b"\xff\xd8")


def test_a_camera_is_found_once_and_the_pis_converters_are_none(tmp_path: Path) -> None:
    names = {"video0": "HD Webcam", "video1": "HD Webcam", "video10": "bcm2835-codec-decode", "video2": "Grabber", "video3": ""}
    for device, name in names.items():
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / device).touch()
        (tmp_path / "about" / device).mkdir(parents=True)
        if name:
            (tmp_path / "about" / device / "name").write_text(f"{name}\n")
    found = [one for one in cameras(tmp_path / "dev", tmp_path / "about") if one.kind == "opencv"]
    assert [(Path(one.source).name, one.name) for one in found] == [("video0", "HD Webcam"), ("video2", "Grabber"), ("video3", "")]


def test_an_address_of_a_camera_gets_its_login() -> None:
    assert stream(" 10.0.0.7:554/a ", "", "") == "rtsp://10.0.0.7:554/a"
    assert stream("rtsp://cam/a", "me", "p@ss/word") == "rtsp://me:p%40ss%2Fword@cam/a"
    with pytest.raises(ConfigError, match="begins with rtsp"):
        stream("rtsp:///a", "", "")


def test_a_secret_is_replaced_whole_and_its_name_leads_nowhere_else(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    keep_secret(config, "mqtt", "one")
    assert Path(keep_secret(config, "mqtt", "two").removeprefix("file:")).read_text() == "two\n"
    with pytest.raises(ConfigError):
        keep_secret(config, "../mqtt", "x")


def test_progress_that_cannot_be_read_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "first-start.json").write_text("{")
    found = Progress(tmp_path)
    assert (found.done(), found.next()) == (set(), STEPS[0])
    found.tick("language")
    assert found.next() == STEPS[1]
