"""Where int8 hurts: the figures of a layer, files taken apart, float and int8 side by side."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tensorflow", reason="the training side is not installed; ./setup.sh test installs it")
pytest.importorskip("matplotlib", reason="the training side is not installed; ./setup.sh test installs it")

from convert import cli
from convert.graph.graph import read_graph
from convert.graph.probe import Probe
from convert.layers import run as running
from convert.layers.harm import harms, worst_first
from convert.layers.matching import NoMatch, match, short_name
from convert.layers.measure import BARS, Tally, fake_quantized, layers
from convert.layers.photographs import _finds, _reads, even_chance
from convert.layers.surgery import cut_apart, made, unpack, with_noise, with_weights
from convert.layers.taps import Open, float_input, tally, weights_of, weights_sqnr
from edge.model.manifest import SHIPPED
from edge.records import Box
from edge.vision.quant import Scale
from tests.builders import a_detection, a_read
from tests.tflite_files import a_reader
from train import metrics
from train.data.formats.native import LabelledImage, LabelledPlate
from train.data.synth import labelled
from train.evaluation.cases import ANYTHING, Case, Look

WEIGHTS = 0.1 * np.random.default_rng(0).normal(size=(37, 96))
FLOATS, INT8 = a_reader(WEIGHTS, False), a_reader(WEIGHTS, True)
LUMA = np.random.default_rng(1).integers(0, 256, (48, 128), dtype=np.uint8)
EXPERIMENT = """
name = "made by hand"
kind = "reader"
expected = "-"
[mixture]
drawn = 1.0
[network]
[[phase]]
steps = 1
batch = 1
width = 128
height = 48
"""


@pytest.fixture(autouse=True)
def unasked(monkeypatch):
    """The audit asks no runtime in a process of its own here; tests/unit/test_audit.py is about that."""
    monkeypatch.setattr("convert.audit.probe", lambda path: Probe(left=()))


@pytest.fixture
def pair():
    return match(read_graph(FLOATS), read_graph(INT8))


@pytest.fixture
def folder(tmp_path):
    """A run folder's papers, and the two files."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/experiment.toml").write_text(EXPERIMENT)
    (tmp_path / "int8.tflite").write_bytes(INT8)
    (tmp_path / "float.tflite").write_bytes(FLOATS)
    return tmp_path


def command(folder, *more, file="int8.tflite", floats="float.tflite"):
    return cli.main(["layers", str(folder / "run"), str(folder / file), "--float", str(folder / floats), "--pictures", "3", *map(str, more)])


def test_the_figures_of_a_layer_are_those_done_by_hand(pair):
    one = Tally.of(next(pair for pair in pair.pairs if pair.kind == "LOGISTIC"))
    floats = np.zeros((64, 37), np.float32)
    floats[:, 0] = 0.5  # 128 steps of 1/256: 0 in int8
    floats[0, 1] = 2.0  # beyond 255/256
    whole = np.full((64, 37), -128, np.int8)
    whole[:, 0] = 1  # one step off
    whole[0, 1] = 127
    alone = whole.copy()
    alone[:, 0] = 0
    one.add(floats, whole, alone)
    (layer,) = layers([one], {})
    signal, clipping = 64 * 0.25 + 4.0, (2.0 - 255 / 256) ** 2
    assert layer.whole == pytest.approx(10 * math.log10(signal / (64 / 256**2 + clipping)))
    assert layer.alone == layer.rounding == layer.clipping == pytest.approx(10 * math.log10(signal / clipping))
    assert layer.clipped == 1 / floats.size
    assert (layer.at_low, layer.at_high) == (1 - 65 / floats.size, 1 / floats.size)
    assert layer.used == 1.0
    assert (layer.channel, layer.channel_db) == (1, pytest.approx(10 * math.log10(4.0 / clipping)))
    deviation = math.sqrt(signal / floats.size - (34 / floats.size) ** 2)
    assert layer.relative == pytest.approx(math.sqrt((64 / 256**2 + clipping) / floats.size) / deviation)
    assert layer.idle_bits == pytest.approx((math.log2(255 / 256 / 0.5) + math.log2(255 / 256 / 2.0)) / 2)  # of the two channels that say anything
    assert one.histogram.sum() == floats.size
    assert len(one.histogram) == BARS
    assert layer.fell is None  # its source was not measured


