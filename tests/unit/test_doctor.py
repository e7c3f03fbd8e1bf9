"""`platewatch doctor`: every failure is a sentence, under the right name, and none stops the others."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge import cli, doctor
from edge.doctor import Device, Outcome
from edge.errors import PlatewatchError
from edge.model import selftest
from edge.model.manifest import SHIPPED, load_manifest
from edge.model.selftest import MEASURED_WITH, State, self_test_of, verdict
from edge.model.tflite import Interpreter, runtime_version

BUNDLES = ("detector", "reader")


@pytest.fixture
def tests(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    """What the self-tests are made to say, by kind; a test changes it."""
    said: dict[str, dict[str, object]] = {
        kind: {"name": f"{kind}-0", "state": "exact", "delegated": True, "runtime": "ai-edge-litert 2.3.0", "outputs": ""} for kind in BUNDLES
    }
    monkeypatch.setattr(selftest, "self_test_apart", lambda kind, folder: said[kind])
    return said


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code and what the doctor said with --json, by name."""
    code = cli.main(["doctor", "--json", *words])
    return code, {line["what"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}


def test_a_sound_device_is_exit_0_and_its_checks_have_their_names(tests, capsys):
    code, lines = told(capsys)
    assert code == 0
    assert {"machine", "runtime", "detector", "reader"} <= set(lines) <= set(doctor.CHECKS)
    assert lines["reader"]["words"] == "reader-0 computes exactly what was measured, bit for bit; XNNPACK is on"
    assert cli.main(["doctor"]) == 0
    assert " ok   reader: reader-0 computes exactly" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "words", "mend"),
    [
        (
            {"state": "xnnpack off", "delegated": False},
            "XNNPACK is off: detector-0 is computed by the builtin kernels",
            "ai-edge-litert 2.3 (here: ai-edge-litert 2.3.0)",
        ),
        ({"state": "exact but slow", "delegated": False}, "but XNNPACK is off: reads are slower", "ai-edge-litert 2.3 (here: ai-edge-litert 2.3.0)"),
        ({"state": "other runtime", "delegated": True}, "XNNPACK is on, but detector-0 computes something else", f"measured with, {MEASURED_WITH}"),
    ],
)
def test_what_is_wrong_with_the_runtime_is_said_with_its_mend(tests, capsys, answer, words, mend):
    """In both outputs, for the bundle that it concerns, and it is exit 1."""
    tests["detector"] |= answer
    code, lines = told(capsys)
    assert code == 1
    assert lines["detector"]["state"] == "bad"
    assert words in lines["detector"]["words"]
    assert mend in lines["detector"]["mend"]
    assert "probably" not in lines["detector"]["words"]
    assert lines["reader"]["state"] == "good"
    assert cli.main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert words in text
    assert mend in text


def test_files_that_hide_the_processor_are_the_mend_where_xnnpack_is_off(tests, capsys, monkeypatch, tmp_path):
    """Missing or empty, as /sys is in a bare chroot; the runtime's version is not blamed then."""
    (tmp_path / "empty").touch()
    tests["detector"] |= {"state": "xnnpack off", "delegated": False}
    for name in ("empty", "missing"):
        monkeypatch.setattr(doctor, "PROCESSOR_FILES", (tmp_path / name,))
        _, lines = told(capsys)
        assert f"finds the processor by {tmp_path / name}, which cannot be read" in lines["detector"]["mend"]


def test_a_check_that_breaks_is_one_sentence_under_its_own_name(tests, capsys, monkeypatch):
    """Whatever it raises; the checks after it are made all the same."""

    def ours(_: Device) -> Outcome:
        raise PlatewatchError("the lamp is broken; replace it")

    def a_bug(_: Device) -> Outcome:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(doctor, "CHECKS", {"lamp": ours, "sum": a_bug, **doctor.CHECKS})
    code, lines = told(capsys)
    assert code == 1
    assert lines["lamp"]["words"] == "the lamp is broken; replace it"
    assert lines["sum"]["words"] == "could not be checked (ZeroDivisionError: division by zero)"
    assert lines["reader"]["state"] == "good"


def test_a_config_that_cannot_be_used_is_told_once(tests, capsys, tmp_path):
    """And the shipped bundles are tested all the same."""
    path = tmp_path / "watch.toml"
    path.write_text("[camera]\ncolour = 'red'\n")
    code, lines = told(capsys, "--config", str(path))
    assert code == 1
    assert [what for what, line in lines.items() if line["state"] == "bad"] == ["config"]
    assert "colour" in lines["config"]["words"]
    assert "disk" not in lines


