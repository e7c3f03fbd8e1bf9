"""The real daemon process while its bundles and its config are exchanged under it: it goes on, loses nothing, and says what is what."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from edge.model.manifest import SHIPPED
from edge.store import Store
from tests.e2e.live import CLIP, LiveDaemon, another, with_model

WHOLE = {kind: (SHIPPED / kind / "model.tflite").read_bytes() for kind in ("detector", "reader")}
TRUTH = json.loads(CLIP.with_suffix(".json").read_text())
SWAPS, SIGNALS = int(os.environ.get("PLATEWATCH_SWAPS", "15")), 200
PAUSE_S = 4.0
"""The status is half a second old. A machine that has other things to do is allowed more, as everything takes longer there."""


def truncated(kind: str) -> dict[str, bytes]:
    return another(kind) | {"model.tflite": WHOLE[kind][: len(WHOLE[kind]) // 3]}


def corrupt(kind: str) -> dict[str, bytes]:
    """One byte is another."""
    model = bytearray(WHOLE[kind])
    model[len(model) // 2] ^= 0xFF
    return another(kind) | {"model.tflite": bytes(model)}


def crashing(kind: str) -> dict[str, bytes]:
    """The hash fits, the network is rubbish."""
    model = bytearray(WHOLE[kind])
    for place in range(200, 6000):
        model[place] = (model[place] * 7 + place) % 256
    return with_model(bytes(model), kind)


def mismatched(kind: str) -> dict[str, bytes]:
    return another("detector" if kind == "reader" else "reader")


def mute() -> dict[str, bytes]:
    """It runs, and believes none of its reads."""
    return another("reader", name="mute", temperature=100.0, calibration=None)


def wrong_golden(kind: str) -> dict[str, bytes]:
    return another(kind, golden="0" * 64)


BROKEN: tuple[Callable[[str], dict[str, bytes]], ...] = (
    truncated, corrupt, crashing, mismatched, wrong_golden, lambda kind: {"model.tflite": WHOLE[kind]}, lambda kind: {"manifest.json": b"{}"}, lambda kind: {},
)  # fmt: skip


def test_many_exchanges_good_and_bad_under_load(tmp_path: Path) -> None:
    """Whatever is laid into the folders: the last good one is in use, each refusal is a sentence and counted, and frames flow.

    PLATEWATCH_SWAPS=50 is the long run.
    """
    dice, broken, switched, longest_s = random.Random(7), {"detector": False, "reader": False}, {"detector": 0, "reader": 0}, 0.0
    with LiveDaemon(tmp_path) as daemon:
        names = {kind: daemon.told()["bundles"][kind]["name"] for kind in broken}
        for number in range(SWAPS):
            kind = dice.choice(sorted(broken))
            before = daemon.told()["bundles"][kind]
            if dice.random() < 0.4:
                names[kind], broken[kind] = f"good {number}", False
                switched[kind] += 1
                daemon.replace(kind, another(kind, name=names[kind]))
            else:
                broken[kind] = True
                if dice.random() < 0.3 and (tmp_path / kind / "model.tflite").exists():  # in place, under the one that is in use
                    os.truncate(tmp_path / kind / "model.tflite", dice.randrange(5000))
                else:
                    daemon.replace(kind, dice.choice(BROKEN)(kind))
            daemon.hup()
            began = time.monotonic()
            counter = "refusals" if broken[kind] else "switched"
            daemon.until(lambda kind=kind, counter=counter, last=before[counter]: daemon.told()["bundles"][kind][counter] > last)  # type: ignore[misc]
            longest_s = max(longest_s, time.monotonic() - began)
            told = daemon.told()
            assert {one: told["bundles"][one]["name"] for one in names} == names
            assert {one: "stays in use" in told["bundles"][one]["refused"] for one in names} == broken
            assert all(told["bundles"][one]["refused"] in told["detail"] for one in names)
            # `idle` on a machine so busy that no frame came for a while; whether frames waited for the bundle is asked below.
            assert told["state"] in ("watching", "idle")
            assert told["camera"]["reopened"] == 0
        told = daemon.until(lambda: (found := daemon.told())["state"] == "watching" and found)
        assert {kind: told["bundles"][kind]["switched"] for kind in names} == switched
        assert {kind: told["bundles"][kind]["rolled_back"] for kind in names} == {"detector": 0, "reader": 0}
        assert daemon.longest_pause_s < max(PAUSE_S, longest_s / 2), "frames waited for a bundle"
        if (maps := Path(f"/proc/{daemon.process.pid}/maps")).exists():
            assert "model.tflite" not in maps.read_text()


def test_a_reader_that_reads_nothing_is_rolled_back_and_no_pass_is_lost(tmp_path: Path) -> None:
    """Its files are in order and it runs; only the plates show that it is of no use. It is noticed without a signal."""
    with LiveDaemon(tmp_path) as daemon:
        daemon.replace("reader", mute())
        daemon.until(lambda: daemon.reader()["switched"] == 1)
        daemon.until(lambda: daemon.reader()["rolled_back"] == 1)
        told = daemon.told()
        assert told["bundles"]["reader"]["name"] != "mute"
        assert "the reader mute" in told["detail"]
        daemon.until(lambda: daemon.told()["events"] >= told["events"] + 2)
    with Store(tmp_path / "events.sqlite", read_only=True) as store:
        assert {event.text for event in store.events()} <= {one["text"] for one in TRUTH}


def test_a_storm_of_signals_with_configs_good_and_bad(tmp_path: Path) -> None:
    """200 signals while the file changes every few milliseconds: in the end the last good one is in force, and every part of it."""
    (tmp_path / "plates.csv").write_text("plate\nAB12CDE\n")
    gate, targets = '[gate]\nenabled = true\n[lists]\nallow = ["plates.csv"]\n', '[[targets]]\nname = "a"\nkind = "jsonl"\npath = "out.jsonl"\n'
    kinds = [
        "",
        "[tracking]\nmin_reads = 99\n",
        "[view]\nexclude = [[[0, 0], [0.1, 0], [0.1, 0.1]]]\n",
        gate,
        targets,
        gate + targets,
        "[[[",
        "[gate]\nenabled = true\n",
    ]
    dice = random.Random(3)
    with LiveDaemon(tmp_path) as daemon:
        began = time.monotonic()
        for _ in range(SIGNALS):
            daemon.config(dice.choice(kinds))
            daemon.hup()
            time.sleep(dice.random() * 0.05)
        daemon.config(f"[privacy]\nknown_only = true\n{gate}{targets}")
        daemon.hup()
        daemon.until(lambda: daemon.told()["store"]["privacy"]["known_only"] and {"gate", "targets"} <= set(daemon.told()) and not daemon.told()["detail"])
        daemon.config("[tracking]\nmin_reads = 99\n")
        daemon.hup()
        daemon.until(lambda: "tracking.min_reads" in daemon.told()["detail"])
        assert {"gate", "targets"} <= set(daemon.told())
        daemon.config("")
        daemon.hup()
        told = daemon.until(lambda: {} if {"gate", "targets"} & set(daemon.told()) or daemon.told()["detail"] else daemon.told())
        assert told["camera"]["reopened"] == 0
        assert daemon.longest_pause_s < max(PAUSE_S, (time.monotonic() - began) / 4), "frames waited for a config"


def test_no_event_is_lost_to_targets_while_they_are_exchanged(tmp_path: Path) -> None:
    """A target that stays in the config gets every event once, however often the others change."""
    one = '[[targets]]\nname = "a"\nkind = "jsonl"\npath = "a.jsonl"\n'
    two = one.replace('"a"', '"b"').replace("a.jsonl", "b.jsonl")
    with LiveDaemon(tmp_path, one) as daemon:
        began, number = daemon.told()["events"], 0
        while daemon.told()["events"] < began + 4:
            number += 1
            daemon.config(one + (two if number % 2 else f"[outbox]\nmax_events = {100 + number}\n"))
            daemon.hup()
            daemon.until(lambda: "taken" not in daemon.told()["detail"])
            time.sleep(0.3)
        assert number > 5
    with Store(tmp_path / "events.sqlite", read_only=True) as store:
        stored = sorted(event.id for event in store.events())
    told = [json.loads(line)["id"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    with sqlite3.connect(tmp_path / "events.sqlite") as db:  # what ended with the daemon itself waits for its next start
        waiting = [event for (event,) in db.execute("SELECT event FROM outbox WHERE target = 'a' AND stage = 'final'")]
    db.close()
    assert sorted(told + waiting) == stored
