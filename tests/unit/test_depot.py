"""Bundles that are uploaded: only a sound one comes in, and none leaves its folder."""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import signal
import stat
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.config import load
from edge.errors import BundleError, ConfigError
from edge.model.chore import Chore
from edge.model.comparing import Comparison, samples
from edge.model.depot import Depot
from edge.model.manifest import SHIPPED
from edge.records import Box, Quad
from edge.settings_file.settings import SettingsFile
from edge.store import Store
from tests.builders import an_event

READER = SHIPPED / "reader"


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    (tmp_path / "c.toml").write_text("# mine\n")
    return Depot(tmp_path / "var/bundles", SettingsFile(tmp_path / "c.toml"))


def bundle(**changes: object) -> dict[str, bytes]:
    """The shipped reader under another name."""
    manifest = json.loads((READER / "manifest.json").read_bytes()) | {"name": "mine-1"} | changes
    return {"model.tflite": (READER / "model.tflite").read_bytes(), "manifest.json": json.dumps(manifest).encode()}


def zipped(files: dict[str, bytes], folder: str = "") -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as box:
        for name, content in files.items():
            box.writestr(f"{folder}{name}", content)
    return room.getvalue()


def tarred(files: dict[str, bytes], *extra: tarfile.TarInfo) -> bytes:
    room = io.BytesIO()
    with tarfile.open(fileobj=room, mode="w:gz") as roll:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            roll.addfile(about, io.BytesIO(content))
        for about in extra:
            roll.addfile(about)
    return room.getvalue()


def a_link(name: str, to: str) -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    about.type, about.linkname = tarfile.SYMTYPE, to
    return about


def test_a_bundle_comes_in_is_chosen_taken_back_and_deleted(depot: Depot, tmp_path: Path) -> None:
    """All of its life, as .zip and as .tar.gz."""
    card = depot.take(zipped(bundle(), "reader/"), "up.zip")
    assert (card.name, card.in_use, card.self_test) == ("mine-1", False, "exact")
    assert card.as_json()["accuracy"] == json.loads((READER / "manifest.json").read_bytes())["accuracy"]
    with pytest.raises(BundleError, match="is here already"):
        depot.take(tarred(bundle()), "again.tar.gz")
    second = depot.take(tarred(bundle(name="mine-2")), "two.tar.gz")
    settings = SettingsFile(tmp_path / "c.toml")
    depot.select("mine-1", settings.open().etag)
    assert load(tmp_path / "c.toml").models.reader == str(tmp_path / "var/bundles/mine-1")
    depot.select("mine-2", settings.open().etag)
    assert {one.name: one.in_use for one in depot.cards()} == {"detector": True, "reader": False, "mine-1": False, "mine-2": True}
    with pytest.raises(BundleError, match="is in use"):
        depot.delete(second.name)
    depot.roll_back("reader", settings.open().etag)
    assert load(tmp_path / "c.toml").models.reader.endswith("mine-1")
    depot.delete("mine-2")
    depot.select("reader", settings.open().etag)
    depot.roll_back("reader", settings.open().etag)
    assert load(tmp_path / "c.toml").models.reader.endswith("mine-1")
    assert "# mine" in (tmp_path / "c.toml").read_text()
    with pytest.raises(ConfigError, match="no other detector"):
        depot.roll_back("detector", settings.open().etag)


