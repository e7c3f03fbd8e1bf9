"""A reload is as good as a restart: every key is live or waits for one, and a live key changes a running daemon into the one that would start with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from edge import wiring
from edge.apart import Steps
from edge.config import Config, absolute, sections
from edge.daemon import Daemon
from edge.errors import ConfigError, PlatewatchError
from edge.live import LIVE, RESTART, needs_restart, restart_keys, why
from edge.model.bundle import Bundle
from edge.records import Frame
from edge.reload import changes, taken

KEYS = [f"{section}.{key}" for section, kind in sections().items() for key in kind.model_fields if section != "targets"]
LIVE_KEYS = [name for name in KEYS if not why(name)]
TRIANGLE = [[[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]]
VALUES: dict[str, Any] = {
    "camera.kind": "opencv", "camera.metering": "plate", "camera.source": "1", "camera.focus_dioptres": 2.0,
    "models.detector": "./detector", "models.reader": "./reader", "models.detection_threshold": 0.3, "models.measured": "other.json",
    "night.switch": "light", "night.latitude": 50.0, "night.longitude": 8.0, "night.focus_dioptres": 1.0,
    "view.include": TRIANGLE, "view.exclude": TRIANGLE, "view.lens": [0.1, 0.0],
    "governor.cool_c": 60.0, "country.code": "gb", "lists.allow": ["other.csv"], "lists.deny": ["other.csv"], "lists.ignore": ["other.csv"],
    "lists.time_zone": "Europe/Berlin",
    "gate.dry_run": False, "gate.send_to": "http://127.0.0.1:9/", "gate.send_secret": "env:HOME", "gate.gpio": 17, "gate.command": ["true"],
    "gate.second_factor": "factor", "gate.audit": "other.sqlite",
}  # fmt: skip
WITH_NO_PART = {"models.measured": "counts only where models.threads is 0", "gate.second_factor_max_age_s": "counts only with a second factor"}


class LiveCamera:
    """A camera that goes by its sections and cannot be tuned while it is open."""

    skipped, waits = 0, False

    def __init__(self, config: Any, night: Any) -> None:
        self.name, self.kind, self.config, self.night, self.broken = config.name, config.kind, config, night, config.source == "broken"

    def __enter__(self) -> Self:
        if self.broken:
            raise ConfigError("camera.source: is broken")
        return self

    def __exit__(self, *_: object) -> None: ...

    def again(self) -> Self:
        return type(self)(self.config, self.night)

    def frames(self) -> Iterator[Frame]:
        rows = np.arange(360 * 640, dtype=np.uint32).reshape(360, 640)
        for number in range(10_000):
            yield Frame(np.asarray((rows * 7 + number) % 251, dtype=np.uint8), float(number), self.name, None, number)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("pi", "opencv"):
        monkeypatch.setitem(__import__("edge.camera.kinds", fromlist=["KINDS"]).KINDS, kind, LiveCamera)
    for kind in ("detector", "reader"):
        (tmp_path / kind).symlink_to(wiring.BUNDLES / kind)
    for name in ("plates.csv", "other.csv"):
        (tmp_path / name).write_text(f"plate\n{'AB12CDE' if name == 'plates.csv' else 'XY99ZZZ'}\n")
    return tmp_path


def config_of(folder: Path, **more: Any) -> Config:
    """Everything is switched on, so that every key has a part that goes by it."""
    base: dict[str, Any] = {
        "camera": {"kind": "pi"}, "store": {"path": "e.sqlite", "keep_at_least_mb_free": 1}, "runtime": {"directory": "run"},
        "lists": {"allow": ["plates.csv"]}, "gate": {"enabled": True}, "targets": [{"name": "a", "kind": "jsonl", "path": "a.jsonl"}],
        "governor": {"enabled": False},
    }  # fmt: skip
    for section, keys in more.items():
        base[section] = keys if isinstance(keys, list) else base.get(section, {}) | keys
    return absolute(Config.model_validate(base), folder)


def drive(daemon: Daemon, steps: Steps) -> None:
    """What `Reload` does over many turns, at once."""
    answer, error = None, None
    while True:
        try:
            work = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration:
            return
        answer = error = None
        try:
            answer = work()
        except Exception as raised:
            error = raised
        daemon.pump.tend()
        if (frame := daemon._slot.get(0)) is not None:
            frame.release()


def going_by(daemon: Daemon) -> dict[str, Any]:
    """The settings that each part of a daemon has taken in."""
    adopting, pipeline = daemon.adopting, daemon.pipeline
    assert adopting is not None
    assert pipeline.attention is not None
    judge, attention, gate, publishing = pipeline.judge, pipeline.attention, daemon.gate, daemon.publishing
    camera: Any = daemon.pump.camera
    return {
        "camera": (camera.config.model_dump(exclude={"stall_s", "freeze_s"}), camera.night, daemon.pump._patience),
        "networks": (adopting._networks.models, *[getattr(adopting._networks.detector.bundle.network, name) for name in ("threshold", "views")]),
        "judge": (judge._config, judge._camera, judge._country, judge._strict, judge._crops, judge._passes.repeat_after_s),
        "pipeline": (pipeline.min_plate_px, pipeline.min_score, pipeline.tracker.lost_after_s, pipeline.lens, pipeline.excluded, pipeline.frames),
        "attention": (attention._regions, attention._config, attention._lost_after_s, attention._fresh_s),
        "keeping": (daemon.veil._config, daemon.veil._exclude, daemon.house.config, daemon.config.privacy),
        "governor": daemon.governor and daemon.governor._config,
        "gallery": (adopting._gallery._config, adopting._gallery._camera),
        "lists": (adopting._lists._config, adopting._lists._files, sorted(adopting._lists.book._exact)),
        "gate": gate and (gate._config, gate._camera, type(gate._factor), gate._closed),
        "publishing": publishing and ([one.config for one in publishing._couriers], publishing._config.outbox, publishing._config.lists, publishing._site.node),
        "facts": (daemon.account.facts["threads"], daemon.account.facts["threads_by"]),
        "told": sorted(daemon.account.tellers),
    }


def end(daemon: Daemon) -> None:
    daemon._stop.set()
    daemon._slot.close()
    daemon.pump.join(5.0)
    if daemon.gate is not None:
        daemon.gate.close()
    if daemon.publishing is not None:
        daemon.publishing.stop()
    daemon.store.close()


def value_for(name: str) -> Any:
    """Another value than the default, of the right type and within its limits."""
    section, key = name.split(".")
    default = sections()[section].model_fields[key].default
    if name in VALUES:
        return VALUES[name]
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return f"{default}-2"
    return default + 1 if isinstance(default, int) else default * 0.9 + 0.01


def test_every_section_is_live_or_waits_and_each_waiting_key_exists_and_has_its_reason() -> None:
    """A key is live or it waits, never both and never neither; what nobody thought of waits."""
    assert set(LIVE) | {"runtime", "web"} == set(sections())
    named = {name for name in RESTART if not name.endswith(".*")}
    assert named <= {f"{section}.{key}" for section, kind in sections().items() for key in kind.model_fields}
    assert {name.partition(".")[0] for name in RESTART if name.endswith(".*")} <= set(sections()) - set(LIVE)
    assert all(why(name) for name in restart_keys())
    assert [name for name in KEYS if needs_restart(*name.split("."))] == restart_keys()
    assert why("novelty.key") != ""


def test_what_waits_keeps_its_value_and_the_rest_is_taken(folder: Path) -> None:
    before = config_of(folder)
    wanted = config_of(folder, store={"path": "x.sqlite", "crops": False}, web={"port": 81}, unread={"directory": "y", "keep": 3})
    mixed = taken(before, wanted)
    assert changes(before, mixed) == ["store.crops", "unread.keep"]
    assert set(changes(mixed, wanted)) == {"store.path", "web.port", "unread.directory"}


@pytest.mark.parametrize("name", LIVE_KEYS)
def test_a_live_key_makes_the_daemon_the_one_that_would_start_with_it(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section, key = name.split(".")
    if section != "models":  # to load them costs more than all the rest
        network, manifest = SimpleNamespace(threshold=0.5, views=1), SimpleNamespace(name="fake", sha256="")
        monkeypatch.setattr("edge.model.networks.load_bundle", lambda *_: Bundle(manifest, b"", network))  # type: ignore[arg-type]
    base: dict[str, Any] = {"night": {"latitude": 1.0, "longitude": 1.0}} if section == "night" else {}
    base |= {"gate": {"command": ["true"]}} if name == "gate.dry_run" else {}
    value = value_for(name)
    more = {section: base.get(section, {}) | {key: value}}
    if name == "gate.enabled":
        more = {"gate": {"enabled": False}}
    if name == "governor.enabled":
        more = {"governor": {"enabled": True}}
    before, wanted = config_of(folder, **base), config_of(folder, **more)
    assert changes(before, wanted) == [name]
    daemon = wiring.build(before)
    daemon.pump.start()
    assert daemon.adopting is not None
    try:
        old = going_by(daemon)
        drive(daemon, daemon.adopting.adopt(before, wanted))
        now = going_by(daemon)
    finally:
        end(daemon)
    fresh = wiring.build(wanted)
    try:
        assert now == going_by(fresh)
    finally:
        end(fresh)
    assert now != old or name in WITH_NO_PART


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"lists": {"allow": ["nowhere.csv"]}}, "nowhere.csv"),
        ({"models": {"reader": "./none"}}, "no manifest.json there"),
        ({"gate": {"audit": "."}}, "cannot be written down"),
        ({"camera": {"kind": "pi", "source": "broken"}, "gate": {"reads": 5}}, "camera.source: is broken"),
        ({"targets": [{"name": "b", "kind": "webhook", "url": "env:NOT_THERE_AT_ALL"}]}, "NOT_THERE_AT_ALL"),
        ({"models": {"threads": 0, "measured": "bench.json"}}, "bench.json"),
    ],
)
def test_where_one_part_cannot_be_had_all_stay_as_they_were(more: dict[str, Any], said: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever else was wished along with it."""
    caplog.set_level(logging.CRITICAL)
    (folder / "bench.json").write_text("nonsense")
    before, wanted = config_of(folder), config_of(folder, **({"tracking": {"min_reads": 4}, "view": {"exclude": TRIANGLE}, "store": {"crops": False}} | more))
    daemon = wiring.build(before)
    daemon.pump.start()
    assert daemon.adopting is not None
    try:
        old = going_by(daemon)
        with pytest.raises(PlatewatchError) as raised:
            drive(daemon, daemon.adopting.adopt(before, wanted))
        assert said in str(raised.value)
        while daemon.pump._next is not None:
            daemon.pump.tend()
        assert going_by(daemon) == old
    finally:
        end(daemon)
