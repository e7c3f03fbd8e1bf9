"""Calibration methods and what wins back, on numbers and networks small enough to be worked out by hand."""

from __future__ import annotations

import hashlib
import json
from functools import partial

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the training side is not installed; ./setup.sh test installs it")

from convert import cli, quantize
from convert.calibrate import calibration_set, choose
from convert.methods import comparing, making, taps
from convert.methods.bias import correct_biases
from convert.methods.choice import Row, best_method, best_of
from convert.methods.editing import Editing
from convert.methods.equalise import chains, equalise, levels
from convert.methods.layers import linear, pairs, patches
from convert.methods.ranges import METHODS, entropy, min_max, mse, percentile, squared_error
from convert.methods.recipes import DEFAULTS, Recipe, recipe_for
from convert.methods.rounding import adapt, round_to_outputs
from convert.methods.taps import Histogram
from edge.errors import ConfigError
from tests.converting import eagerly, in_this_process
from train import fit as fitting
from train.data.formats.native import DataError
from train.data.synth import labelled

EXPERIMENT = """
name = "tiny"
kind = "detector"
expected = "-"
warmup = 1
decay = 1
[mixture]
drawn = 1.0
[network]
widths = [4, 8, 8, 8, 16]
[[phase]]
steps = 2
batch = 2
width = 128
height = 96
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of a tiny detector."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.toml").write_text(EXPERIMENT)
    with eagerly():
        return fitting.fit(folder / "tiny.toml", [], [], folder / "run").parent


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """(calibrated float file, int8 file, pictures): two convolutions, a bypass, a dense layer; one channel far larger than the rest, few weights alike."""
    import tensorflow as tf

    rng = np.random.default_rng(3)
    first = rng.normal(0, 0.4, (3, 3, 1, 6)).astype(np.float32)
    first[..., 2] *= 40.0
    second = rng.normal(0, 0.3, (3, 3, 6, 6)).astype(np.float32)
    second[:, :, 2] /= 40.0
    dense = rng.normal(0, 0.3, (4 * 4 * 6, 5)).astype(np.float32)
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((1, 16, 16, 1), tf.float32, name="luma")])
    def serve(luma):
        x = tf.nn.relu(tf.nn.conv2d(luma, first, 2, "SAME") + 0.1)
        y = tf.nn.relu(tf.nn.conv2d(x, second, 1, "SAME") + 0.2)
        z = tf.nn.conv2d(y, second * 0.5, 1, "SAME") - 0.1
        z = tf.nn.relu(z + tf.constant(30.0) * y)
        return {"logits": tf.matmul(tf.reshape(tf.nn.avg_pool2d(z, 2, 2, "VALID"), (1, -1)), dense) + 0.3}

    module.serve = serve
    folder = tmp_path_factory.mktemp("network")
    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})
    pictures = rng.uniform(-1, 1, (24, 16, 16, 1)).astype(np.float32)
    converter = making.int8_converter(folder, pictures)
    converter._experimental_calibrate_only = True
    calibrated = bytes(converter.convert())
    return calibrated, making.make_int8(folder, pictures, Recipe(), folder), pictures


def outputs(model, pictures):
    """(N, ...) what the file computes, as floats."""
    last = Editing(model).outputs[0]
    return np.stack([np.array(tap(last)) for tap in taps.passes(model, pictures)])


def counted(values):
    values = np.asarray(values, np.float32)
    histogram = Histogram.over(float(min(values.min(), 0)), float(max(values.max(), 0)))
    histogram.add(values)
    return histogram


OUTLIER = np.append(np.random.default_rng(0).normal(0, 1, 200_000), 60.0)


def test_exact_zeros_are_counted_apart_and_extremes_are_exact():
    histogram = counted([0.0, 0.0, 0.25, 3.5])
    assert (histogram.zeros, histogram.low, histogram.high, histogram.counts.sum()) == (2, 0.0, 3.5, 2)


def test_min_max_keeps_an_outlier_and_the_others_clip_it():
    histogram = counted(OUTLIER)
    assert min_max(histogram) == (pytest.approx(OUTLIER.min()), 60.0)
    for method in (partial(percentile, share=0.9999), partial(percentile, share=0.999), entropy):
        low, high = method(histogram)
        assert 1.5 < high < 20.0
        assert low < -1.5
    assert 4.0 < mse(histogram)[1] < 59.0  # one value in 200,000 is worth a wider step, but not all of it


def test_a_percentile_clips_about_its_share():
    low, high = percentile(counted(OUTLIER), 0.999)
    assert np.mean(high < OUTLIER) == pytest.approx(0.001, abs=0.0008)
    assert np.mean(low > OUTLIER) == pytest.approx(0.001, abs=0.0008)


def test_mse_measures_the_error_that_rounding_and_clipping_make():
    """Against the error of the 256 steps themselves, laid over the range."""
    histogram = counted(OUTLIER)
    for low, high in ((-4.0, 4.0), (-2.0, 2.0), mse(histogram)):
        step = (high - low) / 255
        real = np.mean((np.clip(np.round((OUTLIER - low) / step), 0, 255) * step + low - OUTLIER) ** 2)
        assert squared_error(histogram, low, high) == pytest.approx(real, rel=0.08)


def test_the_calibrators_ranges_of_what_is_added_in_place_are_too_wide_and_ours_are_true(network):
    calibrated, _, pictures = network
    noted, found = Editing(calibrated).ranges(), taps.histograms(calibrated, pictures)
    assert found.keys() == noted.keys()
    for index, (low, high) in noted.items():
        assert found[index].low >= low - 1e-4
        assert found[index].high <= high + 1e-4
    last = Editing(calibrated).outputs[0]
    assert found[last].high == pytest.approx(outputs(calibrated, pictures).max(), rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_input_and_outputs_keep_their_ranges_whatever_the_method(network, method):
    calibrated, _, pictures = network
    before, after = Editing(calibrated), Editing(making.with_ranges(calibrated, taps.histograms(calibrated, pictures), method))
    for tensor in (*before.inputs, *before.outputs):
        assert after.ranges()[tensor] == pytest.approx(before.ranges()[tensor], rel=1e-5)


def test_patches_times_weights_is_the_layer(network):
    calibrated, _, pictures = network
    model = Editing(calibrated)
    tap = next(taps.passes(calibrated, pictures[:1]))
    kinds = set()
    for layer in model.layers:
        weights, inputs = model.constant(layer.weights), tap(layer.input)
        true = linear(layer, inputs, weights)
        places = np.arange(len(true))
        assert patches(layer, inputs, weights.shape, places) @ weights.reshape(len(weights), -1).T == pytest.approx(true, abs=1e-3)
        kinds.add(layer.kind)
    assert kinds == {"conv", "dense"}


def test_adaptive_rounding_meets_the_output_better_than_rounding_to_nearest():
    rng = np.random.default_rng(1)
    inputs = rng.normal(0, 1, (500, 4)) @ rng.normal(0, 1, (4, 24)) + rng.normal(0, 0.05, (500, 24))
    steps = rng.uniform(-120, 120, (8, 24))
    found = adapt(steps, inputs.T @ inputs)
    assert np.array_equal(found, np.round(found))
    assert np.abs(found).max() <= 127
    error = [np.mean((inputs @ (steps - rounded).T) ** 2) for rounded in (np.round(steps), found)]
    assert error[1] < 0.5 * error[0]


def test_without_inputs_rounding_is_to_nearest():
    steps = np.random.default_rng(2).uniform(-120, 120, (3, 7))
    assert np.array_equal(adapt(steps, np.zeros((7, 7))), np.round(steps))


def test_rounding_to_outputs_and_correcting_biases_keep_the_file_whole(network):
    calibrated, ints, pictures = network
    true, plain = outputs(calibrated, pictures), outputs(ints, pictures)
    limit = 1.5 * np.abs(plain - true).mean() + 1e-3
    for made in (round_to_outputs(calibrated, ints, pictures), correct_biases(calibrated, ints, pictures)):
        assert made != ints
        assert np.abs(outputs(made, pictures) - true).mean() < limit


def test_a_constant_is_written_over_and_the_file_does_not_grow(network):
    model = Editing(network[1])
    before = len(model.to_bytes())
    layer = model.layers[0]
    model.set_constant(layer.bias, model.constant(layer.bias) + 1)
    assert len(model.to_bytes()) == before
    assert np.array_equal(Editing(model.to_bytes()).constant(layer.bias), model.constant(layer.bias))


def test_a_bias_that_is_off_by_what_the_weights_are_is_put_right(network):
    """Every weight of one layer a step too great: the correction takes the mean shift of its output back."""
    calibrated, ints, pictures = network
    spoilt = Editing(ints)
    pair = pairs(Editing(calibrated), spoilt)[0]
    spoilt.set_constant(pair.ints.weights, np.minimum(spoilt.constant(pair.ints.weights).astype(int) + 4, 127))
    brighter = pictures * 0.5 + 0.5
    off = [np.abs(outputs(model, brighter).mean(axis=0) - outputs(calibrated, brighter).mean(axis=0)).mean() for model in (
        spoilt.to_bytes(), correct_biases(calibrated, spoilt.to_bytes(), brighter))]  # fmt: skip
    assert off[1] < 0.5 * off[0]


def test_equalising_changes_nothing_but_the_ranges(network):
    calibrated, _, pictures = network
    levelled = equalise(calibrated, pictures)
    assert outputs(levelled, pictures) == pytest.approx(outputs(calibrated, pictures), rel=1e-3, abs=1e-2)
    ((layer, _), *_rest) = chains(Editing(calibrated))
    before, after = (Editing(model).ranges()[layer.output][1] for model in (calibrated, levelled))
    assert after < 0.5 * before


def test_levels_share_out_evenly_and_leave_dead_channels_alone():
    factor = levels(np.array([8.0, 2.0, 0.0]), np.array([2.0, 8.0, 1.0]))
    assert factor == pytest.approx([2.0, 0.5, 1.0])


def test_the_same_inputs_give_the_same_bytes_and_a_record_that_fits(run, tmp_path):
    """One is made in a process of its own, as always, the other in this one."""
    files = [quantize.quantize(run, [], tmp_path / "a.tflite")]
    with in_this_process():
        files.append(quantize.quantize(run, [], tmp_path / "b.tflite"))
    assert files[0].read_bytes() == files[1].read_bytes()
    told = quantize.calibration_record(files[0])
    assert told == quantize.calibration_record(files[1])
    assert (told["method"], told["win_back"], told["seed"]) == ("mse", ["equalise", "round", "bias"], 4)
    assert told["pictures"] == {"drawn": 100, "black and white": 1}
    assert told["weights_sha256"] == hashlib.sha256((run / "average.weights.h5").read_bytes()).hexdigest()
    files[0].write_bytes(b"another file")
    with pytest.raises(quantize.ConversionError, match="the record of another file"):
        quantize.calibration_record(files[0])
    files[0].unlink()
    with pytest.raises(quantize.ConversionError, match="no such file"):
        quantize.calibration_record(files[0])
    quantize.record_file(files[1]).unlink()
    with pytest.raises(quantize.ConversionError, match="does not stand beside it"):
        quantize.calibration_record(files[1])


def test_calibration_takes_turns_and_is_chosen_by_its_seed(tmp_path):
    folders = [labelled.draw_scenes(tmp_path / name, number, seed) for seed, (name, number) in enumerate({"large": 9, "small": 2}.items())]
    once, again = (choose("detector", 64, 48, folders, real=6, drawn=3) for _ in range(2))
    assert once.as_json() == again.as_json()
    assert once.as_json()["pictures"] == {"large": 4, "small": 2, "drawn": 3, "black and white": 1}
    assert calibration_set("detector", 64, 48, folders, real=6, drawn=3).shape == (10, 48, 64, 1)
    with pytest.raises(DataError, match="none of the cut-out plates"):
        choose("reader", 128, 48, folders)


def test_a_converter_that_takes_too_long_is_one_sentence(run, tmp_path):
    with pytest.raises(quantize.ConversionError, match=r"did not end within 0\.01 s"):
        quantize.quantize(run, [], tmp_path / "out.tflite", timeout_s=0.01)


def test_words_of_the_command_line():
    assert recipe_for("detector") == DEFAULTS["detector"]
    assert recipe_for("detector", "mse") == recipe_for("detector", None, "none") == Recipe("mse")
    assert recipe_for("reader", "percentile", "bias, round") == Recipe("percentile-99.99", ("round", "bias"))
    with pytest.raises(ConfigError, match="did you mean 'entropy'"):
        recipe_for("reader", "entropie")
    with pytest.raises(ConfigError, match="--win-back: there is no 'magic'; there are equalise, round, bias"):
        recipe_for("reader", None, "magic")


def row(name, drop, error, worst=0.0):
    return Row(name, name, (), 0.9 - drop, drop, (0.0, 0.0), {"large": (200, worst), "small": (20, 0.3)}, error, 1000)


def test_a_source_that_loses_too_much_fails_a_method_and_a_small_one_says_nothing():
    assert row("mse", 0.002, 0.05).passes
    assert not row("converter", 0.001, 0.05, worst=0.0076).passes
    assert best_method([row("converter", 0.001, 0.01, worst=0.0076), row("mse", 0.002, 0.05)]).name == "mse"
    assert best_method([row("converter", 0.02, 0.01, worst=0.03), row("mse", 0.01, 0.05, worst=0.03)]).name == "mse"


def test_of_equals_the_least_error_is_taken_and_a_step_must_be_worth_it():
    mse_row, other = row("mse", 0.0024, 0.050), row("min-max", 0.0020, 0.060)
    assert best_method([mse_row, other]) is mse_row
    assert best_of(mse_row, [row("round", 0.0022, 0.048)])[0] is mse_row
    assert best_of(mse_row, [row("round", 0.0022, 0.030)])[0].name == "round"
    assert best_of(mse_row, [row("bias", 0.0002, 0.051)])[0].name == "bias"


def test_the_command_measures_each_method_and_says_which_to_take(run, tmp_path, capsys, monkeypatch):
    """In this process, with few methods and pictures; the network is far too small to find anything. What is made once is not made again."""
    made = []

    def make(run, chosen, out, recipe, scratch, variant="int8"):
        made.append(recipe.name)
        np.save(scratch / "calibration.npy", chosen.pictures[-9:])
        quantize.convert(run, scratch, out, variant, recipe)
        told = quantize.origin(run, chosen, recipe, variant) | {"sha256": hashlib.sha256(out.read_bytes()).hexdigest()}
        quantize.record_file(out).write_text(json.dumps(told))
        return out

    monkeypatch.setattr(comparing, "make", make)
    monkeypatch.setattr(comparing, "CALIBRATIONS", ("converter", "mse"))
    monkeypatch.setattr(comparing, "STEPS", ("bias",))
    data, validation = labelled.draw_scenes(tmp_path / "data", 2, 1), labelled.draw_scenes(tmp_path / "validation", 4, 2)
    words = ["methods", str(run), "--data", str(data), "--out", str(tmp_path / "out"), "--validate"]
    assert cli.main([*words, str(validation)]) == 0
    assert "take " in capsys.readouterr().out
    told = json.loads((tmp_path / "out/methods.json").read_text())
    methods = {one["method"] for one in told["recipes"]}
    assert methods == {"converter", "mse"}
    assert told["chosen"] in {one["name"] for one in told["recipes"]}
    assert (tmp_path / "out/methods.png").read_bytes().startswith(b"\x89PNG")
    assert len(made) == 4
    assert cli.main([*words, str(validation)]) == 0
    assert len(made) == 5  # the float file alone, which is not kept
    assert json.loads((tmp_path / "out/methods.json").read_text()) == told
    capsys.readouterr()
    assert cli.main([*words, str(data)]) == 1
    assert "by --data and by --validate" in capsys.readouterr().err
    crops = labelled.draw_clean_crops(tmp_path / "crops", 2)
    assert cli.main([*words, str(crops)]) == 1
    assert "no plate to measure a detector on" in capsys.readouterr().err


def test_bad_words_are_one_sentence(run, tmp_path, capsys):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/experiment.toml").write_text(EXPERIMENT)
    photos = labelled.draw_scenes(tmp_path / "photos", 1)
    for words, said in (
        (["quantize", str(run), "--out", str(tmp_path / "x.bin")], "does not end in .tflite"),
        (["quantize", str(run), "--out", str(tmp_path / "x.tflite"), "--method", "minmax"], "did you mean 'min-max'"),
        (["quantize", str(tmp_path / "bare"), "--out", str(tmp_path / "x.tflite")], "average.weights.h5: no such file"),
        (["methods", str(tmp_path / "bare"), "--data", str(photos), "--validate", str(run), "--out", str(tmp_path)], "no labels.jsonl"),
        (["quantize", str(tmp_path), "--out", str(tmp_path / "x.tflite")], "no such file"),
        (["quantize", str(run), "--out", str(tmp_path / "x.tflite"), "--data", str(tmp_path / "bare")], "no labels.jsonl"),
    ):
        assert cli.main(words) == 1
        assert said in capsys.readouterr().err
