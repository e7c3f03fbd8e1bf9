"""What a kind of experiment is made of: its network, its loss, where its samples come from, how it is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from edge.errors import ConfigError
from edge.records import Luma
from train.config import Experiment, Phase
from train.data import finding, reading
from train.data.batches import Mixture, Sampler
from train.data.formats.native import LabelledImage, read_folder
from train.data.synth import unplated
from train.data.synth.nearby import NearbyArtist
from train.data.synth.wear import photograph
from train.models.detector import build_detector, for_training
from train.models.losses import detector_loss
from train.models.readers import reader_network
from train.validate import DetectorCheck, ReaderCheck

# Sources whose crops end at the plate's own edge: flat plates to paste into scenes, with corners known.
FLAT_SOURCES = ("vn_crops", "openalpr_us_crops", "cz_crops", "hr_cz_extra_crops")


@dataclass(frozen=True, slots=True)
class Recipe:
    """`check(model)` gives named figures on the validation data; `used` names the sources that the samples come from."""

    model: keras.Model
    loss: Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]
    sampler: Callable[[Phase], Sampler]
    check: Callable[[keras.Model], dict[str, float]] | None
    used: set[str]


def detector(experiment: Experiment, data: list[Path], validation: list[Path]) -> Recipe:
    """Real photographs, plates pasted into them, and drawn scenes."""
    images = [image for folder in data for image in read_folder(folder)]
    scenes = finding.load_scenes([image for image in images if not image.crop])
    crops = reading.load_crops([image for image in images if image.source in FLAT_SOURCES])
    artist = NearbyArtist(experiment.countries)

    def flats(rng: np.random.Generator) -> tuple[Luma, int]:
        if crops and rng.random() < 0.5:
            crop = crops[int(rng.integers(len(crops)))]
            return crop.luma, crop.lines
        plate = artist.draw(rng)
        return plate.luma, plate.lines

    def sampler(phase: Phase) -> Sampler:
        parts: list[tuple[float, Sampler]] = []
        if scenes:
            real = finding.RealScenes(scenes, phase.width, phase.height, experiment.sources, flats, decoys=unplated.flat)
            parts.append((experiment.mixture.get("real", 1.0), real))
        if experiment.mixture.get("drawn", 0.0) > 0 or not parts:
            from train.data.synth.scenes import SceneArtist

            parts.append((experiment.mixture.get("drawn", 1.0), finding.DrawnScenes(SceneArtist(artist).draw, phase.width, phase.height)))
        if experiment.mixture.get("unplated", 0.0) > 0:
            parts.append((experiment.mixture["unplated"], finding.DrawnScenes(unplated.draw, phase.width, phase.height)))
        return Mixture(parts)

    network = build_detector(None, None, **experiment.network)
    checked = [image for folder in validation for image in read_folder(folder) if not image.crop]
    last = experiment.phases[-1]
    used = {image.path.parent.parent.name for image in images if not image.crop or image.source in FLAT_SOURCES}
    return Recipe(for_training(network), detector_loss, sampler, DetectorCheck(checked, last.width, last.height) if checked else None, used)


def reader(experiment: Experiment, data: list[Path], validation: list[Path]) -> Recipe:
    """Real crops, drawn plates, and cuts that must read as nothing. Raises ConfigError for a size in which they are not made."""
    if any((phase.width, phase.height) != (reading.WIDTH, reading.HEIGHT) for phase in experiment.phases):
        raise ConfigError(f"{experiment.name}: a reader's phases have a width of {reading.WIDTH} and a height of {reading.HEIGHT}")
    images: list[LabelledImage] = [image for folder in data for image in read_folder(folder)]
    crops = reading.load_crops([image for image in images if image.crop])
    empty = finding.load_scenes([image for image in images if image.negative])
    artist = NearbyArtist(experiment.countries)
    parts: list[tuple[float, Sampler]] = []
    if crops:
        parts.append((experiment.mixture.get("real", 0.5), reading.RealReads(crops, experiment.sources)))
    drawn = experiment.mixture.get("drawn", 0.5)
    parts += [(0.3 * drawn, reading.PhotographedReads(artist.draw, photograph)), (0.7 * drawn, reading.DrawnReads(artist.draw))]
    parts.append((experiment.mixture.get("blank", 0.05) / 2, reading.DrawnReads(artist.draw_blank)))
    if empty:
        parts.append((experiment.mixture.get("blank", 0.05) / 2, reading.BlankReads([scene.luma for scene in empty])))
    checked = [image for folder in validation for image in read_folder(folder) if image.crop]
    last = experiment.phases[-1]
    network = reader_network(experiment)
    return Recipe(
        network.model,
        network.loss,
        lambda phase: network.told(Mixture(parts)),
        ReaderCheck(checked, last.width, last.height, network.codec) if checked else None,
        {image.path.parent.parent.name for image in images if image.crop or image.negative},
    )


RECIPES = {"detector": detector, "reader": reader}
