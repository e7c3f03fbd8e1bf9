"""The room Model: bundles come in, are chosen, taken back and compared, by forms and by the API; and only who may."""

from __future__ import annotations

import io
import json
import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.config import load
from edge.errands import Answer
from edge.model.manifest import SHIPPED
from edge.model.weighing import mcnemar, weigh
from edge.status import utc_iso
from edge.web import app as web
from edge.web import bundles
from edge.web.measured import speeds
from tests.pages import a_config, a_page, csrf, logged_in, the_access, token
from tests.unit.test_depot import bundle, zipped

OTHER = "another good one"
MINE = json.loads((SHIPPED / "reader/manifest.json").read_bytes())


@pytest.fixture
def device(tmp_path: Path) -> Any:
    """Somebody who may do everything, on a page with a config file and a depot of one."""
    (tmp_path / "c.toml").write_text(f'[store]\npath = "{tmp_path}/events.sqlite"\n[runtime]\ndirectory = "{tmp_path}/run"\n')
    own = tmp_path / "var/bundles/mine-1"
    shutil.copytree(SHIPPED / "reader", own)
    (own / "manifest.json").write_text(json.dumps(MINE | {"name": "mine-1"}))
    return logged_in(web.create_app(a_config(tmp_path), tmp_path / "c.toml"))


def tell(folder: Path, **changes: Any) -> None:
    (folder / "run").mkdir(exist_ok=True)
    told = {"v": 1, "pid": os.getpid(), "state": "watching", "updated_at": utc_iso(datetime.now(UTC)), "reload": {"refused": 0, "busy": False, "words": ""}}
    (folder / "run/status.json").write_text(json.dumps(told | changes))