def test_the_bundles_of_the_config_are_the_ones_tested(monkeypatch, capsys, tmp_path):
    """A shipped one by its name, any other by its path; the disk is that of the store."""
    asked = {}

    def answer(kind: str, folder: Path) -> dict[str, object]:
        asked[kind] = folder
        raise PlatewatchError("not today")

    monkeypatch.setattr(selftest, "self_test_apart", answer)
    path = tmp_path / "watch.toml"
    path.write_text("[models]\nreader = './mine'\n")
    code, lines = told(capsys, "--config", str(path))
    assert code == 1
    assert asked == {"detector": SHIPPED / "detector", "reader": tmp_path / "mine"}
    assert lines["config"]["state"] == "good"
    assert "MB free" in lines["disk"]["words"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "crashed here (SIGILL); this processor lacks an instruction"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed here (SIGSEGV)"),
        ("raise SystemExit('no such thing')", "ended with code 1: no such thing"),
        ("import time; time.sleep(60)", "did not end within 0 s"),
    ],
)
def test_a_runtime_that_crashes_or_hangs_does_not_take_the_doctor_with_it(monkeypatch, tmp_path, script, words):
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c \"{script}\"\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    monkeypatch.setattr(selftest, "PATIENCE_S", 0.3 if "sleep" in script else 60.0)
    with pytest.raises(PlatewatchError, match=words.replace("(", r"\(").replace(")", r"\)")):
        selftest.self_test_apart("reader", SHIPPED / "reader")


def test_a_bundle_that_does_not_fit_is_told_through_the_other_process(tmp_path):
    with pytest.raises(PlatewatchError, match=r"no manifest\.json"):
        selftest.self_test_apart("reader", tmp_path)


def test_the_shipped_reader_passes_its_self_test_here():
    """In its own process, as the doctor makes it: the bytes are the golden ones, and the graph shows XNNPACK at work."""
    answer = selftest.self_test_apart("reader", SHIPPED / "reader")
    assert (answer["state"], answer["delegated"], answer["runtime"]) == ("exact", True, runtime_version())


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_device_whose_xnnpack_is_off_is_recognised(kind, monkeypatch):
    """Its outputs are those of the builtin kernels, and they are not the golden ones."""
    manifest, model = load_manifest(SHIPPED / kind, kind)
    monkeypatch.setattr(selftest, "Interpreter", lambda model, name, builtin=False: Interpreter(model, name, builtin=True))
    found = self_test_of(manifest, model)
    assert (found.state, found.delegated) == (State.XNNPACK_OFF, False)
    assert found.outputs != manifest.golden


def test_other_bytes_from_xnnpack_itself_are_another_runtime():
    manifest, model = load_manifest(SHIPPED / "reader", "reader")
    found = self_test_of(replace_golden(manifest, "0" * 64), model)
    assert (found.state, found.delegated) == (State.OTHER_RUNTIME, True)


def test_without_a_golden_there_is_nothing_to_compare():
    manifest, model = load_manifest(SHIPPED / "reader", "reader")
    found = self_test_of(replace_golden(manifest, ""), model)
    assert found.state is State.NO_GOLDEN
    assert doctor.weigh({"name": "x", "state": "no golden", "delegated": True, "runtime": "r"}).state == "note"


def replace_golden(manifest, value):
    return replace(manifest, golden=value)


@pytest.mark.parametrize(
    ("found", "builtin", "delegated", "state"),
    [
        ("g", "b", True, State.EXACT),
        ("g", "b", None, State.EXACT),
        ("g", "b", False, State.EXACT_BUT_SLOW),
        ("g", "g", None, State.EXACT_BUT_SLOW),
        ("g", "g", True, State.EXACT),
        ("b", "b", False, State.XNNPACK_OFF),
        ("b", "b", None, State.XNNPACK_OFF),
        ("b", "b", True, State.OTHER_RUNTIME),
        ("x", "b", True, State.OTHER_RUNTIME),
        ("x", "b", False, State.OTHER_RUNTIME),
    ],
)
def test_what_the_three_observations_mean(found, builtin, delegated, state):
    """Golden `g`, builtin kernels `b`."""
    assert verdict("g", found, builtin, delegated) is state


def test_every_state_has_words_for_the_owner():
    for state in State:
        outcome = doctor.weigh({"name": "reader-0", "state": state.value, "delegated": None, "runtime": "ai-edge-litert 2.3.0"})
        assert "reader-0" in outcome.words
        assert (outcome.state == "good") == (state is State.EXACT)
        assert bool(outcome.mend) != (state is State.EXACT)
