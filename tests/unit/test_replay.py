"""`platewatch replay`: the daemon's own way on a recording, what belongs together in two replays, and what is said of bad input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge import cli, wiring
from edge.config import Config
from edge.errors import ConfigError, ImageError
from edge.model.bundle import Bundle
from edge.replay.pairs import Seen, load_truth, pair, score
from edge.replay.play import play
from edge.replay.report import as_json, clock
from tests.builders import a_detection, a_frame, a_read
from tests.fakes import FakeDetector, FakeReader


def seen(text: str, from_s: float, to_s: float) -> Seen:
    return Seen(text, from_s, to_s)


class Nets:
    """What the two loaders give: a detector that follows a script, a reader that always reads the same."""

    def __init__(self, script: Sequence[Any], text: str) -> None:
        self.detector, self.reader = FakeDetector(script), FakeReader(lambda quad: a_read(text))
        for net in (self.detector, self.reader):
            net.manifest = type("Manifest", (), {"name": "fake", "sha256": "0"})()


@pytest.fixture
def nets(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(script: Sequence[Any], text: str = "AB12CDE") -> None:
        found = Nets(script, text)
        monkeypatch.setattr("edge.model.networks.load_bundle", lambda folder, kind, models: Bundle(getattr(found, kind).manifest, b"", getattr(found, kind)))

    return use


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twenty frames, half a second apart."""
    folder = tmp_path / "drive"
    folder.mkdir()
    for number in range(20):
        cv2.imwrite(str(folder / f"{number:03}.png"), a_frame().luma)
    return folder


def test_what_would_have_been_told_stands_at_its_time_in_the_recording(nets: Any, pictures: Path) -> None:
    """A plate in the first eight frames, a small one in the last twelve: a preview, an event, and a pass without one."""
    nets([[a_detection()]] * 8 + [[a_detection(x=400, width=20)]] * 12)
    found = play(Config(), pictures, every_frame=True)
    assert (found.frames, found.looked, found.length_s) == (20, 20, 9.5)
    assert [(one.text, one.from_s, one.preview) for one in (*found.previews, *found.events)][-1] == ("AB12CDE", 0.0, False)
    assert found.events[0].to_s <= 3.5
    assert [(one.reason, one.to_s) for one in found.unread] == [("too small", 9.5)]
    assert found.unread[0].from_s == pytest.approx(4.0, abs=0.1)
    assert found.reasons == {"too small": 1}


def test_a_replay_is_the_same_each_time_whatever_the_machine_s_clock(nets: Any, pictures: Path) -> None:
    told = []
    for _ in range(2):
        nets([[a_detection()]] * 8)
        one = play(Config(), pictures).as_json()
        told.append({key: one[key] for key in ("events", "previews", "unread", "reasons", "frames", "looked")})
    assert told[0] == told[1]
    assert told[0]["events"]


def test_a_replay_touches_nothing_of_the_device(nets: Any, pictures: Path, tmp_path: Path) -> None:
    """Neither store nor status nor pictures of what was unread."""
    nets([[a_detection()]] * 8 + [[a_detection(x=400, width=20)]] * 12)
    config = Config.model_validate({"store": {"path": str(tmp_path / "events.sqlite")}, "runtime": {"directory": str(tmp_path / "run")}})
    play(config, pictures)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drive"]


