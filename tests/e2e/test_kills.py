"""SIGKILL over the whole daemon: the true `platewatch run`, with its networks, on a recording that is played round and round, telling real others.

What is promised, and asked here after every kill:

* the store and the gate's audit are whole;
* an event that a target has acknowledged stands in the store, under that id, as long as the store keeps events at all;
* within one life of the daemon each pass of the recording is told as final once. A life that is cut in the middle of a pass may tell of it from what
  it saw till then (its preview becomes the event when the daemon starts again); had the car stood on, the next life would have told of it anew: two
  events for the two halves of a pass, never two ids for one half;
* each target hears events in the order in which they were finished (one that was made of a preview at the next start stands in the store where the
  preview stood, and is told then); and the same (id, stage) twice only where the kill fell between its answer and our note;
* the gate never says that it opened without a row in the audit.

PLATEWATCH_KILLS=200 is the long run; PLATEWATCH_FIGURES=FILE writes down what came of it.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.keeping.schema import STEPS
from tests.builders import an_event
from tests.receivers import MOSQUITTO, Broker, Receiver, listening, wait_for

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "edge/clips/demo.mp4"
KILLS = int(os.environ.get("PLATEWATCH_KILLS", "12"))
FIGURES = os.environ.get("PLATEWATCH_FIGURES", "")
GUESTS = ("AWUH883", "8350KJF", "KX490KM")
FINAL = "NOT json_extract(json, '$.preview')"
STARTED: list[subprocess.Popen[bytes]] = []
OPENS = re.compile(r"the gate (?:would open \(dry run\)|opens) for event (\w{8})")


def a_config(folder: Path, hook: str, broker: int, more: str = "") -> Path:
    (folder / "guests.csv").write_text("plate\n" + "".join(f"{plate}\n" for plate in GUESTS))
    path = folder / "watch.toml"
    path.write_text(
        f"""
[camera]
kind = "files"
source = {json.dumps(str(CLIP))}
real_time = false
loop = true
fps_limit = 4
[models]
closer_looks = 0
[tracking]
repeat_after_s = 4.0
[store]
path = "events.sqlite"
keep_at_least_mb_free = 0
{more}
[runtime]
directory = "run"
[lists]
allow = ["guests.csv"]
[gate]
enabled = true
audit = "gate.sqlite"
approach = false
min_seconds = 0.1
cooldown_s = 0.0
max_duty = 1.0
[[targets]]
name = "shop"
kind = "webhook"
url = {json.dumps(hook)}
stages = ["preview", "final"]
picture = "base64"
longest_wait_s = 0.1
[[targets]]
name = "yard"
kind = "mqtt"
host = "127.0.0.1"
port = {broker}
topic = "yard"
client_id = "daemon"
stages = ["preview", "final"]
longest_wait_s = 0.1
"""
    )
    return path


def an_empty_street(config: Path) -> Path:
    """The same device, and nobody comes."""
    cv2.imwrite(str(config.with_name("street.jpg")), np.full((360, 640, 3), 90, np.uint8))
    path = config.with_name("street.toml")
    path.write_text(config.read_text().replace(json.dumps(str(CLIP)), '"street.jpg"').replace("real_time = false", "real_time = true"))
    return path


class Life:
    """One daemon, from its start until it is killed."""

    def __init__(self, config: Path) -> None:
        self._log = config.with_name("daemon.log").open("wb")
        self.process = subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(config)], cwd=ROOT, stdout=self._log, stderr=self._log)

        STARTED.append(self.process)

    def kill(self) -> None:
        ended = self.process.poll()
        assert ended is None, f"the daemon ended by itself with {ended}"
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._log.close()


@pytest.fixture(autouse=True)
def _no_daemon_is_left() -> Iterator[None]:
    """Also where a test fails."""
    yield
    for process in STARTED:
        process.kill()
        process.wait()
    STARTED.clear()


class Hearer:
    """What one target was told, in order, and acknowledged; (id, stage, text)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    def take(self, documents: list[bytes]) -> None:
        found = [json.loads(document) for document in documents]
        self.heard = [(one["id"], one["stage"], one.get("text", "")) for one in found]

    def finals(self) -> list[str]:
        return list(dict.fromkeys(id for id, stage, _ in self.heard if stage == "final"))

    def twice(self) -> int:
        return sum(many - 1 for many in Counter((id, stage) for id, stage, _ in self.heard).values())


def whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def rows(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


@pytest.fixture(scope="module")
def calm_round(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], float]:
    """What both tests of kills compare with, made once."""
    return one_round(tmp_path_factory.mktemp("calm"))