def test_a_layer_without_error_has_no_decibels(pair):
    one = Tally.of(pair.pairs[2])
    one.add(np.full((64, 37), 0.5, np.float32), np.zeros((64, 37), np.int8), np.zeros((64, 37), np.int8))
    (layer,) = layers([one], {})
    assert (layer.whole, layer.alone, layer.rounding, layer.clipping) == (None, None, None, None)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=20), st.floats(0.001, 1.0), st.integers(-128, 127))
def test_fake_quantizing_is_the_devices_own_there_and_back(values, scale, zero_point):
    own = Scale(scale, zero_point)
    array = np.array(values, np.float32)
    np.testing.assert_allclose(fake_quantized(array, scale, zero_point), own.dequantize(own.quantize(array)), atol=1.01 * scale)


def test_layers_are_matched_by_name_and_where_names_differ_by_place(pair):
    assert (pair.share, pair.placed, pair.lost) == (1.0, 0, ())
    assert [one.name for one in pair.pairs] == ["front", "hidden", "squash", "twice", "output 0"]
    assert [one.moves for one in pair.pairs] == [True, False, False, False, True]
    assert [one.weights is not None for one in pair.pairs] == [False, True, False, False, False]
    other = match(read_graph(a_reader(WEIGHTS, False, hidden="another/MatMul")), read_graph(INT8))
    assert (other.share, other.placed) == (1.0, 1)
    assert [one.floats for one in other.pairs] == [one.floats for one in pair.pairs]


def test_files_of_two_networks_do_not_match():
    with pytest.raises(NoMatch, match="0 %"):
        match(read_graph((SHIPPED / "detector/model.tflite").read_bytes()), read_graph(INT8))


@pytest.mark.parametrize(
    ("name", "weights", "short"),
    [
        ("functional_1/stem_relu_1/Relu;functional_1/stem_bn_1/batchnorm/add_1", "", "stem_relu"),
        ("functional_1/at4b_bn_1/batchnorm/add_1;functional_1/at4b_conv_1/convolution", "", "at4b_bn"),
        ("PartitionedCall:0", "detector_1/box_1/convolution", "box"),
        ("PartitionedCall:0", "", "output 0"),
        ("MatMul_17", "", "MatMul_17"),
    ],
)
def test_a_layers_name_is_short(name, weights, short):
    assert short_name(name, weights) == short


@pytest.mark.parametrize("content", [INT8, (SHIPPED / "detector/model.tflite").read_bytes()], ids=["by hand", "detector"])
def test_cut_apart_and_fed_with_its_own_results_a_network_computes_the_same(content):
    """Every operation by itself, given what it was given inside, gives what it gave inside."""
    cut, twins = cut_apart(content)
    whole, apart = Open(content, "whole"), Open(cut, "cut")
    rng = np.random.default_rng(3)
    values = rng.integers(-128, 128, whole.entry["shape"]).astype(np.int8)
    whole.put(whole.entry["index"], values)
    whole.run()
    apart.put(whole.entry["index"], values)
    for index, twin in twins.items():
        apart.put(twin, whole.get(index))
    apart.run()
    results = made(unpack(content))
    for index in results:
        np.testing.assert_array_equal(apart.get(index), whole.get(index))
    # Other values in one twin change what reads it, and nothing else.
    apart.put(twins[results[0]], np.zeros_like(whole.get(results[0])))
    apart.run()
    np.testing.assert_array_equal(apart.get(results[0]), whole.get(results[0]))
    assert not np.array_equal(apart.get(results[1]), whole.get(results[1]))


def test_noise_of_zero_changes_nothing_and_noise_at_the_output_is_added_to_it():
    content, noises = with_noise(FLOATS)
    clean, noisy = Open(FLOATS, "float"), Open(content, "noisy", keep=False)
    for net in (clean, noisy):
        net.put(net.entry["index"], float_input(LUMA))
    for one in noisy.entries[1:]:
        noisy.put(one["index"], np.zeros(one["shape"], np.float32))
    clean.run()
    noisy.run()
    expected = clean.get(clean.exits[0])
    np.testing.assert_allclose(noisy.get(noisy.exits[0]), expected, atol=1e-6)
    noisy.put(noises[clean.exits[0]], np.full(expected.shape, 0.25, np.float32))
    noisy.run()
    np.testing.assert_allclose(noisy.get(noisy.exits[0]), expected + 0.25, atol=1e-6)


