"""Errands to the real daemon on the bundled clip: the page's words go in, the daemon's come back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge import status
from edge.errands import Answer
from edge.web.errands import Errands

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
CLIP = next((ROOT / "edge/clips").glob("*.mp4"))
CONFIG = """
[camera]
name = "yard"
kind = "files"
source = "{clip}"
loop = true
[store]
path = "events.sqlite"
keep_at_least_mb_free = 0
[view]
exclude = [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.2], [0.0, 0.2]]]
[lists]
allow = ["family.csv"]
[gate]
enabled = true
command = ["{relay}"]
dry_run = {dry}
audit = "gate.sqlite"
pulse_s = 1.0
max_duty = 0.03
[runtime]
directory = "run"
"""


class Yard:
    """A daemon that runs, and the page's errands to it."""

    def __init__(self, folder: Path, dry: bool = False) -> None:
        self.folder, self.config = folder, folder / "c.toml"
        relay = folder / "relay.sh"
        relay.write_text(f'#!/bin/sh\necho "$1" >> {folder}/relay.txt\n')
        relay.chmod(0o755)
        (folder / "family.csv").write_text("plate\nB AB 1234\n")
        self.config.write_text(CONFIG.format(clip=CLIP, relay=relay, dry=str(dry).lower()))
        self.errands = Errands(folder / "run")
        environment = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "INVOCATION_ID")}
        self.log = (folder / "log").open("wb")
        words = [sys.executable, "-m", "edge", "run", "--config", str(self.config), "--stay"]
        self.process = subprocess.Popen(words, cwd=ROOT, stdout=self.log, stderr=self.log, env=environment)

    def told(self) -> dict[str, Any]:
        return status.read(self.folder / "run") or {}

    def wait(self, done: Any, seconds: float = 60.0) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if done(told := self.told()):
                return told
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def ask(self, kind: str, args: dict[str, Any] | None = None, who: str = "") -> Answer:
        """Patiently; and again where the machine was so busy that the errand was too old to be run."""
        while True:
            answer = self.errands.ask(kind, args, who=who, wait_s=PATIENCE_S)
            if "was not run; ask again" not in answer.sentence:
                return answer

    def close(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.log.close()


@pytest.fixture(autouse=True)
def _patient_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of the gate is given up after seconds, for its safety; that is asked in the unit tests."""
    monkeypatch.setattr("edge.web.errands.WAIT_S", PATIENCE_S)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    one = Yard(tmp_path)
    try:
        one.wait(lambda told: told.get("state") == "watching")
        yield one
    finally:
        assert one.close() == 0


def test_the_daemon_runs_what_the_page_asks(yard: Yard) -> None:
    """Every kind once, on one daemon: starting it is what costs time."""
    answer = yard.ask("dance")
    assert not answer.ok
    assert "knows aid, camera" in answer.sentence
    assert os.stat(yard.folder / "run/errands").st_mode & 0o777 == 0o700

    still = yard.ask("still")
    assert still.ok, still.sentence
    assert still.more is not None
    picture = cv2.imread(str(yard.folder / "run/still.jpg"))
    assert picture.shape[:2] == (still.more["height"], still.more["width"])
    assert picture[: int(0.19 * picture.shape[0])].max() < 40  # what is excluded is black here too
    assert picture[int(0.4 * picture.shape[0]) :].max() > 100
    assert 0 < still.more["contrast"] <= 255

    assert "aid" not in yard.told()
    yard.ask("aid", {"seconds": 30})
    plate = yard.wait(lambda told: any(one["text"] for one in told.get("aid", {}).get("plates", [])))["aid"]
    found = next(one for one in plate["plates"] if one["text"])
    assert found["width_px"] > found["height_px"] > found["character_height_px"] > 3
    assert 0 < found["score"] <= 1
    assert abs(found["tilt_deg"]) < 45
    assert plate["motion"]["cells"]["rows"] > 4
    yard.ask("aid", {"seconds": 0.1})
    yard.wait(lambda told: "aid" not in told)

    camera = yard.ask("camera", {"values": {"gain": 4}})
    assert not camera.ok
    assert "a recording has neither exposure nor focus" in camera.sentence

    assert yard.ask("detect", {"on": False}).ok
    yard.wait(lambda told: "detection is switched off" in told["detail"])
    assert yard.ask("detect", {"on": True}).ok
    assert not yard.ask("detect", {"on": "yes"}).ok

    assert yard.ask("gate test", who="anna").sentence == "the relay was switched on for 1 s"
    again = yard.ask("gate test", who="anna")
    assert not again.ok
    assert "gate.max_duty" in again.sentence
    yard.wait(lambda _: (yard.folder / "relay.txt").read_text().split()[-2:] == ["on", "off"])

    doctor = yard.ask("doctor")
    assert doctor.ok
    lines = yard.folder / "run/doctor.jsonl"
    yard.wait(lambda _: '"done": true' in lines.read_text(), 120)
    findings = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {"config", "camera", "reader"} <= {one.get("what") for one in findings}

    yard.config.write_text(yard.config.read_text().replace("[lists]", "[tracking]\nmin_reads = 4\n[lists]"))
    assert yard.ask("reload").sentence == "the config was read again and is in force"
    good = yard.config.read_text()
    yard.config.write_text(good.replace("min_reads = 4", "min_reads = 0"))
    refused = yard.ask("reload")
    assert not refused.ok
    assert "min_reads" in refused.sentence
    yard.config.write_text(good)

    before = yard.told()["started_at"]
    assert yard.ask("restart").ok
    told = yard.wait(lambda told: told.get("state") == "watching" and told["started_at"] != before)
    assert told["pid"] == yard.process.pid  # in a terminal it is the same process


def test_a_dry_gate_is_tested_on_paper_alone_and_safe_mode_answers(tmp_path: Path) -> None:
    yard = Yard(tmp_path, dry=True)
    try:
        yard.wait(lambda told: told.get("state") == "watching")
        assert "dry_run" in yard.ask("gate test", who="bert").sentence
        assert not (tmp_path / "relay.txt").exists() or "on" not in (tmp_path / "relay.txt").read_text().split()
        yard.ask("restart")  # with a config that cannot be used
        yard.config.write_text(yard.config.read_text().replace("min_reads = 4", "").replace("dry_run = true", "dry_run = 7"))
        yard.wait(lambda told: told.get("state") == "safe mode")
        refused = yard.ask("still")
        assert not refused.ok
        assert re.search(r"safe mode.*dry_run", refused.sentence)
        yard.config.write_text(yard.config.read_text().replace("dry_run = 7", "dry_run = true"))
        yard.wait(lambda told: told.get("state") == "watching")
    finally:
        yard.close()
    from edge.gate.audit import Audit

    assert [(row.why, row.dry_run) for row in Audit(tmp_path / "gate.sqlite").rows() if row.reason == "test"] == [("test by bert", True)]
