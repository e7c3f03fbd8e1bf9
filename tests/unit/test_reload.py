"""A config that cannot be used, one that changes, and who looked."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config, load, sections
from edge.errors import ConfigError
from edge.keeping.accesses import Looks, collect
from edge.reference import schema
from edge.reload import Reload
from edge.safe import salvage, watch
from edge.store import Store
from edge.web.app import create_app
from tests.builders import an_event
from tests.fakes import FakeClock


def test_the_schema_that_is_published_is_the_one_that_the_program_prints() -> None:
    """`platewatch config --schema`; every section and key is in it."""
    published = (Path(__file__).parents[2] / "docs/schemas/config.schema.json").read_text()
    assert published == schema()
    told = json.loads(published)
    for section, kind in sections().items():
        assert section in told["properties"]
        assert set(told["$defs"][kind.__name__]["properties"]) == set(kind.model_fields)


def test_of_a_broken_config_the_good_sections_are_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo in one table does not hide the page; a bad [web] listens on this machine alone."""
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    path = tmp_path / "c.toml"
    path.write_text('[camera]\nname = "yard"\n[runtime]\ndirectory = "here"\n[web]\nhost = "0.0.0.0"\nport = 81\n[store]\npath = = 3\n')
    found = salvage(path)
    assert (found.camera.name, found.runtime.directory) == ("yard", str(tmp_path / "here"))
    assert (found.web.host, found.web.port, found.store.path) == ("127.0.0.1", 8080, str(tmp_path / "var/events.sqlite"))
    path.write_bytes(b"\xff\xfe[[[")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/platewatch")
    assert salvage(path).runtime.directory == "/run/platewatch"
    assert salvage(tmp_path / "none.toml").camera.name == "camera"


def test_a_reload_takes_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("")
    before, taken = load(path), list[Config]()
    reload = Reload(path, before, taken.append)
    reload.tend()
    assert taken == []
    path.write_text('[store]\nretention_days = 3\npath = "elsewhere"\n[models]\nthreads = 2\n')
    reload.ask()
    reload.tend()
    assert (taken[-1].store.retention_days, taken[-1].store.path, taken[-1].models.threads) == (3.0, before.store.path, 1)
    assert reload.words() == "restart Platewatch for the changes of models.threads, store.path"
    path.write_text("[store]\nretention_days = -1\n")
    reload.ask()
    reload.tend()
    assert "was not taken" in reload.words()
    assert "store.retention_days" in reload.words()
    assert len(taken) == 1
    path.write_text("")
    reload.ask()
    reload.tend()
    assert (reload.words(), taken[-1]) == ("", before)


def test_who_looked_at_the_page_comes_into_the_log_by_the_daemon(tmp_path: Path) -> None:
    """The page leaves a line, the same look within ten minutes is one, a line that is none is passed over, and nothing is taken twice."""
    clock = FakeClock()
    looks = Looks(tmp_path, clock)
    for _ in range(3):
        looks.note("2026", "10.0.0.5 (page)", "looked at an event")
        clock.advance(300)
    with (tmp_path / "accesses").open("a") as file:
        file.write("nonsense\n")
    with Store(tmp_path / "events.sqlite") as store:
        assert collect(tmp_path, store, keep=100) == 2
        assert collect(tmp_path, store, keep=100) == 0
        assert store.accesses() == [("2026", "10.0.0.5 (page)", "looked at an event", 0)] * 2
    assert not (tmp_path / "accesses").exists()


def test_a_page_that_cannot_write_serves_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Looks(tmp_path / "nowhere", FakeClock()).note("2026", "10.0.0.5 (page)", "looked at an event")
    assert "who looked cannot be written down" in caplog.text


def test_a_look_at_the_page_leaves_a_line_without_the_plate(tmp_path: Path) -> None:
    """Whoever searched for one, and found it or not."""
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event())
    (tmp_path / "run").mkdir()
    app = create_app(Config.model_validate({"runtime": {"directory": str(tmp_path / "run")}, "store": {"path": str(tmp_path / "events.sqlite")}}))
    client = app.test_client()
    assert client.get("/events?text=AB12CDE").status_code == 200
    assert client.get("/events/1").status_code == 200
    assert client.get("/events/2").status_code == 404
    lines = [json.loads(line) for line in (tmp_path / "run" / "accesses").read_text().splitlines()]
    assert [line[1:] for line in lines] == [["127.0.0.1 (page)", "looked at the list of events"], ["127.0.0.1 (page)", "looked at an event"]]
    app.extensions["daemon_files"].close()


def test_a_stop_while_another_try_is_under_way_is_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM while safe mode loads the models again: no daemon begins."""
    path = tmp_path / "c.toml"
    path.write_text(f'[runtime]\ndirectory = "{tmp_path}/run"\n')
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    tries: list[int] = []

    def build(config: Config) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise ConfigError("lists.allow: is not there")
        signal.raise_signal(signal.SIGTERM)
        raise ConfigError("lists.allow: is not there still")

    monkeypatch.setattr("edge.safe.TELL_EVERY_S", 0.01)
    monkeypatch.setattr("edge.safe.RETRY_S", 0.02)
    try:
        assert watch(path, build, stay=True) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(tries) == 2
