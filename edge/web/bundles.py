"""The bundles of this device as the page shows, takes in, exchanges and compares them; for the room and for the API alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import IO, Any

from flask import current_app

from edge.errands import Answer
from edge.errors import ConfigError, PlatewatchError
from edge.model.arrival import Arrival
from edge.model.comparing import Comparison
from edge.model.depot import Depot, shipped
from edge.model.manifest import CODECS
from edge.model.weighing import share, weigh
from edge.settings_file.effect import put_in_force
from edge.settings_file.settings import Saved, SettingsFile
from edge.web.api.given import files, settings_file
from edge.web.examination import examination
from edge.web.measured import speeds

KINDS = tuple(CODECS)
PATIENCE_S = 30.0
"""New models need their time on a small board."""
LOOK_EVERY_S = 0.25


@cache
def _arrival(directory: Path) -> Arrival:
    return Arrival(directory)


@cache
def _comparison(directory: Path) -> Comparison:
    return Comparison(directory)


def arrival() -> Arrival:
    """Of this device."""
    return _arrival(Path(files().config.runtime.directory))


def comparison() -> Comparison:
    """Of this device."""
    return _comparison(Path(files().config.runtime.directory))


def depot() -> Depot:
    """503 where the page was started without a config file; ConfigError where that has errors."""
    return Depot(folder(), settings_file())


def folder() -> Path:
    """Where uploaded bundles lie, by the config file as it stands now."""
    settings = settings_file()
    config = settings.open().config
    if config is None:
        raise ConfigError(f"{settings.path}: has errors; mend it first")
    return settings.path.resolve().parent / config.models.depot


def told() -> dict[str, Any]:
    """Every bundle, which are chosen, and what the daemon has in use."""
    previous, problem, here = dict.fromkeys(KINDS, ""), None, Path()
    try:
        if current_app.extensions.get("config_file") is None:
            raise ConfigError("the page was started without a config file, so that no bundle can be chosen here")
        found, here = depot(), folder()
        cards, previous = found.cards(), {kind: Path(found.previous(kind)).name for kind in KINDS}
    except PlatewatchError as error:
        models = files().config.models
        cards, problem = shipped((models.detector, models.reader)), str(error)
    told = [_with_proof(card.as_json()) | {"foreign": not card.shipped and Path(card.place).parent != here} for card in cards]
    return {
        "bundles": told,
        "in_use": {kind: in_use(kind) for kind in KINDS},
        "previous": previous,
        "examined": {kind: examined(kind) for kind in KINDS},
        "problem": problem,
    }


def _with_proof(card: dict[str, Any]) -> dict[str, Any]:
    """With the speeds that were measured here, and an interval for each share of the accuracy that is one."""
    accuracy = card.get("accuracy") or {}
    proof = {}
    for side in ("int8", "float"):
        figures = accuracy.get(side)
        for key in ("read_exact", "recall"):
            told = figures if isinstance(figures, dict) else {}
            plates, value = told.get("plates"), told.get(key)
            if isinstance(plates, int) and plates > 0 and isinstance(value, int | float) and 0 <= value <= 1:
                proof[side] = asdict(share(round(value * plates), plates)) | {"figure": key}
    measured = speeds(Path(files().config.models.measured), str(card.get("sha256", "")))
    return card | {"proof": proof, "measured": measured}


def in_use(kind: str) -> dict[str, Any] | None:
    """What the running daemon says of it, with the stage's times; None where none runs."""
    status = files().status()
    if status is None or not files().is_alive(status):
        return None
    about = (status.get("bundles") or {}).get(kind)
    if not isinstance(about, dict):
        return None
    stage = (status.get("stages_ms") or {}).get({"detector": "detect", "reader": "read"}[kind]) or {}
    kept = {key: about.get(key) for key in ("name", "sha256", "since", "previous", "rolled_back")}
    return kept | {"refused": str(about.get("refused") or ""), "median_ms": stage.get("median") or None, "p95_ms": stage.get("p95") or None}


def examined(kind: str) -> dict[str, Any] | None:
    """What the doctor last said of the bundle in use."""
    found = examination(Path(files().config.runtime.directory))
    return next(({"state": one["state"], "words": one["words"], "at": found["at"]} for one in found["findings"] if one["what"] == kind), None)