def one_round(folder: Path) -> tuple[list[str], float]:
    """The texts of the recording's passes as a daemon that nobody disturbs tells them, and the seconds that it took to tell of the second."""
    path = folder / "calm.toml"
    path.write_text(
        f'[camera]\nkind = "files"\nsource = {json.dumps(str(CLIP))}\nreal_time = false\nloop = true\nfps_limit = 4\n'
        "[models]\ncloser_looks = 0\n[tracking]\nrepeat_after_s = 4.0\n"
        '[store]\npath = "calm.sqlite"\nkeep_at_least_mb_free = 0\n[runtime]\ndirectory = "calm"\n'
    )
    process = subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(path)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began, second_s, truth = time.monotonic(), list[float](), json.loads(CLIP.with_suffix(".json").read_text())
    try:

        def enough() -> list[str]:
            assert process.poll() is None, "the daemon ended by itself"
            try:
                found = [str(text) for (text,) in rows(folder / "calm.sqlite", f"SELECT text FROM events WHERE {FINAL} ORDER BY seq")]
            except sqlite3.Error:
                return []
            if len(found) > 1:
                second_s.append(time.monotonic() - began)
            return found if len(found) > len(truth) else []

        return list(wait_for(enough, 180)), second_s[0]
    finally:
        process.kill()
        process.wait()


def fits(told: list[str], calm: list[str]) -> bool:
    """Is it the beginning of what a calm daemon tells?"""
    return told[: len(calm)] == calm[: len(told)]