WRONG: dict[str, tuple[bytes, str]] = {
    "no archive": (b"hello", "no archive"),
    "cut short": (zipped(bundle())[:4000], "no archive|damaged"),
    "up and away": (zipped({"../model.tflite": b"x"}), "holds the path"),
    "from the root": (tarred({"/etc/model.tflite": b"x"}), "holds the path"),
    "deep": (zipped({"a/b/model.tflite": b"x"}), "holds the path"),
    "two folders": (zipped({"a/model.tflite": b"x", "b/manifest.json": b"{}"}), "side by side"),
    "a link": (tarred(bundle(), a_link("x.txt", "/etc/passwd")), "no ordinary file"),
    "a program": (zipped(bundle() | {"run.py": b"x"}), "belongs to no bundle"),
    "hidden": (zipped(bundle() | {".self-test": b"exact"}), "belongs to no bundle"),
    "a bomb": (zipped({"manifest.json": b" " * (2 << 20)}), "is larger than"),
    "no model": (zipped({"manifest.json": bundle()["manifest.json"]}), "side by side"),
    "another hash": (zipped(bundle(sha256="0" * 64)), "does not fit the hash"),
    "another codec": (zipped(bundle(codec="x")), "speaks the codec"),
    "no kind": (zipped(bundle(kind="painter")), "is a 'painter'"),
    "a wild name": (zipped(bundle(name="../../x")), "its manifest names it"),
    "a taken name": (b"", "is the name of another bundle"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_sound_bundle_leaves_nothing_behind(depot: Depot, tmp_path: Path, what: str) -> None:
    raw, said = WRONG[what]
    if what == "a taken name":
        raw = zipped(bundle())
        shutil.copytree(SHIPPED / "detector", tmp_path / "var/bundles/mine-1")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BundleError, match=said) as error:
        depot.take(raw, "up.zip")
    assert "\n" not in str(error.value)
    assert "incoming" not in str(error.value)
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before] in ([], [tmp_path / "var", tmp_path / "var/bundles"])


def test_a_zip_with_a_link_is_refused(depot: Depot) -> None:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as box:
        entry = zipfile.ZipInfo("model.tflite")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        box.writestr(entry, "/etc/passwd")
    with pytest.raises(BundleError, match="no ordinary file"):
        depot.take(room.getvalue(), "up.zip")


@pytest.mark.parametrize("name", ["..", "../x", "", ".chosen.json", "none"])
def test_only_bundles_that_are_there_are_named(depot: Depot, name: str) -> None:
    for act in (depot.delete, depot.folder_of):
        with pytest.raises(BundleError, match="there is no bundle"):
            act(name)


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A store with three pictures of one drawn plate."""
    picture = np.full((60, 200), 230, np.uint8)
    cv2.putText(picture, "AB12CDE", (16, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 3)
    jpeg = bytes(cv2.imencode(".jpg", picture)[1])
    store = Store(tmp_path / "events.sqlite")
    for number in range(3):
        store.add(an_event(str(number), quad=Quad.from_box(Box(100, 100, 280, 150)), crop_jpeg=jpeg))
    store.close()
    return tmp_path / "events.sqlite"


def test_two_readers_are_compared_on_what_the_store_has(street: Path, tmp_path: Path) -> None:
    """A reader agrees with itself; the process ends, and says so."""
    assert [sample.quad.box for sample in samples(street, 10)] == [Box(27, 8, 207, 58)] * 3
    comparison = Comparison(tmp_path)
    assert comparison.state() == {}
    comparison.start(street, READER, READER)
    with pytest.raises(ConfigError, match="under way"):
        comparison.start(street, READER, READER)
    end = time.monotonic() + 60
    while (told := comparison.state())["state"] == "running" and time.monotonic() < end:
        time.sleep(0.1)
    assert (told["state"], told["sentence"]) == ("done", "3 of 3 plates are read alike")
    assert (told["result"]["agreement"], told["result"]["differing"]) == (1.0, [])


def test_a_comparison_is_cancelled_and_a_broken_one_is_told(street: Path, tmp_path: Path) -> None:
    comparison = Comparison(tmp_path)
    comparison.start(street, READER, READER)
    comparison.cancel()
    assert comparison.state()["state"] == "cancelled"
    comparison.start(tmp_path / "none.sqlite", READER, READER)
    end = time.monotonic() + 60
    while (told := comparison.state())["state"] == "running" and time.monotonic() < end:
        time.sleep(0.1)
    assert (told["state"], "cannot be read" in told["sentence"]) == ("failed", True)


def test_a_process_that_nobody_holds_any_more_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine its last word comes seconds before its end: the page may be gone by then, and no zombie is left."""
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    chore = Chore(tmp_path / "chore.json", "any", "the chore")
    chore.begin({}, {"v": 1})
    process = chore._process
    assert process is not None
    pid = process.pid
    del chore, process
    gc.collect()  # a ResourceWarning here is an error
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists():  # no zombie is left
        assert time.monotonic() < end
        time.sleep(0.02)
