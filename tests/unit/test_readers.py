"""The family of readers: each learns, and each runs in int8 on the device and says what its float network says."""

from __future__ import annotations

import json

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the training side is not installed; ./setup.sh test installs it")

from convert import audit, bundle, quantize, verify  # noqa: E402
from edge.errors import ConfigError  # noqa: E402
from edge.model.reader import Reader  # noqa: E402
from edge.records import Box, Quad  # noqa: E402
from edge.vision.reader_codecs import READER_CODECS  # noqa: E402
from tests.converting import in_this_process  # noqa: E402
from train.compare.cost import macs  # noqa: E402
from train.config import READERS, load_experiment  # noqa: E402
from train.data import reading  # noqa: E402
from train.data.batches import draw_batch  # noqa: E402
from train.data.synth import labelled  # noqa: E402
from train.data.synth.plates import PlateArtist  # noqa: E402
from train.evaluation.nets import load_network  # noqa: E402
from train.models import readers  # noqa: E402
from train.models.losses import slots_loss  # noqa: E402

SMALL = {
    "crnn": "widths = [4, 8, 8, 8, 16]\nunits = 8",
    "cnn": "widths = [4, 8, 8, 8, 16]\nsqueeze = 4\nunits = 16",
    "rnn": "units = [8, 8]",
    "hybrid": "widths = [4, 8, 8, 8, 16]\nunits = 8",
}
EXPERIMENT = """
name = "{name}"
kind = "reader"
expected = "-"
[network]
architecture = "{name}"
{more}
[[phase]]
steps = 2
batch = 2
width = 128
height = 48
"""


def an_experiment(folder, name, more=None):
    path = folder / "experiment.toml"
    path.write_text(EXPERIMENT.format(name=name, more=SMALL[name] if more is None else more))
    return load_experiment(path)


@pytest.mark.parametrize("name", READERS)
def test_it_learns_a_batch_by_heart(name, tmp_path):
    keras.utils.set_random_seed(0)
    network = readers.reader_network(an_experiment(tmp_path, name))
    network.model.compile(optimizer=keras.optimizers.Adam(5e-3), loss=network.loss, jit_compile=False)
    luma, target = draw_batch(network.told(reading.DrawnReads(PlateArtist().draw)), 0, 0, 8)
    losses = [float(network.model.train_on_batch(luma, target)) for _ in range(20)]
    assert losses[-1] < 0.6 * losses[0], losses


def test_every_architecture_that_may_be_named_can_be_built():
    assert set(readers.BUILDERS) == set(READERS) == set(SMALL)
    assert set(readers.LOSSES) == set(READER_CODECS)


def test_an_experiment_without_an_architecture_is_the_shipped_crnn(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text(EXPERIMENT.format(name="crnn", more="").replace('architecture = "crnn"', ""))
    assert readers.reader_network(load_experiment(path)).model.name == "crnn"


def test_a_key_that_the_architecture_does_not_have_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"'squeeze'.*'rnn' knows columns, units"):
        readers.reader_network(an_experiment(tmp_path, "rnn", "squeeze = 3"))


def test_all_readers_see_the_same_pictures(tmp_path):
    """Only what they are told about them differs."""
    seen = [draw_batch(readers.reader_network(an_experiment(tmp_path, name)).told(reading.DrawnReads(PlateArtist().draw)), 3, 5, 2)[0] for name in READERS]
    assert all(np.array_equal(seen[0], other) for other in seen[1:])


def test_the_slots_are_told_both_lines_in_reading_order():
    target = readers.slots_target(reading.target("59X2123", 3, weight=0.5), 12)
    assert np.array_equal(target, readers.slots_target(reading.target("59X2123", None, weight=0.5), 12))
    assert target[-1] == 0.5
    assert [int(one) for one in target[:8]] == [6, 10, 34, 3, 2, 3, 4, 0]


def test_a_text_longer_than_the_slots_teaches_nothing():
    target = np.stack([readers.slots_target(reading.target("1234567890123", None), 12), readers.slots_target(reading.target("A1", 2), 12)])
    assert target[0, -1] == 0
    logits = np.zeros((2, 12, 37), np.float32)
    other = logits.copy()
    other[0, :, 5] = 7.0
    assert float(slots_loss(target, logits)) == pytest.approx(float(slots_loss(target, other)))


