"""Quantizing, the audit and the gate, on networks small enough for a test."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import nullcontext

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the training side is not installed; ./setup.sh test installs it")

from convert import audit, bundle, cli, quantize, verify
from edge.errors import BundleError
from edge.model.manifest import SHIPPED
from edge.model.reader import Reader
from tests.converting import eagerly, in_this_process
from train import fit as fitting
from train.data.synth import labelled

EXPERIMENT = """
name = "tiny"
kind = "{kind}"
expected = "-"
warmup = 1
decay = 1
[mixture]
drawn = 1.0
[network]
widths = [4, 8, 8, 8, 16]
{more}
[[phase]]
steps = 2
batch = 2
width = 128
height = {height}
"""


@pytest.fixture(scope="module", params=["reader", "detector"])
def trained(request, tmp_path_factory):
    """A run folder of a tiny network and the int8 file made from it."""
    folder = tmp_path_factory.mktemp(request.param)
    experiment = folder / "tiny.toml"
    experiment.write_text(
        EXPERIMENT.format(kind=request.param, height=48 if request.param == "reader" else 96, more="units = 8" if request.param == "reader" else "")
    )
    with eagerly():
        run = fitting.fit(experiment, [], [], folder / "run").parent
    with in_this_process() if request.param == "detector" else nullcontext():  # the recurrence is what has ended converters
        return request.param, run, quantize.quantize(run, [], folder / "tiny.tflite")


def test_the_converted_file_is_int8_throughout(trained):
    found = audit.audit(trained[2])
    assert found.complaints == ()
    assert set(found.tensor_types) <= {"int8", "int32"}
    assert found.macs > 0


def test_the_int8_file_computes_what_the_float_network_computes(trained):
    """The recurrence written out by hand is Keras' own; what is left is rounding."""
    from edge.model.tflite import Interpreter
    from edge.vision.quant import quantize_luma
    from train.config import load_experiment
    from train.evaluation.nets import load_network

    kind, run, file = trained
    floats = verify.float_net(load_network(load_experiment(run / "experiment.toml"), run / "average.weights.h5"), kind)
    net = Interpreter(file.read_bytes(), "tiny")
    luma = np.random.default_rng(0).integers(0, 256, net.shape[1:3], dtype=np.uint8)
    values = quantize_luma(luma, net.scale_in.luma_table())[None, :, :, None]
    expected = {array.shape[-1]: array for array in floats.run(values)}
    for scale, raw in zip(net.scales_out, net.run(values), strict=True):
        wanted = expected[raw.shape[-1]]
        assert np.abs(scale.dequantize(raw) - wanted).mean() < 0.15 * max(float(wanted.std()), 4 * scale.scale)


def test_a_float_file_is_refused(tmp_path):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32)])
    def double(x):
        return x * 2.0

    path = tmp_path / "float.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([double.get_concrete_function()]).convert())
    assert any("is float32" in complaint for complaint in audit.audit(path).complaints)
    assert cli.main(["audit", str(path)]) == 1
    folder = shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    (folder / "model.tflite").write_bytes(path.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text()) | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="inputs and outputs are not int8"):
        Reader.load(folder)


def test_the_gate_holds_a_file_against_a_float_file_that_is_keras(trained, tmp_path, capsys):
    """The default of `convert verify`: the float side is made, checked and asked."""
    kind, run, file = trained
    data = (labelled.draw_clean_crops if kind == "reader" else labelled.draw_scenes)(tmp_path / "data", 3)
    with in_this_process():
        assert cli.main(["verify", str(run), str(file), "--validate", str(data), "--least", "1", "--allowed-drop", "100"]) == 0
    told = capsys.readouterr().out
    assert "float32 .tflite" in told
    assert told.splitlines()[-1] == "passed"


def test_what_is_no_model_is_one_sentence(tmp_path, capsys):
    path = tmp_path / "words.tflite"
    path.write_text("words")
    assert cli.main(["audit", str(path)]) == 1
    assert "no TFLite model" in capsys.readouterr().err


def test_too_little_evidence_is_no_pass(trained, tmp_path):
    kind, run, file = trained
    data = (labelled.draw_clean_crops if kind == "reader" else labelled.draw_scenes)(tmp_path / "data", 3)
    with pytest.raises(bundle.Refused, match="on at least 500"):
        bundle.make_bundle(run, file, [data], tmp_path / "out", bundle.Allowance(), {})
    assert not (tmp_path / "out").exists()


