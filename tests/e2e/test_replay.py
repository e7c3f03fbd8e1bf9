"""The clip that ships, by the networks that ship: replayed, and watched by the daemon, whose log names no plate."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.store import Store

ROOT = Path(__file__).parents[2]
CLIP, TRUTH = ROOT / "edge/clips/demo.mp4", ROOT / "edge/clips/demo.json"


def a_config(folder, more=""):
    """Every third of the clip's frames, one look at each plate: what is in question here is what is said, and every pass is still an event."""
    path = folder / "watch.toml"
    path.write_text(
        f'[camera]\nkind = "files"\nsource = {json.dumps(str(CLIP))}\nreal_time = false\nfps_limit = 4\n[models]\ncloser_looks = 0\n'
        f'[store]\npath = "events.sqlite"\nkeep_at_least_mb_free = 0\n[runtime]\ndirectory = "run"\n{more}'
    )
    return path


def platewatch(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "edge", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "160", **environment},
        timeout=600,
    )


@pytest.fixture(scope="module")
def replayed():
    done = platewatch("replay", CLIP, "--truth", TRUTH, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["first"]


def test_the_clip_s_passes_are_told(replayed):
    """Each with a preview, of which at most one says another text; at most one final is wrong, and none invented.

    The plate that comes back within half a minute is no second pass.
    """
    truth = replayed["truth"]
    assert (truth["missed"], truth["invented"]) == ([], [])
    assert len(truth["right"]) >= 5
    assert [one["text"] for one in truth["repeated"]] == ["AWUH883"]
    assert len(replayed["previews"]) >= len(truth["right"])
    early = {one["text"] for one in truth["right"]} & {one["text"] for one in replayed["previews"]}
    assert len(early) >= len(truth["right"]) - 1  # a preview is said after three looks that agree: the final may know better
    assert replayed["frames"] == 600
    assert replayed["length_s"] == pytest.approx(599 / 12, abs=0.1)


def test_every_pass_without_an_event_has_its_reason(replayed):
    """What stands in the table is at most what was counted: flickers are counted and not shown."""
    assert replayed["unread"]
    for one in replayed["unread"]:
        assert replayed["reasons"][one["reason"]] >= 1
        assert 0 <= one["from_s"] <= one["to_s"] <= replayed["length_s"]


def test_a_recording_that_is_cut_off_is_one_sentence(tmp_path):
    """As a card that filled up leaves it: the decoders' own words are not let through."""
    (tmp_path / "cut.mp4").write_bytes(CLIP.read_bytes()[:20_000])
    done = platewatch("replay", tmp_path / "cut.mp4")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"platewatch: {tmp_path / 'cut.mp4'}: holds no frame that can be read; copy it again or convert it to mp4\n"


def test_no_plate_stands_in_the_daemon_s_log_and_journald_knows_the_levels(tmp_path):
    """The clip through the daemon itself: neither what passed, nor what a look took it for."""
    config = a_config(tmp_path, '[[targets]]\nname = "book"\nkind = "jsonl"\npath = "book.jsonl"\n')
    done = platewatch("run", "--config", config, JOURNAL_STREAM="8:1")
    assert done.returncode == 0, done.stdout
    log = done.stdout + done.stderr
    with Store(tmp_path / "events.sqlite", read_only=True) as store:
        events = store.events()
    assert len(events) >= 5
    assert log.count("event ") >= len(events)  # each is told of, by its id
    texts = {event.text for event in events} | {event.raw_text for event in events} | {one["text"] for one in json.loads(TRUTH.read_text())}
    texts |= {json.loads(path.read_text())["text"] for path in (tmp_path / "run/unread").glob("*.json")}
    texts = {text for text in texts if len(text) > 3}  # what a look at lettering came to, such as 62, stands in any log
    bare = re.sub(r"[^A-Z0-9\n]", "", log.upper())
    assert [text for text in texts if text in log or text in bare] == []
    assert [line for line in done.stdout.splitlines() if not re.match(r"<[2-7]>", line)] == []
    assert "<7>" not in log


def test_with_verbose_the_texts_are_there_at_debug_alone(tmp_path):
    """Which shows that the search above could find them."""
    done = platewatch("run", "--config", a_config(tmp_path), "--verbose", JOURNAL_STREAM="8:1")
    naming = [line for line in done.stdout.splitlines() if "8350KJF" in line]
    assert naming
    assert [line for line in naming if not line.startswith("<7>")] == []