def until(ask: Callable[[], Any], is_over: Callable[[Any], bool], seconds: float = 90.0) -> Any:
    end = time.monotonic() + seconds
    while not is_over(found := ask()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def test_what_is_in_use_is_shown_with_its_proof(device: Any, tmp_path: Path) -> None:
    """The manifest's figures with an interval, what the daemon says of it, and what was measured here; all of it as text."""
    evil = "<b>x</b>"
    tell(tmp_path, bundles={"reader": {"name": "reader", "sha256": MINE["sha256"], "since": "2026-11-22T21:00:00.000+00:00", "refused": evil}},
         stages_ms={"read": {"median": 9.8, "p95": 12.5}})  # fmt: skip
    found = device.get("/api/models").json
    reader = next(one for one in found["bundles"] if one["name"] == "reader")
    assert (reader["in_use"], reader["shipped"], reader["proof"]["int8"]["of"]) == (True, True, MINE["accuracy"]["int8"]["plates"])
    assert reader["proof"]["int8"]["low"] < MINE["accuracy"]["int8"]["read_exact"] < reader["proof"]["int8"]["high"]
    assert (found["in_use"]["reader"]["median_ms"], found["in_use"]["detector"]) == (9.8, None)
    page = device.get("/model").text
    assert "9.8 ms" in page
    assert evil not in page
    assert "&lt;b&gt;x" in page


def test_a_page_without_a_config_file_shows_what_ships_and_offers_nothing(tmp_path: Path) -> None:
    client = logged_in(a_page(tmp_path))
    page = client.get("/model").text
    assert "without a config file" in page
    assert "/model/use" not in page
    assert [one["in_use"] for one in client.get("/api/models").json["bundles"]] == [True, True]
    assert client.post("/api/models/reader/use", headers=csrf(client)).status_code == 503


def test_an_upload_is_verified_and_tried_apart_and_then_chosen_by_a_form(device: Any, tmp_path: Path) -> None:
    """Without a daemon the choice waits for it."""
    answer = device.post("/api/models?file=up.zip", data=zipped(bundle(name="mine-2")), headers=csrf(device), content_type="application/octet-stream")
    assert (answer.status_code, answer.json["state"]) == (202, "running")
    told = until(lambda: device.get("/api/models/arrival").json, lambda told: told["state"] != "running")
    assert (told["state"], told["bundle"], told["self_test"], told["step"]) == ("done", "mine-2", "exact", "self-test")
    assert "Use mine-2" in device.get("/model").text
    assert not list((tmp_path / "var/bundles").glob(".upload-*"))
    assert device.post("/model/use", data={"csrf": token(device, "/model"), "name": "mine-2"}).status_code == 303
    assert load(tmp_path / "c.toml").models.reader.endswith("/mine-2")
    assert "the daemon takes it when it starts" in device.get("/model").text
    device.post("/model/delete", data={"csrf": token(device, "/model"), "name": "mine-2"})
    assert "is in use" in device.get("/model").text
    assert device.post("/api/models/rollback", json={"kind": "reader"}, headers=csrf(device)).status_code == 200
    assert load(tmp_path / "c.toml").models.reader == "reader"
    assert device.delete("/api/models/mine-2", headers=csrf(device)).status_code == 204


@pytest.mark.parametrize(("content", "said"), [(b"hello", "no archive"), (zipped(bundle() | {"model.tflite": b"x"}), "does not fit the hash")])
def test_a_bad_upload_is_refused_in_a_sentence_and_leaves_nothing(device: Any, tmp_path: Path, content: bytes, said: str) -> None:
    """By the form, as without script."""
    sent = {"csrf": token(device, "/model"), "bundle": (io.BytesIO(content), "../../<i>up.zip")}
    assert device.post("/model/upload", data=sent, content_type="multipart/form-data").headers["Location"] == "/model#upload"
    told = until(lambda: device.get("/api/models/arrival").json, lambda told: told["state"] != "running")
    assert (told["state"], said in told["sentence"], told["file"]) == ("failed", True, "<i>up.zip")
    page = device.get("/model").text
    assert "<i>up.zip" not in page
    assert "&lt;i&gt;up.zip" in page
    assert [path.name for path in (tmp_path / "var/bundles").iterdir()] == ["mine-1"]


def test_an_upload_that_is_too_large_does_not_come_in(device: Any) -> None:
    sent = {"content_type": "application/octet-stream", "environ_overrides": {"CONTENT_LENGTH": str(100 << 20)}}
    assert device.post("/api/models", headers=csrf(device), **sent).status_code == 413


class Daemon:
    """Answers `reload` as it is told to."""

    def __init__(self, folder: Path, answers: list[Answer], refused: int = 0) -> None:
        self.folder, self.answers, self.refused, self.asked = folder, answers, refused, list[str]()

    def __call__(self, directory: Path, who: str) -> Answer:
        self.asked.append(load(self.folder / "c.toml").models.reader)
        tell(self.folder, reload={"refused": self.refused, "busy": False, "words": "the new config was not taken" if self.refused else ""})
        return self.answers.pop(0)


TAKEN = Answer(True, "the config was read again and is in force", {"busy": False})
LATER = Answer(True, "it needs its time", {"busy": True})


def test_a_bundle_is_put_in_force_without_a_restart(device: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(tmp_path)
    monkeypatch.setattr(bundles, "put_in_force", daemon := Daemon(tmp_path, [TAKEN]))
    assert device.post("/api/models/mine-1/use", headers=csrf(device)).json["sentence"] == TAKEN.sentence
    assert daemon.asked == [str(tmp_path / "var/bundles/mine-1")]
    assert device.post("/api/models/mine-1/use", headers=csrf(device)).json["sentence"] == "this bundle was chosen already"


@pytest.mark.parametrize("first", [Answer(False, "the new config was not taken", {"busy": False}), LATER])
def test_what_the_daemon_refuses_is_taken_back(device: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Answer) -> None:
    """Else it would refuse to start the next time. What was chosen before is chosen again, and the way back leads where it led."""
    tell(tmp_path)
    monkeypatch.setattr(bundles, "put_in_force", daemon := Daemon(tmp_path, [first, TAKEN], refused=1))
    answer = device.post("/api/models/mine-1/use", headers=csrf(device))
    assert (answer.status_code, answer.json["error"]["message"]) == (409, "The new config was not taken.")
    assert daemon.asked == [str(tmp_path / "var/bundles/mine-1"), "reader"]
    assert load(tmp_path / "c.toml").models.reader == "reader"
    assert device.get("/api/models").json["previous"]["reader"] == ""


def test_two_readers_are_compared_and_the_plates_are_for_those_who_may_see_them(device: Any, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    differing = [{"event": "1", "texts": ["AB12CDE", "<b>"], "confidences": [0.9, 0.8], "truth": "AB12CDE"}]
    result = {"plates": 10, "alike": 9, "unreadable": 0, "labelled": 4, "right": [4, 3], "alone": [1, 0], "differing": differing}
    told = {"v": 1, "state": "done", "one": "reader", "other": "mine-1", "done": 10, "total": 10, "sentence": "", "result": result}
    (tmp_path / "run/comparison.json").write_text(json.dumps(told))
    found = device.get("/api/models/comparison").json
    assert (found["result"]["agreement"]["share"], found["verdict"]["better"], found["verdict"]["p"]) == (0.9, None, 1.0)
    assert [one["texts"] for one in found["differing"]] == [["AB12CDE", "<b>"]]
    page = device.get("/model/comparison").text
    assert "The figures do not tell which of the two is better." in page
    assert "Plate A B 1 2 C D E" in page
    access = the_access(tmp_path)
    _, secret = access.new_token("t", ["model:read"], 1)
    seen = device.get("/api/models/comparison", headers={"Authorization": f"Bearer {secret}"}).json
    assert (seen["result"]["differing"], seen["differing"]) == (1, [])


def test_what_cannot_be_compared_is_said(device: Any, tmp_path: Path) -> None:
    for one, other, said in (("reader", "reader", "two different"), ("reader", "detector", "no reader"), ("reader", "none", "no reader")):
        answer = device.post("/api/models/comparison", json={"one": one, "other": other}, headers=csrf(device))
        assert (answer.status_code, said in answer.json["error"]["message"]) == (409, True)
    assert device.post("/model/compare", data={"csrf": token(device, "/model"), "one": "reader", "other": "mine-1", "most": "9" * 50}).status_code == 303
    until(lambda: device.get("/api/models/comparison").json, lambda told: told["state"] != "running")
    assert "cannot be read" in device.get("/model").text  # there is no store


@pytest.mark.parametrize(("role", "code"), [("viewer", 403), ("operator", 200)])
def test_who_may_look_and_who_may_not(device: Any, tmp_path: Path, role: str, code: int) -> None:
    """Nobody but an admin changes anything."""
    the_access(tmp_path).add_user("jo", role, OTHER)
    client = logged_in(device.application, "jo", OTHER)
    assert [client.get(path).status_code for path in ("/model", "/model/comparison", "/api/models", "/api/models/arrival", "/api/models/comparison")] == [
        code
    ] * 5
    if code == 200:
        assert "/model/use" not in client.get("/model").text
        assert 'type="file"' not in client.get("/model").text
    sent = {"csrf": token(client, "/health"), "name": "mine-1", "kind": "reader"}
    assert {client.post(f"/model/{what}", data=sent).status_code for what in ("upload", "use", "rollback", "delete", "compare", "cancel")} == {403}
    headers = csrf(client)
    assert client.post("/api/models", data=b"x", headers=headers, content_type="application/octet-stream").status_code == 403
    assert client.post("/api/models/mine-1/use", headers=headers).status_code == 403
    assert client.delete("/api/models/mine-1", headers=headers).status_code == 403
    assert client.post("/api/models/comparison", json={"one": "reader", "other": "mine-1"}, headers=headers).status_code == 403


def test_a_difference_is_none_before_chance_is_ruled_out() -> None:
    """McNemar's exact test: of five plates that only one side read right, chance alone gives all to one of them in 1 of 16 cases."""
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(0, 0) == mcnemar(3, 3) == 1.0
    assert mcnemar(2, 12) == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    told = {"labelled": 40, "right": [30, 36]}
    assert [weigh(told | {"alone": alone}).better for alone in ([0, 5], [0, 6], [6, 0], [2, 12])] == [None, 1, 0, 1]  # type: ignore[union-attr]
    assert weigh({"labelled": 0, "right": [0, 0], "alone": [0, 0]}) is None
    sides = weigh(told | {"alone": [0, 6]}).sides  # type: ignore[union-attr]
    assert (sides[0].low, sides[0].share, sides[0].high) == (pytest.approx(0.5981, abs=1e-3), 0.75, pytest.approx(0.8581, abs=1e-3))


def test_only_what_was_measured_on_this_very_model_is_told(tmp_path: Path) -> None:
    def cell(what: str, threads: int, ms: float, variant: str = "int8") -> dict[str, Any]:
        return {"setting": {"variant": variant, "runtime": "x", "threads": threads, "side": ""}, "what": what, "ms": {"median": ms, "runs": 10}}

    models = [
        {"side": "", "kind": kind, "variant": variant, "sha256": sha}
        for kind, variant, sha in (("reader", "int8", "a"), ("reader", "float", "b"), ("detector", "int8", "c"))
    ]
    cells = [
        cell("read", 1, 4.0),
        cell("read", 1, 6.0),
        cell("read", 2, 3.0),
        cell("read", 1, 99.0, "float"),
        cell("detect", 1, 50.0),
        cell("whole frame", 1, 70.0),
    ]
    (tmp_path / "bench.json").write_text(json.dumps({"models": models, "cells": cells}))
    assert speeds(tmp_path / "bench.json", "a") == [{"threads": 1, "ms": 5.0, "runs": 20}, {"threads": 2, "ms": 3.0, "runs": 10}]
    assert speeds(tmp_path / "bench.json", "c") == [{"threads": 1, "ms": 50.0, "runs": 10}]
    assert speeds(tmp_path / "bench.json", "d") == speeds(tmp_path / "none.json", "a") == speeds(tmp_path / "bench.json", "") == []
    (tmp_path / "bad.json").write_text("[1")
    assert speeds(tmp_path / "bad.json", "a") == []
