"""`python -m convert bench`: variants and bundles side by side, and results of several machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the training side is not installed")

from convert.bench import candidates, measure_variants, probe
from convert.bench import measure as bench
from convert.bench.compare import compared, ratio_rows
from convert.bench.report import write_comparison, write_report
from convert.bench.tables import headlines, label, reasons, settings_of
from convert.cli import main
from edge.bench.figures import Ratio, Timing
from edge.bench.result import (
    Cell,
    Loading,
    Machine,
    ModelFile,
    Result,
    SceneFacts,
    Setting,
    Software,
    Speedup,
    State,
    load_result,
    save_result,
)
from edge.errors import ConfigError
from edge.model.manifest import MODEL_FILE, SHIPPED

INT8, FLOAT = (Setting(variant=name, runtime="litert", threads=1) for name in ("int8", "float32"))
SCENES = ("1 plate, 1280x720", "4 plates, 1920x1080")


def timing(median: float) -> Timing:
    return Timing(runs=9, median=median, p95=2 * median, minimum=median / 2, q1=0.9 * median, q3=1.1 * median, cpu=median)


def a_result(factor: float = 1.0, sha256: str = "a" * 64, scene_sha256: str = "b" * 64, **changes: object) -> Result:
    """Of a machine that is `factor` times as slow: float32 takes 10 ms, int8 2 ms."""
    medians = {FLOAT: 10.0 * factor, INT8: 2.0 * factor}
    missing = Setting(variant="int8", runtime="tflite-runtime", threads=1)
    fields = {
        "made": "2026-11-23T04:00:00.000+00:00", "command": "python -m convert bench", "seed": 0, "seconds": 60.0,
        "machine": Machine(model=f"Board {factor:g}", architecture="aarch64", flags=("dotprod",), cores=4),
        "software": Software(platewatch="0.1.0", python="3.11.2", system="Debian", packages={"ai-edge-litert": "2.3.0"}),
        "before": State(), "after": State(temperature_c=61.5),
        "models": (ModelFile(kind="detector", variant="int8", name="detector-1", sha256=sha256, size=1024),),
        "scenes": tuple(SceneFacts(name=name, width=1280, height=720, sha256=scene_sha256) for name in SCENES),
        "cells": (
            *(Cell(setting=setting, what="whole frame", scene=name, ms=timing(median)) for setting, median in medians.items() for name in SCENES),
            *(Cell(setting=setting, what="detect", scene=SCENES[0], ms=timing(median / 2)) for setting, median in medians.items()),
            Cell(setting=missing, what="whole frame", scene=SCENES[0], why="tflite-runtime is not installed here"),
        ),
        "speedups": tuple(
            Speedup(setting=INT8, than=FLOAT, what="whole frame", scene=name, ratio=Ratio(value=5.0, low=4.0, high=6.0), processor=5.0) for name in SCENES
        ),
        "loading": (Loading(setting=INT8, load_ms=80.0, run_ms=10.0, growth_mb=15.0, peak_mb=70.0), Loading(setting=missing, why="not there")),
        "reading_peak_mb": 70.0, "no_power": "no energy counter here",
    }  # fmt: skip
    return Result.model_validate(fields | changes)


def saved(folder: Path, name: str, result: Result) -> Path:
    path = folder / f"{name}.json"
    save_result(result, path)
    return path


# Measuring


def test_variants_are_timed_side_by_side_under_their_names():
    """What `python -m convert all` builds on."""
    model = SHIPPED / "reader" / MODEL_FILE
    found = measure_variants({"one": model, "other": model}, "reader", repeat=10, budget_s=0.2)
    assert list(found) == ["one", "other"]
    assert all(one.runs >= 2 and 0 < one.minimum <= one.median <= one.p95 for one in found.values())


@pytest.mark.parametrize("content", [None, b"", b"TFL3 no model at all"])
def test_a_variant_that_cannot_be_run_is_one_sentence(tmp_path: Path, content: bytes | None):
    path = tmp_path / "int8.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError if content is None else Exception, match=r"int8\.tflite") as refused:
        measure_variants({"int8": path}, "reader")
    assert "\n" not in str(refused.value)


def test_the_probe_tells_what_loading_took_or_why_it_could_not(tmp_path: Path):
    bundles = [str(SHIPPED / kind) for kind in ("detector", "reader")]
    files = [str(SHIPPED / kind / MODEL_FILE) for kind in ("detector", "reader")]
    told = json.loads(probe.main([*files, *bundles, "litert", "1"]))
    assert told["load_ms"] > 0
    broken = tmp_path / "x.tflite"
    broken.write_bytes(b"no model")
    assert "x.tflite" in json.loads(probe.main([str(broken), files[1], *bundles, "litert", "1"]))["why"]


def test_a_missing_runtime_and_a_failed_conversion_are_reasons_in_the_result(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(candidates.importlib.util, "find_spec", lambda name: None if name == "tflite_runtime" else name)
    files = {"int8": {"detector": Path("d"), "reader": Path("r")}, "int16x8": {"detector": "the converter gave up", "reader": Path("r")}}
    found = {label(one.setting): one.why for one in candidates.of_variants(files, ["litert", "tflite-runtime"], [1])}
    assert found == {
        "int8, litert, 1 thread": None,
        "int8, tflite-runtime, 1 thread": "tflite-runtime is not installed here",
        "int16x8, litert, 1 thread": "the converter gave up",
        "int16x8, tflite-runtime, 1 thread": "the converter gave up",
    }


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded in a process of its own."""
    monkeypatch.setattr(bench, "load_alone", lambda one: Loading(setting=one.setting, why=one.why, growth_mb=None if one.why else 15.0))
    monkeypatch.setattr(bench, "reading_memory", lambda picture: (70.0, 40.0))


