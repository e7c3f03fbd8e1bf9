"""The family of readers: for each architecture its network, its loss, and what its samples must say."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from edge.errors import ConfigError
from edge.vision import slots_codec
from edge.vision.reader_codecs import READER_CODECS, ReaderCodec
from train.config import READERS, Experiment
from train.data.batches import Rng, Sampler
from train.models.cnn import build_cnn
from train.models.crnn import build_crnn
from train.models.hybrid import build_hybrid
from train.models.losses import reader_loss, slots_loss
from train.models.rnn import build_rnn

BUILDERS: dict[str, Callable[..., keras.Model]] = {"crnn": build_crnn, "cnn": build_cnn, "rnn": build_rnn, "hybrid": build_hybrid}
LOSSES: dict[str, Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]] = {"ctc-rows-v1": reader_loss, "slots-v1": slots_loss}


@dataclass(frozen=True, slots=True)
class ReaderNetwork:
    """An experiment's network and what belongs to its output layout. `told(sampler)` gives the same samples with targets for `loss`."""

    model: keras.Model
    loss: Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]
    codec: ReaderCodec
    told: Callable[[Sampler], Sampler]


def reader_network(experiment: Experiment) -> ReaderNetwork:
    """At the size of the experiment's last phase. Raises ConfigError for a key of `[network]` that the architecture does not have."""
    name, last = experiment.architecture, experiment.phases[-1]
    settings = {key: tuple(value) if isinstance(value, list) else value for key, value in experiment.network.items() if key != "architecture"}
    known = [key for key in inspect.signature(BUILDERS[name]).parameters if key not in ("height", "width")]
    for key in settings:
        if key not in known:
            raise ConfigError(f"{experiment.name}: [network] has the key {key!r}; the architecture {name!r} knows {', '.join(known)}")
    model = BUILDERS[name](last.height, last.width, **settings)
    codec = READERS[name]
    slots = int(model.output.shape[1])
    return ReaderNetwork(model, LOSSES[codec], READER_CODECS[codec], (lambda sampler: in_slots(sampler, slots)) if codec == slots_codec.NAME else _as_it_is)


def _as_it_is(sampler: Sampler) -> Sampler:
    return sampler


def in_slots(sampler: Sampler, slots: int) -> Sampler:
    """The samples of `sampler` with targets for `slots_loss`."""

    def draw(rng: Rng) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        luma, target = sampler(rng)
        return luma, slots_target(target, slots)

    return draw


def slots_target(target: npt.NDArray[np.float32], slots: int) -> npt.NDArray[np.float32]:
    """A target of `train.data.reading` (2 L + 2,) -> (slots + 1,) float32: the whole text in reading order, weight.

    A text longer than the slots cannot be said: it weighs nothing.
    """
    text, weight = slots_codec.spell(target[:-2]), target[-1]
    if len(text) > slots:
        text, weight = "", np.float32(0.0)
    return np.append(slots_codec.encode(text, slots).astype(np.float32), weight).astype(np.float32)
