"""The support bundle: helpful, and nothing of anybody in it, wherever it was planted."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from edge import cli, support
from edge.scrubbing import Scrubber
from edge.store import Store
from tests.builders import an_event

PLANTED = {
    "BAB1234": "B AB 1234", "MXY99": "m-xy 99", "ZZTOP": "ZZTOP", "12345": "12345", "W0RDPASS": "w0rdpass", "Krause": "Krause", "BEARERKEY": "bearerkey",
    "HKEY": "s3cr3thash", "HOOK": "hook.example.org", "CAMPW": "c4mpw", "LAT": "52.5163", "LON": "13.3777", "ENV": "fromtheenv", "YARD": "Hofeinfahrt",
}  # fmt: skip


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plates and secrets in the config, the lists, the store, the status, the log, and in the names of all of them."""
    monkeypatch.setenv("MQTT_PASSWORD", "fromtheenv")
    monkeypatch.setattr(support, "doctor", lambda config: '{"state": "bad", "words": "target hook: hook.example.org does not answer for MXY99"}')
    (tmp_path / "BAB1234.csv").write_text("plate,name\nB-AB 1234,Krause\nM XY 99,\n")
    (tmp_path / "c.toml").write_text(
        '[camera]\nname = "Hofeinfahrt"\nsource = "rtsp://viewer:c4mpw@10.1.2.3/BAB1234"\n'
        '[night]\nswitch = "sun"\nlatitude = 52.5163\nlongitude = 13.3777\n'
        '[lists]\nallow = ["BAB1234.csv"]\n[store]\npath = "events.sqlite"\nretention_days = 3\n'
        '[web]\npassword_hash = "s3cr3thash"\n[runtime]\ndirectory = "run"\n'
        '[[targets]]\nname = "hook"\nkind = "webhook"\nurl = "https://hook.example.org/w0rdpass"\nheaders = { Authorization = "bearerkey" }\n'
        '[[targets]]\nname = "ha"\nkind = "mqtt"\nhost = "10.9.8.7"\nuser = "Krause"\npassword = "env:MQTT_PASSWORD"\n'
        "[view]\nexclude = [[[0.1234, 0.2], [0.3, 0.4], [0.5, 0.6]]]\n"
    )
    store = Store(tmp_path / "events.sqlite")
    store.add(an_event("1", text="ZZTOP"))  # no digit: only the store knows it for a plate
    store.add(an_event("2", text="12345"))
    store.close()
    (tmp_path / "run").mkdir()
    told = {
        "v": 1, "version": "1", "state": "watching", "detail": "list BAB1234.csv, line 2: Krause; https://hook.example.org/w0rdpass refused", "fps": 9.5,
        "camera": {"name": "Hofeinfahrt", "width": 1920}, "plates_in_view": [{"text": "BAB1234"}],
        "targets": [{"name": "hook", "last_error": "10.9.8.7: refused"}],
        "gate": {"opened": 2, "last": {"event": "1", "why": "BAB1234"}}, "aid": {"plates": [{"text": "ZZTOP"}]}, "reasons": {"too small": 4},
        "bundles": {"reader": {"name": "reader", "sha256": "3b5df19d7978f8c68448ad4fd471271b8d8a7ac87a5deb107bbf72a5807e4799"}},
    }  # fmt: skip
    (tmp_path / "run/status.json").write_text(json.dumps(told))
    (tmp_path / "ZZTOP.log").write_text(
        "2026-11-23T06:00:00 INFO edge.daemon: event 1 for B AB 1234 and m-xy 99 and ZZ TOP, also 12345\n"
        "12:00:00 DEBUG edge.daemon: event 1 reads WXYZ\n12:00:01 INFO x: reads QQQQQQ\n"
        "12:00:02 ERROR edge.camera: rtsp://viewer:c4mpw@10.1.2.3/BAB1234 gone at 52.5163, 13.3777 (fromtheenv) HH-Q 1\n"
        "12:00:03 ERROR edge.keeper: the disk is full, 3 events wait\n/home/krause/x: no such file s3cr3thash w0rdpass bearerkey\n"
    )
    return tmp_path


def test_nothing_of_anybody_is_in_it(device: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(support.bundle(device / "c.toml", [device / "ZZTOP.log"]))) as box:
        texts = {name: box.read(name).decode() for name in box.namelist()}
    whole = "\n".join([*texts, *texts.values()])
    flat = "".join(char for char in whole.upper() if char.isalnum())
    for word in [*PLANTED.values(), "WXYZ", "QQQQQQ", "HH-Q 1", "10.1.2.3", "10.9.8.7", "viewer", "0.1234"]:
        assert "".join(char for char in word.upper() if char.isalnum()) not in flat, word
    assert "cannot be had" not in whole


def test_what_helps_is_in_it(device: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(support.bundle(device / "c.toml", [device / "ZZTOP.log"]))) as box:
        texts = {name: box.read(name).decode() for name in box.namelist()}
    assert json.loads(texts["versions.json"])["packages"]["numpy"][0].isdigit()
    config = json.loads(texts["config.json"])
    assert (config["store"]["retention_days"], config["targets"][0]["kind"], config["night"]["latitude"]) == (3.0, "webhook", "(set)")
    assert "the disk is full, 3 events wait" in texts["log.txt"]
    assert "2026-11-23T06:00:00 INFO" in texts["log.txt"]
    status = json.loads(texts["status.json"])
    assert (status["fps"], status["camera"]["width"], status["reasons"]) == (9.5, 1920, {"too small": 4})
    assert json.loads(texts["sizes.json"])["rows"]["events"] == 2
    assert json.loads(texts["models.json"])[1]["shipped"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("plate AB12 CDE came", "plate […] came"),
        ("at 2026-11-23T06:12:01.5 the IMX708 gave 30 frames", "at 2026-11-23T06:12:01.5 the IMX708 gave 30 frames"),
        ("sha 3b5df19d7978f8c6 is good", "sha 3b5df19d7978f8c6 is good"),
        ("the processor is at 78 °C", "the processor is at 78 °C"),
        ("free 1234 MB of 5 GB", "free 1234 MB of 5 GB"),
    ],
)
def test_a_text_is_scrubbed_and_still_says_something(text: str, left: str) -> None:
    assert Scrubber(["AB12CDE"]).text(text) == left


def test_a_broken_config_gives_a_bundle_too(device: Path) -> None:
    """And its secrets are still not told."""
    (device / "c.toml").write_text((device / "c.toml").read_text() + "\nx = = 1\n")
    with zipfile.ZipFile(io.BytesIO(support.bundle(device / "c.toml"))) as box:
        whole = "".join(box.read(name).decode() for name in box.namelist())
    assert [word for word in ("w0rdpass", "s3cr3thash", "c4mpw", "Hofeinfahrt", "52.5163") if word in whole] == []


def test_the_command_writes_it_for_its_owner_alone(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = device / "out.zip"
    assert cli.main(["support", str(out), "--config", str(device / "c.toml"), "--log", str(device / "ZZTOP.log")]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    for wrong in (["x.txt"], [str(device / "no/x.zip")], [str(out), "--config", "none.toml"]):
        assert cli.main(["support", *wrong, *([] if len(wrong) > 1 else ["--config", str(device / "c.toml")])]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