@contextmanager
def hearing(port: int) -> Iterator[list[Any]]:
    with listening(port, "yard/event") as (heard, _):
        yield heard


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
@pytest.mark.parametrize("kept", [1_000_000, 6], ids=["all kept", "the oldest go"])
def test_killed_at_any_moment_nothing_told_is_lost_or_told_twice(tmp_path: Path, calm_round: tuple[list[str], float], kept: int) -> None:
    chance, kills = random.Random(kept), max(3, KILLS if kept > 1000 else KILLS // 3)
    calm, second_s = calm_round
    store, audit, began = tmp_path / "events.sqlite", tmp_path / "gate.sqlite", time.monotonic()
    opened: list[str] = []
    ends, lives = Counter[str](), list[list[str]]()
    with Broker(tmp_path / "broker") as broker, Receiver() as receiver, ExitStack() as stack:
        heard = stack.enter_context(hearing(broker.port))
        config = a_config(tmp_path, receiver.url, broker.port, f"max_events = {kept}")
        shop, yard = Hearer(), Hearer()
        before, halves = set[str](), set[str]()
        for number in range(kills + 2):
            life = Life(config if number <= kills else an_empty_street(config))
            lived_s = chance.uniform(0.2, 1.2) * second_s if number % 4 else chance.uniform(0.1, 1.5)
            if number < kills:
                time.sleep(lived_s)
            elif number == kills:
                wait_for(lambda: OPENS.search((tmp_path / "daemon.log").read_text()), 180)
            else:  # the last one is left to tell what waits
                wait_for(lambda: not rows(store, f"SELECT 1 FROM events WHERE NOT {FINAL} UNION SELECT 1 FROM outbox LIMIT 1"), 120)
            life.kill()
            ends[ended_in(tmp_path)] += 1
            if number % 25 == 24:
                note({"kept": kept, "kills so far": number + 1, "events": len(before)})
            if not store.exists() or not rows(store, "SELECT 1 FROM sqlite_master WHERE name = 'outbox'"):
                continue
            whole(store)
            stored = [(str(id), str(text)) for id, text in rows(store, "SELECT id, text FROM events ORDER BY seq")]
            finals = [str(id) for (id,) in rows(store, f"SELECT id FROM events WHERE {FINAL} ORDER BY seq")]
            shop.take([body for _, body in list(receiver.got)])
            yard.take([one.payload for one in list(heard)])
            for hearer in (shop, yard):
                ids = {id for id, _ in stored}
                gone = [id for id in hearer.finals() if id not in ids]
                assert not gone or kept < 1000, "an event that was acknowledged is not in the store"
                if gone:  # only the oldest go
                    assert len(stored) >= kept - 1
                    assert hearer.finals()[: len(gone)] == gone
                known = [id for id in hearer.finals() if id in ids - halves]
                assert known == [id for id in finals if id in set(known)], "a target heard events in another order than the store has them"
            fresh = [text for id, text in stored if id in set(finals) and id not in before | halves]
            if number and kept > 1000:
                lives.append(fresh)
            before |= {id for id, _ in stored if id in set(finals)}
            halves |= {id for id, _ in stored} - set(finals)  # what the next start makes events of
            if audit.exists():
                whole(audit)
                written = {str(id)[:8] for (id,) in rows(audit, "SELECT event FROM decisions WHERE opens = 1")}
                said = OPENS.findall((tmp_path / "daemon.log").read_text())
                assert set(said) <= written, "the gate says that it opened, and no row does"
                opened += said
        wait_for(lambda: len({json.loads(one.payload)["id"] for one in heard}) >= len(before) - 1 or kept < 1000)
    told = check_the_end(shop, yard, receiver, heard, before if kept > 1000 else None)
    assert all(fits(life, calm) for life in lives), [life for life in lives if not fits(life, calm)]
    assert opened
    note({
        "kept": kept, "kills": kills, "minutes": round((time.monotonic() - began) / 60, 1), "ended": dict(ends),
        "events": len(before), "of cut passes": len(halves),
        "opened": len(opened), "texts wrong": wrong(shop),
    } | told)  # fmt: skip


def check_the_end(shop: Hearer, yard: Hearer, receiver: Receiver, heard: list[Any], stored: set[str] | None) -> dict[str, Any]:
    """Everything was told, of each preview its event too, and twice only what a kill may have cut between the answer and the note."""
    shop.take([body for _, body in receiver.got])
    yard.take([one.payload for one in heard])
    for hearer in (shop, yard):
        previews = {id for id, stage, _ in hearer.heard if stage == "preview"}
        withdrawn = {id for id, stage, _ in hearer.heard if stage == "withdrawn"}
        assert stored is None or set(hearer.finals()) == stored
        assert stored is None or previews <= set(hearer.finals()) | withdrawn
        texts = dict[str, set[str]]()
        for id, stage, text in hearer.heard:
            if stage == "final":
                texts.setdefault(id, set()).add(text)
        assert all(len(found) == 1 for found in texts.values()), "one id says two things"
    return {"told": {"shop": len(shop.heard), "yard": len(yard.heard)}, "told again": {"shop": shop.twice(), "yard": yard.twice()}}


def note(figures: dict[str, Any]) -> None:
    if FIGURES:
        with Path(FIGURES).open("a") as file:
            file.write(json.dumps(figures) + "\n")


def wrong(hearer: Hearer) -> int:
    """Finals whose text is none of the recording's plates: of passes that were cut, or misread."""
    truth = {one["text"] for one in json.loads(CLIP.with_suffix(".json").read_text())}
    return len({id for id, stage, text in hearer.heard if stage == "final" and text not in truth})


def ended_in(folder: Path) -> str:
    """Where a life was when it was cut, by its own words."""
    said = (folder / "daemon.log").read_text()
    if "event " in said or "preview " in said:
        last = [line for line in said.splitlines() if "preview" in line or "event " in line][-1]
        return "between preview and event" if "preview" in last else "after an event"
    return "before its first event"


def old_store(path: Path, many: int) -> None:
    """As the first version wrote it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; BEGIN; {STEPS[0]}; PRAGMA user_version = 1; COMMIT; BEGIN;")
        for number in range(many):
            event = an_event(f"{number:06}", last_seen="2099-01-01T00:00:00.000+00:00")
            row = (event.id, event.text, event.last_seen, json.dumps(event.as_json()))
            db.execute("INSERT INTO events (id, text, last_seen, json) VALUES (?, ?, ?, ?)", row)
            db.execute("INSERT INTO crops (event, jpeg) VALUES (?, ?)", (event.id, b"x" * 500))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_killed_while_an_old_store_becomes_a_new_one_it_is_the_one_or_the_other(tmp_path: Path) -> None:
    """Cut as soon as the log grows, and a little later each time; no event is missing, and the next start goes on."""
    made, store, many = tmp_path / "old.sqlite", tmp_path / "events.sqlite", 20_000
    old_store(made, many)
    config = a_config(tmp_path, "http://127.0.0.1:9/", 9)
    found = Counter[int]()
    for number in range(max(3, KILLS // 5)):
        for suffix in ("-wal", "-shm"):
            Path(f"{store}{suffix}").unlink(missing_ok=True)
        store.write_bytes(made.read_bytes())
        life, log = Life(config), Path(f"{store}-wal")
        wait_for(lambda log=log: log.exists() and log.stat().st_size, 60)
        time.sleep(0.02 * (number % 8))
        life.kill()
        whole(store)
        ((version,),) = rows(store, "PRAGMA user_version")
        found[int(version)] += 1
        assert version in (1, len(STEPS))
        assert rows(store, "SELECT count(*) FROM events WHERE id < '1'") == [(many,)]
    life = Life(config)
    wait_for(lambda: rows(store, "PRAGMA user_version") == [(len(STEPS),)], 60)
    life.kill()
    note({"migration, versions found": {str(key): value for key, value in found.items()}})


def test_killed_while_old_events_are_deleted_each_goes_whole(tmp_path: Path) -> None:
    """No crop without its event, nothing that waits for a target without its event, and the next life goes on deleting."""
    store, many = tmp_path / "events.sqlite", 4000
    old_store(store, many)
    config = a_config(tmp_path, "http://127.0.0.1:9/", 9, "max_events = 100")
    left = many
    for number in range(max(3, KILLS // 5)):
        life = Life(config)
        wait_for(lambda left=left: rows(store, "SELECT count(*) FROM events WHERE id < '1'")[0][0] < left or left <= 100, 60)
        time.sleep(0.003 * (number % 10))
        life.kill()
        whole(store)
        left = rows(store, "SELECT count(*) FROM events WHERE id < '1'")[0][0]
        assert rows(store, "SELECT count(*) FROM crops WHERE event NOT IN (SELECT id FROM events)") == [(0,)]
        assert rows(store, "SELECT count(*) FROM outbox WHERE event NOT IN (SELECT id FROM events)") == [(0,)]
        alone = "NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.event = b.event AND o.stage = b.stage)"
        assert rows(store, f"SELECT count(*) FROM outbox_bodies AS b WHERE {alone}") == [(0,)]
    assert left < many
