"""What is compared: a folder of experiments that differ in their networks and in nothing else."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from edge.errors import ConfigError
from train.config import Experiment, load_experiment
from train.toml import write_toml


def load_family(folder: Path, steps: int | None = None) -> list[Experiment]:
    """Every reader experiment in the folder, each in `steps` steps if given.

    Raises ConfigError in one sentence when there are fewer than two, or when two do not get the same samples and are no comparison.
    """
    files = sorted(folder.glob("*.toml"))
    if len(files) < 2:
        raise ConfigError(f"{folder}: a comparison needs a folder with two experiments or more (*.toml); the shipped ones are in train/experiments/compare")
    family = [load_experiment(file) for file in files]
    for file, one in zip(files, family, strict=True):
        if one.kind != "reader":
            raise ConfigError(f"{file}: is a {one.kind}; only readers are compared")
        if one.start is not None:
            raise ConfigError(f"{file}: start: in a comparison every network begins from nothing; take the line out")
        if one.name != file.stem:
            raise ConfigError(f"{file}: its name is {one.name!r}; in a comparison it must be the file's, {file.stem!r}")
        differing = [key for key, value in what_it_learns_from(one).items() if value != what_it_learns_from(family[0])[key]]
        if differing:
            raise ConfigError(f"{file}: {' and '.join(differing)} differ from {files[0].name}; a comparison needs the same samples for all")
    return [scaled(one, steps or one.steps) for one in family]


def what_it_learns_from(experiment: Experiment) -> dict[str, object]:
    """All that decides which samples a run sees, by name."""
    return {
        "seed": experiment.seed,
        "mixture": experiment.mixture,
        "sources": experiment.sources,
        "countries": experiment.countries,
        "the number of steps": experiment.steps,
        "batch": {phase.batch for phase in experiment.phases},
        "the picture's size": {(phase.width, phase.height) for phase in experiment.phases},
    }


def scaled(experiment: Experiment, steps: int) -> Experiment:
    """The same course in `steps` steps: every phase, the warm-up and the decay keep their share. Raises ConfigError when a phase would have no step."""
    share = steps / experiment.steps
    ends = [round(sum(phase.steps for phase in experiment.phases[: number + 1]) * share) for number in range(len(experiment.phases))]
    phases = tuple(replace(phase, steps=end - begin) for phase, begin, end in zip(experiment.phases, [0, *ends], ends, strict=False))
    if min(phase.steps for phase in phases) < 1:
        raise ConfigError(f"{experiment.name}: {steps} steps are too few for its {len(phases)} phases; give --steps a larger number")
    return replace(experiment, phases=phases, warmup=round(experiment.warmup * share), decay=round(experiment.decay * share))


def write_plan(experiment: Experiment, out: Path) -> Path:
    """`out/NAME.toml`, the experiment as it is trained. Raises ConfigError when another one of that name was begun there."""
    table = asdict(experiment)
    table["phase"] = table.pop("phases")
    text = write_toml(table, "Written by python -m train compare.")
    file = out / f"{experiment.name}.toml"
    if file.is_file() and file.read_text(encoding="utf-8") != text:
        raise ConfigError(f"{file}: there the comparison was begun with other steps or settings; repeat those, or name another --out")
    out.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