def test_the_daemon_s_own_wiring_makes_the_pipeline(nets: Any, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nets([])
    asked = []
    real = wiring.make_pipeline
    monkeypatch.setattr("edge.replay.play.make_pipeline", lambda *args, **named: asked.append(args) or real(*args, **named))
    play(Config(), pictures)
    assert len(asked) == 1


def test_the_nearest_texts_are_paired_once_and_only_where_they_meet_in_time() -> None:
    left = [seen("AB12CDE", 0, 5), seen("ZZ99ZZZ", 1, 5), seen("KX490KM", 10, 14), seen("OLD1234", 20, 22)]
    right = [seen("ZZ99ZZ2", 1, 4), seen("AB12CDE", 0.5, 5), seen("KX490KM", 30, 34), seen("QQQQQQQ", 20, 22)]
    found = pair(left, right)
    assert [one.text for one, _ in found.same] == ["AB12CDE"]
    assert [(one.text, other.text) for one, other in found.differing] == [("ZZ99ZZZ", "ZZ99ZZ2")]
    assert [one.text for one in found.only_left] == ["KX490KM", "OLD1234"]
    assert [one.text for one in found.only_right] == ["KX490KM", "QQQQQQQ"]


def test_one_truth_is_not_paid_for_by_two_events() -> None:
    found = score([seen("AB12CDE", 0, 5)], [seen("AB12CDE", 0, 5), seen("AB12CDE", 4, 6)], 30.0)
    assert (len(found.right), len(found.invented)) == (1, 1)


def test_a_plate_that_comes_back_at_once_is_the_same_pass_and_not_missed() -> None:
    truth = [seen("AB12CDE", 0, 5), seen("AB12CDE", 20, 25), seen("ZZ99ZZZ", 30, 31)]
    found = score(truth, [seen("AB12CDE", 0, 5)], 30.0)
    assert ([one.from_s for one in found.repeated], [one.text for one in found.missed]) == ([20], ["ZZ99ZZZ"])
    assert [one.from_s for one in score(truth, [seen("AB12CDE", 0, 5)], 4.0).missed] == [20, 30]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "is not JSON"),
        ("{}", "must be a list"),
        ('[{"text": "A1"}]', "entry 1 has no"),
        ('[{"text": "A1", "from_s": 2, "to_s": 1}]', "entry 1 needs"),
        ('[{"text": "", "from_s": 0, "to_s": 1}]', "entry 1 needs"),
        ("[3]", "entry 1 has no"),
    ],
)
def test_a_truth_that_is_none_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_truth(path)


def test_a_recording_that_cannot_be_played_is_one_sentence(nets: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Missing, corrupt, empty, a folder of nothing, a text: exit 1, one line on stderr, no traceback."""
    (tmp_path / "corrupt.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500))
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "words.txt").write_text("hello")
    for name in ("missing.mp4", "corrupt.mp4", "empty.mp4", "nothing", "words.txt"):
        nets([])
        code = cli.main(["replay", str(tmp_path / name)])
        said = capfd.readouterr()
        ours = [line for line in said.err.splitlines() if line.startswith("platewatch:")]
        assert (code, said.out, len(ours)) == (1, "", 1), name
        assert name in ours[0]
        assert "camera.source" not in ours[0]


def test_a_video_without_frames_is_said(nets: Any, tmp_path: Path) -> None:
    path = tmp_path / "short.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    video.write(np.zeros((48, 64, 3), np.uint8))
    video.release()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 8])
    nets([])
    with pytest.raises(ImageError, match=r"short\.avi"):
        play(Config(), path)


def test_what_is_compared_and_scored_stands_in_the_json(nets: Any, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stricter second configuration loses the event; the truth says so of each."""
    strict, truth = tmp_path / "strict.toml", tmp_path / "truth.json"
    strict.write_text("[tracking]\nmin_plate_px = 600\n")
    truth.write_text(json.dumps([{"text": "ab12 cde", "from_s": 0, "to_s": 4}]))
    nets([[a_detection()]] * 8 + [[]] * 12 + [[a_detection()]] * 8)
    assert cli.main(["replay", str(pictures), "--every-frame", "--against", str(strict), "--truth", str(truth), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["text"] for one in told["first"]["events"]] == ["AB12CDE"]
    assert told["second"]["reasons"] == {"too small": 1}
    assert [one["text"] for one in told["compared"]["only_first"]] == ["AB12CDE"]
    assert [one["text"] for one in told["first"]["truth"]["right"]] == ["AB12CDE"]
    assert [one["text"] for one in told["second"]["truth"]["missed"]] == ["AB12CDE"]


def test_the_table_says_the_same_for_a_person(nets: Any, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nets([[a_detection()]] * 8)
    assert cli.main(["replay", str(pictures), "--every-frame"]) == 0
    said = capsys.readouterr().out
    assert "AB12CDE" in said
    assert "20 frames in" in said


def test_a_wrong_config_names_the_option(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay", str(pictures), "--against", str(tmp_path / "none.toml")]) == 1
    assert "--against" in capsys.readouterr().err


def test_nothing_seen_is_json_too(nets: Any, pictures: Path) -> None:
    nets([])
    told = as_json({"first": play(Config(), pictures)}, {})
    assert json.loads(json.dumps(told))["first"]["events"] == []


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00.0"), (83.25, "1:23.2"), (59.99, "0:59.9"), (-1, "0:00.0"), (3600, "60:00.0")])
def test_times_are_minutes_and_seconds(seconds: float, words: str) -> None:
    assert clock(seconds) == words