def test_a_passed_bundle_carries_its_verdict_and_its_golden(trained, tmp_path):
    kind, run, file = trained
    data = (labelled.draw_clean_crops if kind == "reader" else labelled.draw_scenes)(tmp_path / "data", 3)
    manifest, verdict, fitted = bundle.make_bundle(run, file, [data], tmp_path / "out", bundle.Allowance(drop=1.0, least=1), {})
    assert verdict.passed
    written = json.loads((tmp_path / "out/manifest.json").read_text())
    assert written["accuracy"]["evidence"] == verdict.evidence >= 1
    assert written["quantization"]["sha256"] == written["sha256"]
    assert len(written["golden"]) == 64
    assert fitted is None
    if kind == "reader":
        assert "fewer than 200 reads" in written["accuracy"]["confidence"]["why"]
        assert (written["temperature"], written["calibration"]) == (1.0, None)
        assert Reader.load(tmp_path / "out").manifest == manifest
    else:
        with pytest.raises(BundleError):
            Reader.load(tmp_path / "out")


def test_a_converter_that_dies_is_an_error_message(tmp_path):
    """The conversion runs in a process of its own: weights that do not fit end it, not the program."""
    (tmp_path / "experiment.toml").write_text(EXPERIMENT.format(kind="reader", height=48, more="units = 8"))
    (tmp_path / "average.weights.h5").write_bytes(b"no weights")
    with pytest.raises(quantize.ConversionError, match="ended with code"):
        quantize.quantize(tmp_path, [], tmp_path / "out.tflite")


def test_evaluate_prints_tables_and_writes_json_and_a_sheet(tmp_path, capsys):
    """The shipped bundles on drawn plates, clean enough that they must be read."""
    data = tmp_path / "data"
    labelled.draw_clean_crops(data / "clean", 12, country="de")
    labelled.draw_scenes(data / "scenes", 6)
    assert cli.main(["evaluate", "--data", str(data), "--json", str(tmp_path / "e.json"), "--errors", str(tmp_path / "errors")]) == 0
    out = capsys.readouterr().out
    assert "clean" in out
    assert "scenes" in out
    written = json.loads((tmp_path / "e.json").read_text())
    assert written["source"]["clean"]["read_exact"] >= 0.75
    assert written["source"]["scenes"]["plates"] > 0
    assert {"precision", "recall", "ap50", "ap75", "map"} <= set(written["source"]["scenes"])
    assert written["bundles"]["reader"]["sha256"] == json.loads((SHIPPED / "reader/manifest.json").read_text())["sha256"]


def test_a_bundles_confidence_is_fitted_to_photographs_and_the_evidence_written(tmp_path, capsys, monkeypatch):
    from train.evaluation import calibration

    monkeypatch.setattr(calibration, "LEAST", 30)
    monkeypatch.setattr(calibration, "LEAST_WRONG", 3)
    folder = shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    data = labelled.draw_crops(tmp_path / "crops", 40, 1)
    before = json.loads((folder / "manifest.json").read_text())
    assert cli.main(["confidence", str(folder), "--validate", str(data)]) == 0
    assert "expected calibration error" in capsys.readouterr().out
    after = Reader.load(folder).manifest
    evidence = after.accuracy["confidence"]
    assert evidence["reads"] >= 30
    assert evidence["temperature"] == after.temperature
    assert {"as it is", "map"} <= set(evidence["candidates"])
    assert after.sha256 == before["sha256"]
    assert after.accuracy["int8"] == before["accuracy"]["int8"]


def test_float_models_are_evaluated_through_the_same_code(trained, tmp_path, capsys):
    """The float network of the run folder behind the device's own reader or detector."""
    from train.cli import main

    kind, run, _ = trained
    data = (labelled.draw_clean_crops if kind == "reader" else labelled.draw_scenes)(tmp_path / "data", 3)
    told = tmp_path / "told.json"
    assert main(["evaluate", str(run), "--data", str(data), "--json", str(told), "--resamples", "5"]) == 0
    capsys.readouterr()
    written = json.loads(told.read_text())
    assert written["models"][kind]["name"] == "tiny (float)"
    everything = written["all"]["all"]
    if kind == "reader":
        assert everything["crops"] == 3
    else:
        assert everything["scenes"] == 3
        assert "exact" not in everything
    assert main(["evaluate", str(run), str(run), "--data", str(data)]) == 1
    assert "at most one detector and one reader" in capsys.readouterr().err


def test_a_folder_without_labels_is_one_sentence(tmp_path, capsys):
    assert cli.main(["evaluate", "--data", str(tmp_path)]) == 1
    assert "no labels.jsonl" in capsys.readouterr().err