def test_other_weights_are_computed_with(pair):
    hidden = pair.pairs[1]
    net = Open(with_weights(FLOATS, {hidden.weights[0]: np.zeros((37, 96), np.float32)}), "float")
    net.put(net.entry["index"], float_input(LUMA))
    net.run()
    np.testing.assert_allclose(net.get(net.exits[0]), 1.0)  # twice the sigmoid of zero


def test_error_is_summed_up_through_the_layers_and_alone_is_less(pair):
    weights = weights_sqnr(weights_of(FLOATS, INT8, pair.pairs))
    found = layers(tally(FLOATS, INT8, pair, [LUMA]), weights)
    front, hidden, squash, _, out = found
    assert front.whole is None  # luma / 128 is an int8 number exactly
    assert 25 < hidden.whole <= hidden.alone + 1e-6
    assert hidden.alone < hidden.rounding  # int8 weights cost something too
    assert 35 < hidden.weights < 60
    assert squash.whole <= squash.alone
    assert out.output
    assert out.fell == pytest.approx(0.0)  # it only moves what `twice` made


def test_the_layer_with_too_wide_a_range_is_where_the_loss_is_born():
    wide, coarse = a_reader(WEIGHTS, True, scale=16.0), a_reader(WEIGHTS, True, bits=3)
    for content, which in ((wide, "activations"), (coarse, "weights")):
        pairs = match(read_graph(FLOATS), read_graph(content)).pairs
        found, all_weights = harms(FLOATS, pairs, weights_of(FLOATS, content, pairs), [LUMA, LUMA[::-1]])
        worst = worst_first(found)[0]
        assert worst.fold == "hidden"
        assert getattr(worst, which) == min(worst.activations, worst.weights)
        assert all_weights == pytest.approx(worst.weights)  # the only weights there are
        assert {one.fold for one in found} == {"hidden", "squash", "twice"}  # what moves numbers loses nothing


def test_the_shipped_files_match_their_own_layers_entirely():
    """int8 against itself is not float, and so nothing is taken for a pair."""
    graph = read_graph((SHIPPED / "reader/model.tflite").read_bytes())
    with pytest.raises(NoMatch):
        match(graph, graph)


def an_image(tmp_path, text="AB12"):
    plate = LabelledPlate(Box(0, 0, 60, 20), None, text, 1, None)
    return LabelledImage(tmp_path / "a.jpg", 60, 20, "made", None, (plate,), crop=True)


def test_who_read_what_is_counted_on_both_sides(tmp_path):
    image = an_image(tmp_path)
    said = [("AB12", "AB12"), ("AB12", "AB13"), ("AB12", ""), ("XX", "AB12"), ("XX", "YY")]
    sides = [[Case(image, [Look(a_detection(), a_read(text))] if text else [], 0.0, 1.0) for text in side] for side in zip(*said, strict=True)]
    found = _reads(*sides)
    assert (found.plates, found.both, found.float_only, found.int8_only, found.neither) == (5, 1, 2, 1, 1)
    assert [one.label for one in found.lost] == ["AB12 > AB13", "AB12 > -"]  # the surest mistake first
    assert [one.label for one in found.won] == ["AB12 > XX"]


def test_who_found_what_is_counted_and_false_reports_too(tmp_path):
    image = an_image(tmp_path)

    def case(score, false):
        looks = [Look(a_detection(0, 0, 60, 20, score), ANYTHING)] + [Look(a_detection(200, 200, 60, 20, false), ANYTHING)] * bool(false)
        looks.sort(key=lambda look: -look.detection.score)  # as the detector gives them
        one = Case(image, looks, 0.4, 1.0)
        one.found = metrics.found([look.detection.box for look in looks], [look.detection.score for look in looks], [image.plates[0].box], ())
        one.taken = metrics.match(one.found, 0.5)
        return one

    found = _finds([case(0.9, 0.0), case(0.5, 0.6), case(0.1, 0.5)], [case(0.8, 0.7), case(0.3, 0.6), case(0.6, 0.0)])
    assert (found.plates, found.both, found.float_only, found.int8_only, found.neither) == (3, 1, 1, 1, 0)
    assert (found.false_float, found.false_int8) == (2, 2)
    assert [one.what for one in found.lost] == ["false by int8", "int8 misses"]
    assert [one.what for one in found.won] == ["float misses", "false by float"]


