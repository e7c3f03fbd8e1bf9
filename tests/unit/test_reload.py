"""A config that cannot be used, one that changes, and who looked."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.apart import Steps
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


class Willing:
    """Takes every config at once, or after `slow` had its say in another thread."""

    def __init__(self, slow: Callable[[], object] | None = None) -> None:
        self.slow, self.taken, self.renewed, self.has_changed = slow, list[Config](), 0, False

    def adopt(self, before: Config, wanted: Config) -> Steps:
        if self.slow is not None:
            yield self.slow
        self.taken.append(wanted)

    def renew(self) -> Steps:
        self.renewed += 1
        self.has_changed = False
        yield lambda: None

    def changed(self) -> bool:
        return self.has_changed


def settle(reload: Reload) -> None:
    end = time.monotonic() + 10
    while reload.busy:
        reload.tend()
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_reload_takes_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    """Settings alone are taken before the next frame."""
    path, willing = tmp_path / "c.toml", Willing()
    path.write_text("")
    before = load(path)
    reload = Reload(path, before, willing)
    reload.tend()
    assert willing.taken == []
    path.write_text('[store]\nretention_days = 3\npath = "elsewhere"\n[web]\nport = 81\n')
    reload.ask()
    reload.tend()
    assert (willing.taken[-1].store.retention_days, willing.taken[-1].store.path, willing.taken[-1].web.port) == (3.0, before.store.path, 8080)
    assert reload.words() == "restart Platewatch for the changes of store.path, privacy.key_file, web.port"
    path.write_text("[store]\nretention_days = -1\n")
    reload.ask()
    reload.tend()
    assert "was not taken" in reload.words()
    assert "store.retention_days" in reload.words()
    assert (len(willing.taken), reload.taken, reload.refused) == (1, 1, 1)
    path.write_text("")
    reload.ask()
    reload.tend()
    assert (reload.words(), willing.taken[-1], reload.taken) == ("", before, 2)


def test_a_storm_of_signals_is_one_reload_at_a_time_and_the_newest_file_counts(tmp_path: Path) -> None:
    path, gone_on = tmp_path / "c.toml", threading.Event()
    willing = Willing(lambda: gone_on.wait(10))
    path.write_text("")
    reload = Reload(path, load(path), willing)
    for number in range(1, 50):
        path.write_text(f"[store]\nmax_events = {number}\n")
        reload.ask()
        reload.tend()
    assert reload.words() == "a new config is being taken"
    gone_on.set()
    settle(reload)
    assert [config.store.max_events for config in willing.taken] == [1, 49]


def test_whatever_goes_wrong_while_a_config_is_taken_is_a_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also what nobody thought of: the daemon goes on."""
    path = tmp_path / "c.toml"
    path.write_text("")
    willing = Willing(lambda: 1 // 0)
    reload = Reload(path, load(path), willing)
    reload.ask()
    settle(reload)
    assert "was not taken: ZeroDivisionError" in reload.words()
    assert willing.taken == []
    willing.has_changed = True
    reload.tend()
    settle(reload)
    assert willing.renewed == 1


def test_an_end_in_the_middle_waits_for_no_one(tmp_path: Path) -> None:
    """The daemon stops while a bundle is being verified."""
    gone_on = threading.Event()
    path, willing = tmp_path / "c.toml", Willing(lambda: gone_on.wait(10))
    path.write_text("")
    reload = Reload(path, load(path), willing)
    reload.ask()
    reload.tend()
    began = time.monotonic()
    reload.close(0.05)
    assert (time.monotonic() - began < 5, reload.busy, willing.taken) == (True, False, [])
    gone_on.set()


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