@pytest.mark.usefixtures("quickly")
def test_two_bundles_are_compared_in_the_same_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same bundle on both sides: ratios with their intervals, every cell told, and a page that needs no network."""
    monkeypatch.setattr(bench, "drawn_scenes", lambda scenes=bench.drawn_scenes: scenes()[1:2])
    words = ["--detector", str(SHIPPED / "detector"), "--against-reader", str(SHIPPED / "reader"), "--runtimes", "litert,tflite-runtime", "--threads", "1"]
    assert main(["bench", *words, "--repeat", "3", "--budget", "0.02", "--out", str(tmp_path)]) == 0
    result = load_result(tmp_path / "bench.json")
    assert {(one.setting.side, one.than.side, one.what) for one in result.speedups} == {("B", "A", what) for what in ("detect", "read", "whole frame")}
    assert all(one.same_work and one.ratio.low <= one.ratio.value <= one.ratio.high for one in result.speedups)
    assert len(result.cells) == 2 * 2 * 3
    page = (tmp_path / "report.html").read_text()
    assert "http" not in page
    assert "<script" not in page
    assert "B is so many times faster than A" in page


# What is asked for


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--variants", "int4"], "--variants int4: there is none of that name; there are float32,"),
        (["--runtimes", "onnx"], "--runtimes onnx: there is none of that name; there are litert,"),
        (["--runtimes", ","], "--runtimes: name at least one of"),
        (["--threads", "-1"], "--threads -1: numbers"),
        (["--repeat", "1"], "--repeat 1: at least 3"),
        (["--budget", "0"], "--budget 0: more than 0"),
        (["--detector", "nowhere"], "nowhere: no "),
        (["--detector", str(SHIPPED / "reader")], "is a reader, a detector is wanted"),
        (["--reader", str(SHIPPED / "reader"), "--variants", "int8"], "name the one or the other"),
        (["--compare", "a.json"], "--compare a.json: name two files or more"),
        (["--compare", "a.json", "b.json"], "a.json: cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = [f"{words[0]}={words[1]}", *words[2:]] if words[1].startswith("-") else words
    assert main(["bench", "--out", str(tmp_path / "out"), *words]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    assert main(["bench", "--out", str(tmp_path / "file" / "out")]) == 1
    assert "file/out: cannot be made" in capsys.readouterr().err


# What is told


def test_the_headline_is_int8_against_float32_in_whole_frames_with_one_thread():
    told = headlines(a_result())
    (words,) = [words for words in told if "float32" in words]
    assert told[words][0] == "5.0"
    assert "wanted 2.5" in told[words][1]


def test_a_pair_that_did_not_do_the_same_work_is_no_part_of_the_headline():
    """float32 saw something more in one scene, looked again and took twice as long: that does not make int8 faster."""
    first, second = a_result().speedups
    other = second.model_copy(update={"same_work": False, "ratio": Ratio(value=50.0, low=40.0, high=60.0)})
    assert headlines(a_result(speedups=(first, other))) == headlines(a_result(speedups=(first,)))


def test_what_could_not_be_measured_is_told_with_its_reason():
    assert reasons(a_result()) == [["int8, tflite-runtime, 1 thread", "tflite-runtime is not installed here"]]


def test_settings_stand_by_runtime_and_threads():
    cells = [Cell(setting=Setting(variant=v, runtime=r, threads=t), what="detect", scene=None) for v in "ab" for r in "xy" for t in (1, 2)]
    assert [f"{one.variant}{one.runtime}{one.threads}" for one in settings_of(cells)] == ["ax1", "bx1", "ax2", "bx2", "ay1", "by1", "ay2", "by2"]


def test_the_page_holds_every_table_and_its_plots(tmp_path: Path):
    page = write_report(a_result(), tmp_path).read_text()
    for words in ("Board 1", "dotprod", "61.5 after C", "tflite-runtime is not installed here", "no energy counter here", "10.0 / 20.0 (9)", "data:image/png"):
        assert words in page
    assert (tmp_path / "frames.png").read_bytes().startswith(b"\x89PNG")


# Comparing


def test_machines_are_compared_by_what_both_measured(tmp_path: Path):
    paths = [saved(tmp_path, "pi5", a_result()), saved(tmp_path, "pi4", a_result(3.0))]
    found = compared(paths)
    heads, rows = ratio_rows(found)
    assert heads == ["ms, median", "pi5", "pi4"]
    assert ["whole frame, 4 plates, 1920x1080: int8, litert, 1 thread", "2.00", "6.00 (3.00x)"] in rows
    assert found.warnings == []
    page = write_comparison(found, tmp_path).read_text()
    assert "Board 3" in page
    assert "6.00 (3.00x)" in page


def test_other_models_other_scenes_and_own_warnings_are_told(tmp_path: Path):
    other = a_result(2.0, sha256="c" * 64, scene_sha256="d" * 64, warnings=("the board reports throttled now",))
    found = compared([saved(tmp_path, "one", a_result()), saved(tmp_path, "other", other)])
    assert [word for word, said in zip(("other models", "other scenes", "throttled now"), found.warnings, strict=True) if word in said] == [
        "other models", "other scenes", "throttled now",
    ]  # fmt: skip


def test_results_with_nothing_in_common_are_refused(tmp_path: Path):
    bare = a_result(cells=(Cell(setting=INT8, what="resize", scene=None, ms=timing(1.0)),))
    with pytest.raises(ConfigError, match="no measured cell in common"):
        compared([saved(tmp_path, "one", a_result()), saved(tmp_path, "other", bare)])


def test_two_files_of_one_name_are_both_shown(tmp_path: Path):
    (tmp_path / "old").mkdir()
    found = compared([saved(tmp_path / "old", "pi", a_result()), saved(tmp_path, "pi", a_result(0.5))])
    assert found.names == ["pi", "pi (2)"]


def test_the_command_compares_and_measures_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    paths = [str(saved(tmp_path, "one", a_result())), str(saved(tmp_path, "other", a_result(2.0)))]
    assert main(["bench", "--compare", *paths, "--out", str(tmp_path / "out")]) == 0
    assert "(2.00x)" in capsys.readouterr().out
    assert (tmp_path / "out" / "comparison.html").is_file()