def receive(stream: IO[bytes], name: str) -> None:
    """An upload begins to come in. Raises PlatewatchError."""
    arrival().receive(stream, name, settings_file().path, folder())


def use(name: str, who: str) -> Answer:
    """Choose a bundle and put it in force. Raises PlatewatchError where it cannot be chosen."""
    found, settings = depot(), settings_file()
    kind = name if name in CODECS else next((card.manifest.kind for card in found.cards() if card.name == name and card.manifest), "reader")
    return _exchange(found, settings, kind, who, lambda etag: found.select(name, etag))


def roll_back(kind: str, who: str) -> Answer:
    """Back to what was chosen before. Raises PlatewatchError."""
    found, settings = depot(), settings_file()
    return _exchange(found, settings, kind, who, lambda etag: found.roll_back(kind, etag))


def _exchange(found: Depot, settings: SettingsFile, kind: str, who: str, choose: Callable[[str], Saved]) -> Answer:
    """The daemon's outcome; what it refuses is taken back, so that it does not stand in its way at its next start."""
    opened, directory = settings.open(), Path(files().config.runtime.directory)
    before, previous = getattr(opened.config.models, kind, "") if opened.config else "", found.previous(kind)
    counted = _refused()
    saved = choose(opened.etag)
    if not saved.changed:
        return Answer(True, "this bundle was chosen already")
    answer = _outcome(put_in_force(directory, who), counted)
    if answer.more is None:  # nobody who could have tried it
        return Answer(True, f"it is chosen, but {answer.sentence}; the daemon takes it when it starts")
    if not answer.ok:
        found.take_back(kind, before, previous, settings.open().etag)
        put_in_force(directory, who)
    return answer


def _outcome(answer: Answer, counted: int) -> Answer:
    """Where taking it needs longer than an errand waits, the status tells how it ends."""
    end = time.monotonic() + PATIENCE_S
    while (answer.more or {}).get("busy") and time.monotonic() < end:
        time.sleep(LOOK_EVERY_S)
        status = files().status()
        reload = (status or {}).get("reload") or {}
        if status is None or not files().is_alive(status):
            return Answer(False, "the daemon ended while it took the bundle; its log says why", {})
        if not reload.get("busy"):
            ok = int(reload.get("refused") or 0) <= counted
            return Answer(ok, str(reload.get("words") or "it is in use"), {"busy": False})
    return answer


def _refused() -> int:
    return int((((files().status() or {}).get("reload")) or {}).get("refused") or 0)


def compare(one: str, other: str, most: int) -> None:
    """Begin to compare two readers on the plates of the store. Raises PlatewatchError."""
    found = depot()
    if one == other:
        raise ConfigError("choose two different readers to compare")
    for name in (one, other):
        if not any(card.manifest and card.manifest.kind == "reader" for card in found.cards() if card.name == name):
            raise ConfigError(f"{name[:60]!r} is no reader that is here; only readers can be compared")
    comparison().start(Path(files().config.store.path), found.folder_of(one), found.folder_of(other), most)


def compared(*, with_plates: bool) -> dict[str, Any]:
    """How the comparison stands; which plates were read differently only for who may see events."""
    state = comparison().state()
    told = {key: state.get(key) for key in ("state", "one", "other", "sentence")} | {"done": int(state.get("done") or 0), "total": int(state.get("total") or 0)}
    result = state.get("result") if state.get("state") == "done" else None
    if not isinstance(result, dict):
        return told | {"result": None, "verdict": None, "differing": []}
    verdict, differing = weigh(result), result.get("differing") or []
    counts = {key: result.get(key) for key in ("plates", "alike", "unreadable", "labelled")}
    agreement = asdict(share(int(result.get("alike") or 0), int(result.get("plates") or 0)))
    return told | {
        "result": counts | {"agreement": agreement, "differing": len(differing)},
        "verdict": asdict(verdict) if verdict else None,
        "differing": differing if with_plates else [],
    }


def clear() -> None:
    """Forget the comparison, or end it."""
    comparison().cancel()