def test_the_hybrid_reads_by_its_convolutions_alone_until_the_recurrent_layer_learns(tmp_path):
    model = readers.reader_network(an_experiment(tmp_path, "hybrid")).model
    luma = np.random.default_rng(0).normal(size=(1, 48, 128, 1)).astype(np.float32)
    before = np.asarray(model(luma))
    model.get_layer("recurrent").set_weights([-2.0 * weight for weight in model.get_layer("recurrent").get_weights()])
    assert np.array_equal(before, np.asarray(model(luma)))
    assert before.std() > 0
    model.get_layer("classes").kernel.assign(np.ones((16, 74), np.float32))
    assert not np.allclose(before, np.asarray(model(luma)))


def test_a_size_in_which_readers_are_not_shown_their_plates_is_one_sentence(tmp_path):
    from train.recipes import reader

    path = tmp_path / "wide.toml"
    path.write_text(EXPERIMENT.format(name="cnn", more=SMALL["cnn"]).replace("width = 128", "width = 160"))
    with pytest.raises(ConfigError, match="a width of 128 and a height of 48"):
        reader(load_experiment(path), [], [])


@pytest.fixture(scope="module", params=["cnn", "rnn", "hybrid"])
def shipped(request, tmp_path_factory):
    """(experiment, run folder, int8 file, bundle folder) of a tiny network with random weights."""
    run = tmp_path_factory.mktemp(request.param)
    experiment = an_experiment(run, request.param)
    rng = np.random.default_rng(1)
    model = readers.reader_network(experiment).model
    for variable in model.weights:
        moved = np.asarray(variable) + rng.normal(0, 0.1, variable.shape)
        variable.assign(np.abs(moved) if "variance" in variable.path else moved)
    model.save_weights(run / "average.weights.h5")
    (run / "provenance.json").write_text(json.dumps({"data": {}, "starts": [{"git": None}]}))
    with in_this_process():
        file = quantize.quantize(run, [], run / "tiny.tflite")
    crops = labelled.draw_clean_crops(run / "crops", 2)
    bundle.make_bundle(run, file, [crops], run / "bundle", bundle.Allowance(drop=1.0, least=1), {})
    return experiment, run, file, run / "bundle"


def test_the_converted_file_is_int8_throughout(shipped):
    found = audit.audit(shipped[2])
    assert found.complaints == ()
    assert set(found.tensor_types) <= {"int8", "int32"}


def test_the_work_counted_from_the_layers_is_the_work_in_the_file(shipped):
    """The file does a little less: the first step of a recurrence has no state to multiply."""
    experiment, run, file, _ = shipped
    counted, done = macs(load_network(experiment, run / "average.weights.h5")), audit.audit(file).macs
    assert 0.97 * counted <= done <= counted


def test_the_device_reads_what_the_float_network_reads(shipped):
    """Through the bundle, by its codec; what is left is rounding."""
    experiment, run, _, folder = shipped
    reader = Reader.load(folder)
    assert reader.manifest.codec == READERS[experiment.architecture]
    floats = Reader(reader.manifest, verify.float_net(load_network(experiment, run / "average.weights.h5"), "reader"))
    luma = np.random.default_rng(0).integers(0, 256, (48, 128), dtype=np.uint8)
    raw, wanted = reader.infer(luma), floats.infer(luma)
    scale = reader._net.scales_out[0]
    logits = scale.dequantize(raw)
    assert logits.shape == wanted.shape
    assert np.abs(logits - wanted).mean() < 0.15 * max(float(wanted.std()), 4 * scale.scale)
    assert reader.read_input(luma).text == READER_CODECS[reader.manifest.codec].decode(logits).text


def test_only_logits_by_rows_travel_with_a_read(shipped):
    """The country rules search the paths of CTC; a read in slots has none to offer, and takes the detector's word for the lines."""
    experiment, _, _, folder = shipped
    read = Reader.load(folder).read(np.full((60, 200), 90, np.uint8), Quad.from_box(Box(10, 10, 190, 50)), lines=2)
    assert (read.logits is None) == (experiment.codec == "slots-v1")
    if read.logits is None:
        assert read.lines == 2
    else:
        assert read.logits.shape == (64, 37)
