"""Bundles that are exchanged while they are in use: what is good is taken, what is not is named, and the one in use needs its files no more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.config import ModelsConfig
from edge.errors import BundleError
from edge.model import bundle as bundles
from edge.model import networks
from edge.model.manifest import SHIPPED
from edge.model.networks import Networks
from edge.model.selftest import State, probe_picture
from tests.e2e.live import another, with_model
from tests.fakes import FakeClock
from tests.tflite_files import a_reader

OWN = ModelsConfig(detector="detector", reader="./reader")


def in_use(folder: Path, clock: Callable[[], float] | None = None) -> Networks:
    shutil.copytree(SHIPPED / "reader", folder / "reader")
    return Networks(OWN, lambda name: folder / "reader" if "/" in name else SHIPPED / name, **({"clock": clock} if clock else {}))


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / "reader" / name).write_bytes(content)


def renew(found: Networks, models: ModelsConfig = OWN, *, again: bool = False) -> dict[str, Any]:
    found.take(found.prepare(models, again=again))
    told: dict[str, Any] = found.as_json()["reader"]
    return told


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process of its own; the tests of the rehearsal are elsewhere."""
    monkeypatch.setattr("edge.model.rehearsal.self_test", lambda *_: State.EXACT)


def test_no_byte_of_the_file_is_mapped_and_a_shrinking_one_does_not_matter(tmp_path: Path) -> None:
    """A mapped file that is cut short is a SIGBUS at the next look at it."""
    found = in_use(tmp_path)
    network: Any = found.reader.bundle.network
    picture = probe_picture(network.manifest.width, network.manifest.height)
    before = network.infer(picture)
    if (maps := Path("/proc/self/maps")).exists():
        assert "model.tflite" not in maps.read_text()
    os.truncate(tmp_path / "reader" / "model.tflite", 100)
    assert np.array_equal(network.infer(picture), before)
    told = renew(found)
    assert (told["refusals"], told["switched"]) == (1, 0)
    assert "does not fit the hash in its manifest" in told["refused"]
    assert np.array_equal(network.infer(picture), before)


@pytest.mark.usefixtures("fast")
def test_other_settings_need_no_file(tmp_path: Path) -> None:
    """More threads while the file is broken: the networks are made anew of the bytes that are in memory."""
    found = in_use(tmp_path)
    put(tmp_path, {"model.tflite": b"", "manifest.json": b"{"})
    network = found.reader.bundle.network
    told = renew(found, OWN.model_copy(update={"threads": 2}))
    assert found.reader.bundle.network is not network
    assert (told["switched"], "is no JSON" in told["refused"]) == (0, True)


@pytest.mark.usefixtures("fast")
def test_a_good_one_is_taken_and_a_mended_one_is_no_news(tmp_path: Path) -> None:
    found = in_use(tmp_path)
    whole = another(name="two")
    put(tmp_path, {"manifest.json": whole["manifest.json"][:200]})
    assert "is no JSON" in renew(found)["refused"]
    put(tmp_path, {"manifest.json": whole["manifest.json"]})
    told = renew(found)
    assert (told["name"], told["refused"], told["switched"], told["refusals"]) == ("two", "", 1, 1)
    put(tmp_path, {"manifest.json": b""})
    renew(found)
    put(tmp_path, {"manifest.json": whole["manifest.json"]})
    assert renew(found)["refused"] == ""
    assert found.reader.switched == 1


@pytest.mark.usefixtures("fast")
def test_what_the_config_names_anew_must_do(tmp_path: Path) -> None:
    """Else the whole config is refused, and nothing has changed."""
    found = in_use(tmp_path)
    with pytest.raises(BundleError, match="is a reader, a detector is wanted"):
        found.prepare(OWN.model_copy(update={"detector": "./reader"}))
    assert found.words() == ""
    assert found.are_as(OWN)


@pytest.mark.usefixtures("fast")
def test_a_folder_is_looked_at_now_and_then_and_read_when_it_has_come_to_rest(tmp_path: Path) -> None:
    """While somebody copies, it changes from second to second."""
    clock = FakeClock()
    found = in_use(tmp_path, clock)
    put(tmp_path, another(name="two"))
    assert not found.changed()
    clock.advance(networks.LOOK_EVERY_S)
    assert not found.changed()
    put(tmp_path, {"model.tflite": b"half"})
    clock.advance(networks.SETTLE_S)
    assert not found.changed()
    clock.advance(networks.SETTLE_S)
    assert found.changed()
    renew(found)
    clock.advance(networks.LOOK_EVERY_S)
    assert not found.changed()


def test_one_that_crashes_the_runtime_is_refused(tmp_path: Path) -> None:
    """In a process of its own; its hash fits."""
    found = in_use(tmp_path)
    model = bytearray((SHIPPED / "reader" / "model.tflite").read_bytes())
    model[1000:60000] = os.urandom(59000)
    put(tmp_path, with_model(bytes(model)))
    told = renew(found)
    assert (told["switched"], told["refusals"]) == (0, 1)
    assert told["refused"].endswith("stays in use")
    assert str(tmp_path / "reader" / "model.tflite") in told["refused"]


def test_a_golden_that_does_not_come_out_is_refused_where_that_of_the_one_in_use_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine whose runtime computes otherwise no golden says anything."""
    found = in_use(tmp_path)
    states = {"two": State.OTHER_RUNTIME, found.reader.bundle.manifest.name: State.EXACT}
    monkeypatch.setattr("edge.model.rehearsal.self_test", lambda folder, manifest, model: states[manifest.name])
    put(tmp_path, another(name="two"))
    assert "computes something else than its manifest says" in renew(found)["refused"]
    states[found.reader.bundle.manifest.name] = State.OTHER_RUNTIME
    assert renew(found, again=True)["name"] == "two"


def test_a_foreign_network_of_another_shape_takes_its_seat(tmp_path: Path) -> None:
    """Verified for real: another network, 64 steps, in a process of its own first."""
    found = in_use(tmp_path)
    assert bundles.examine(tmp_path / "reader", "reader", found.reader.bundle)[0] == found.reader.bundle.manifest
    weights = np.random.default_rng(1).normal(size=(37, 96)).astype(np.float32)
    put(tmp_path, with_model(a_reader(weights, int8=True), name="toy", width=128, height=48, golden=""))
    told = renew(found)
    assert (told["refused"], told["name"], told["previous"]["name"]) == ("", "toy", found.reader.before and found.reader.before.manifest.name)
