"""`convert all`: steps that are done once, and a table that is made of the results alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("PIL", reason="the training side is not installed; ./setup.sh test installs it")

from convert import cli
from convert.gate.sides import Seen
from convert.gate.verdict import Allowance
from convert.quantize import VARIANTS
from convert.reproduce import actions, command, inputs, run, steps, table
from convert.reproduce.inputs import of_file
from edge.errors import PlatewatchError

ROOT = Path(__file__).parents[2]
START, END = "<!-- variants -->\n", "\n<!-- /variants -->"


def count(number):
    """An action for a step; the file tells how often it was done."""
    return {"number": number}


def fail():
    raise PlatewatchError("no such luck")


def a_step(name="one", number=1, **inputs):
    return steps.Step(name, {"number": number} | inputs, count, (number,))


def names(shelf, *todo):
    """Those that were done now and not before."""
    before = {step.name for step in todo if shelf.find(step) is not None}
    steps.do_all(todo, shelf, 0, lambda name: None)
    return {step.name for step in todo} - before


def test_a_step_is_done_once_and_again_when_its_inputs_change(tmp_path):
    shelf = steps.Shelf(tmp_path)
    assert names(shelf, a_step(), a_step("two", 2)) == {"one", "two"}
    assert names(shelf, a_step(), a_step("two", 2)) == set()
    assert names(shelf, a_step(), a_step("two", 3)) == {"two"}
    assert names(shelf, a_step(code="new"), a_step("two", 3)) == {"one"}
    assert shelf.find(a_step("two", 3)).value == {"number": 3}


def test_steps_run_in_processes_of_their_own_and_tell_time_and_memory(tmp_path):
    told = []
    found = steps.do_all([steps.Step("path", {}, of_file_as_value, (str(tmp_path),))], steps.Shelf(tmp_path), 1, told.append)
    assert told == ["path"]
    assert found["path"].value["pid"] != os.getpid()
    assert found["path"].peak_mb > 5


def of_file_as_value(path):
    return {"pid": os.getpid(), "path": path}


def test_what_was_finished_before_an_error_is_kept(tmp_path):
    shelf = steps.Shelf(tmp_path)
    with pytest.raises(PlatewatchError, match="no such luck"):
        steps.do_all([a_step(), steps.Step("bad", {}, fail, ()), a_step("three", 3)], shelf, 0, lambda name: None)
    assert shelf.find(a_step()).value == {"number": 1}
    assert shelf.find(a_step("three", 3)) is None


def test_a_result_that_was_cut_off_is_no_result(tmp_path):
    shelf = steps.Shelf(tmp_path)
    names(shelf, a_step())
    held = tmp_path / "one.json"
    held.write_text(held.read_text()[:-5])
    assert shelf.find(a_step()) is None


def test_what_could_not_be_done_is_tried_again(tmp_path):
    shelf = steps.Shelf(tmp_path)
    step = steps.Step("cost", {}, lambda: {"why": "no emulator"}, ())
    assert steps.do_all([step], shelf, 0, lambda name: None)["cost"].value == {"why": "no emulator"}
    assert shelf.find(step) is None


PLATES = 600


def seen(lost, most=None):
    """A reader or a detector that misses `lost` plates, one a photograph."""
    number = list(range(0, PLATES, PLATES // most if most else 1))
    right = [n >= lost for n in number]
    plates = list(range(len(number)))
    return Seen([f"{n}.jpg" for n in number], ["street"] * len(number), plates, right, {}, [0.9] * len(number), right, plates)


@pytest.fixture
def faked(monkeypatch):
    """Every action without its work; `done` counts them, `lost` says what each variant misses."""
    done, lost = [], dict.fromkeys(VARIANTS, 0)

    def note(name, action):
        def act(*words):
            done.append(name)
            return action(*words)

        monkeypatch.setattr(actions, name, act)

    def make(run_, folders, file, variant):
        file.write_bytes(f"{run_.name} {variant}".encode())
        return {"sha256": of_file(file), "bytes": 2048, "record": {"variant": variant}}

    note("make", make)
    note("check", lambda run_, file: {"difference": 1e-5})
    note("audit", lambda file: {"complaints": [], "macs": 10**6, "bytes": 2048, "operations": {}})
    note("look", lambda run_, file, folders, views, most: seen(lost[file.stem.split("-")[1]], most).as_json())
    note("speed", lambda kind, run_, files, threads: {name: {"median": 1.5} for name in files})
    note("cost", lambda kind, file, cpus: {"instructions": dict.fromkeys(cpus, 12_300_000)} if kind == "reader" else {"why": "no emulator here"})
    return done, lost


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "street").mkdir()
    (tmp_path / "street" / "labels.jsonl").write_text("")
    return run.Settings(run.shipped_runs(), [], [tmp_path / "street"], False, tmp_path / "work", Allowance(), workers=0)


def test_everything_is_done_once_and_all_is_told(faked, settings):
    done, _ = faked
    told = []
    result = run.reproduce(settings, told.append)
    assert len(told) == run.steps_in_all(settings)
    assert done.count("make") == done.count("look") == 2 * len(VARIANTS)
    assert done.count("cost") == 2 * (len(VARIANTS) - 1)
    reader = result["networks"]["reader"]
    assert reader["int8_is_the_shipped_file"] is False
    assert set(reader["variants"]) == set(VARIANTS)
    assert reader["variants"]["int8"]["passed"]
    assert not reader["variants"]["int16x8"]["passed"], "a few photographs are too little evidence"
    done.clear()
    again = run.reproduce(settings, told.append)
    assert done == ["cost"] * 4, "only what could not be counted is tried again"
    changing = {"seconds", "seconds_of_steps", "peak_mb"}
    assert {key: value for key, value in again.items() if key not in changing} == {key: value for key, value in result.items() if key not in changing}


def test_a_file_that_is_gone_is_made_again_and_looked_at_no_more(faked, settings):
    done, _ = faked
    run.reproduce(settings, lambda name: None)
    (settings.work / "reader-int8.tflite").unlink()
    done.clear()
    run.reproduce(settings, lambda name: None)
    assert done.count("make") == 1
    assert "look" not in done


def test_another_set_of_photographs_is_looked_at_anew(faked, settings):
    done, _ = faked
    run.reproduce(settings, lambda name: None)
    inputs._of_labelled.cache_clear()
    (settings.validate[0] / "labels.jsonl").write_text("\n")
    done.clear()
    run.reproduce(settings, lambda name: None)
    assert done.count("look") == 2 * len(VARIANTS)
    assert "make" not in done


def test_the_table_tells_what_was_lost_and_why_something_is_missing(faked, settings):
    _, lost = faked
    lost["int8"] = 6
    result = json.loads(json.dumps(run.reproduce(settings, lambda name: None), allow_nan=False))
    assert not result["networks"]["reader"]["variants"]["int8"]["passed"]
    told = table.markdown(result)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in told.splitlines() if line.startswith("|")]
    assert all(len(row) == len(table.HEAD) for row in rows)
    (row,) = [row for row in rows if row[:2] == ["reader", "int8"]]
    assert (row[2], row[3], row[4], row[6], row[7]) == ("2", "99.00", "1.00", "1.50", "12.3")
    low, high = (float(word) for word in row[5].split(" to "))
    assert low < 1.0 < high
    assert "no emulator here" in told
    assert "int16x8 runs without the fast kernels" in told
    assert "photographs that nothing learnt from" in told
    assert any("refused: loses 1.00 points of exact plates" in line for line in command.in_words(result))


def test_a_lossy_int8_file_ends_with_1(faked, settings, tmp_path, monkeypatch, capsys):
    _, lost = faked
    monkeypatch.setattr(command, "_settings", lambda options, out: settings)
    words = ["all", "--validate", str(tmp_path / "street"), "--out", str(tmp_path / "out")]
    assert cli.main(words) == 0
    assert cli.main(["all", "--table", "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "variants.md").read_text() in capsys.readouterr().out
    lost["int8"] = 6
    (settings.work / "steps" / "look-reader-int8.json").unlink()
    assert cli.main(words) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--views", "-1"], "closer looks"),
        (["--workers", "0"], "--workers 0"),
        (["--least", "0"], "--least 0"),
        (["--allowed-drop", "101"], "--allowed-drop 101"),
        (["--validate", "nowhere"], "no labels.jsonl"),
        (["--data", "nowhere"], "no labels.jsonl"),
        (["--table", "--out", "nowhere"], "cannot be read"),
    ],
)
def test_bad_input_is_one_sentence_before_any_work(words, said, capsys, tmp_path):
    assert cli.main(["all", "--work", str(tmp_path / "work"), *words]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_what_is_calibrated_on_is_not_judged_on(capsys, tmp_path):
    (tmp_path / "labels.jsonl").write_text("")
    assert cli.main(["all", "--work", str(tmp_path / "w"), "--out", str(tmp_path / "o"), "--data", str(tmp_path), "--validate", str(tmp_path)]) == 1
    assert "calibrated on and judged on" in capsys.readouterr().err


def test_the_table_in_the_readme_is_the_one_of_the_results():
    """And that one is made of the JSON beside it."""
    made = table.RESULTS / "variants.md"
    readme = (ROOT / "README.md").read_text()
    assert made.read_text() == table.markdown(table.read(table.RESULTS))
    assert readme.split(START)[1].split(END)[0].strip() == made.read_text().strip()