def test_an_uneven_split_is_unlikely_by_chance():
    assert even_chance(0, 0) == 1.0
    assert even_chance(3, 3) == 1.0
    assert even_chance(0, 5) == even_chance(5, 0) == pytest.approx(2 / 32)
    assert even_chance(0, 40) < 1e-9


def test_the_command_writes_a_page_that_needs_nothing_else(folder, capsys):
    """On drawn pictures, so that anyone can run it; the page has its pictures inside, the JSON no plate's text."""
    data = labelled.draw_crops(folder / "data", 6, 5)
    out = folder / "out"
    assert command(folder, "--data", data, "--out", out) == 0
    said = capsys.readouterr().out
    assert "5 layers (100.0 % of the int8 file's) on 3 photographs" in said
    assert "where the loss is born" in said
    page = (out / "layers.html").read_text()
    assert page.count("data:image/png;base64,") == 3
    assert "http" not in page
    assert "<script" not in page
    written = json.loads((out / "layers.json").read_text())
    assert [one["name"] for one in written["layers"]] == ["front", "hidden", "squash", "twice", "output 0"]
    assert written["matched"] == {"share": 1.0, "by_place": 0, "lost": []}
    assert written["photographs"]["plates"] == written["photographs"]["neither"] == 6  # nobody taught this network to read
    texts = [json.loads(line)["plates"][0]["text"] for line in (data / "labels.jsonl").read_text().splitlines()]
    assert not any(text in (out / "layers.json").read_text() for text in texts)
    assert {path.name for path in out.iterdir()} == {"layers.html", "layers.json", "sqnr.png", "harm.png", "histograms.png"}


def test_without_a_float_file_one_is_made_from_the_run_folder(folder, monkeypatch, capsys):
    asked = []

    def quantize(run, folders, out, variant):
        asked.append((run, folders, variant))
        out.write_bytes(FLOATS)
        return out

    monkeypatch.setattr(running, "quantize", quantize)
    monkeypatch.setattr(running, "DRAWN_PLATES", {"reader": 4})
    assert cli.main(["layers", str(folder / "run"), str(folder / "int8.tflite"), "--pictures", "2"]) == 0
    assert asked == [(folder / "run", [], "float32")]
    assert "on 2 drawn pictures" in capsys.readouterr().out


def test_files_that_are_not_what_they_have_to_be_are_one_sentence(folder, capsys):
    other = 0.1 * np.random.default_rng(9).normal(size=(37, 96))
    (folder / "other.tflite").write_bytes(a_reader(other, True))
    (folder / "words.tflite").write_text("words")
    for arguments, words in (
        ({"file": "float.tflite"}, "not an int8 file that may ship"),
        ({"floats": "int8.tflite"}, "not a file of 32-bit floats throughout"),
        ({"file": "other.tflite"}, "its weights are not those of"),
        ({"file": "words.tflite"}, "no TFLite model"),
        ({"floats": "none.tflite"}, "no such file"),
    ):
        assert command(folder, **arguments) == 1
        said = capsys.readouterr().err
        assert words in said
        assert len(said.splitlines()) == 1


def test_options_that_cannot_be_are_said_before_the_work(folder, capsys):
    labelled.draw_crops(folder / "crops", 2)
    (folder / "taken").write_text("a file")
    for arguments, words in (
        (["--pictures", "0"], "must be 1 or more"),
        (["--out", str(folder / "taken")], "cannot be made"),
        (["--data", str(folder / "run")], "no labels.jsonl"),
    ):
        assert command(folder, *arguments) == 1
        assert words in capsys.readouterr().err
    (folder / "run/experiment.toml").unlink()
    assert command(folder) == 1
    assert "no such file" in capsys.readouterr().err
