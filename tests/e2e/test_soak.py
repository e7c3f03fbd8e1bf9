"""A short soak: the daemon as it is built, its real networks, and a day's traffic in small. The long one is `python -m tests.soak`, see docs/soak.md."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge.tracking.judge import Judge
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Tracker
from tests.builders import a_sighting
from tests.soak.command import main
from tests.soak.play import Plan
from tests.soak.tally import tally
from tests.soak.timetable import PASS_S, REPEAT_S, Visit, timetable
from tests.soak.verdict import Limits, growth, judge
from tests.soak.watching import Sample

pytest.importorskip("PIL", reason="the frames are drawn by train, which needs Pillow")
DRAWN_S = 100
SHORT = ("--growth", "12")
"""Within minutes the caches are still filling: the limit of a day would find nothing but them. The spoilt daemon grows by more."""


def soak(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--out", str(folder / "soak.json")])
    return code, json.loads((folder / "soak.json").read_text())


def test_twenty_minutes_of_traffic_are_flat_and_each_car_is_one_event(tmp_path: Path) -> None:
    """With a web hook that is down for a part of it, both lists, the gate, the gallery and the page's scrapes."""
    code, told = soak(tmp_path, "--hours", "0.34", "--traffic", "2", "--warm-up", "0.17", *SHORT)
    assert (code, told["wrong"]) == (0, [])
    truth = told["truth"]
    assert truth["visits"] >= 10
    assert len(truth["missed"]) + len(truth["doubled"]) + truth["wrong_text"] <= 1
    assert truth["events_of_nobody"] == 0
    assert told["outages_of_the_web_hook"] >= 1
    assert all(target["pending"] == target["dropped"] == 0 for target in told["status"]["targets"])


def test_a_daemon_that_leaks_is_found(tmp_path: Path) -> None:
    """One that keeps a small part of every frame and forgets to close a file now and then."""
    code, told = soak(tmp_path, "--hours", "0.3", "--traffic", "2", "--spoil", "both", "--warm-up", "0.12", *SHORT)
    assert code == 1
    assert any(words.startswith("private memory grew") for words in told["wrong"])
    assert any(words.startswith("open handles grew") for words in told["wrong"])


def test_minutes_without_plates_give_no_event(tmp_path: Path) -> None:
    """Drawn streets, vehicles without plates, boards, rain and lamps; what the detector flickers at has its reasons."""
    _, told = soak(tmp_path, "--empty", "--hours", "0.05")
    assert (told["status"]["events"], told["status"]["totals"]["previews"]) == (0, 0)
    assert sum(told["status"]["reasons"].values()) > 0


def a_sample(hours: float, rss_mb: float, handles: int = 14) -> Sample:
    return Sample(hours, 0, rss_mb, rss_mb - 40, handles, 7, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("rss_mb", "words"),
    [
        (lambda hour: 100 + 30 * min(1, hour), ""),
        (lambda hour: 120 + (hour % 3) * 2, ""),
        (lambda hour: 120 + 0.4 * hour, "resident memory grew"),
        (lambda hour: 120 + (9 if hour > 16 else 0), "resident memory grew"),
        (lambda hour: 151, "resident memory came to"),
    ],
    ids=["it warms up", "it breathes", "it creeps", "it steps", "it is too large"],
)
def test_growth_is_what_goes_on_after_the_warm_up(rss_mb: Any, words: str) -> None:
    samples = [a_sample(hour / 4, rss_mb(hour / 4)) for hour in range(96)]
    _, wrong = judge(samples, 4.0, Limits())
    assert wrong[0].startswith(words) if words else wrong == []


def test_one_outlier_is_no_growth_and_few_samples_are_no_pass() -> None:
    values = [100.0] * 20
    values[-1] = 500.0
    assert growth(range(20), values).worst == 0.0
    assert judge([a_sample(hour, 100) for hour in range(5)], 0.0, Limits())[1] == ["only 5 samples after the warm-up, 12 are wanted: let it go on for longer"]


def test_handles_that_are_not_closed_are_found() -> None:
    assert judge([a_sample(hour, 100, 14 + hour // 4) for hour in range(24)], 4.0, Limits())[1][0].startswith("open handles grew")


@pytest.mark.parametrize("seed", range(5))
def test_a_timetable_holds_what_the_truth_relies_on(seed: int) -> None:
    """One after the other but for who stands, the same plate no sooner than it is a new pass, nobody between midnight and four."""
    visits = timetable(6 * 3600, 24, seed)
    assert len(visits) > DRAWN_S
    assert {visit.kind for visit in visits} == {"pass", "again", "parked", "illegible", "ignored"}
    for one, other in pairwise(visits):
        assert other.from_s >= one.from_s + PASS_S
    for visit in visits:
        again = next((other for other in visits[visit.number + 1 :] if other.vehicle == visit.vehicle and other.counts), None)
        assert again is None or again.from_s >= visit.to_s + REPEAT_S
        assert not 24 * 3600 <= visit.from_s < 28 * 3600
        assert visit.to_s < 30 * 3600


def test_events_are_counted_for_the_visit_that_they_are_of() -> None:
    """Two cars at once are told apart by what is read; who is not there has none."""
    visits = [Visit(0, 1, "parked", 0.0, True, 600.0), Visit(1, 2, "pass", 100.0, True), Visit(2, 3, "illegible", 300.0, True)]
    names = {1: "AB12CDE", 2: "XY34ZZZ", 3: "MUD123"}

    def event(text: str, at: float) -> dict[str, Any]:
        when = f"1970-01-01T00:{int(at // 60):02}:{at % 60:06.3f}+00:00"
        return {"text": text, "first_seen": when, "last_seen": when, "detection_score": 0.7}

    found = tally([event("AB12CDE", 8.0), event("XY34ZZ2", 103.0), event("QQ99QQQ", 3000.0)], visits, names.__getitem__, 0.0)
    assert (dict(found.per_visit), found.wrong_text, found.of_nobody, found.of_silent["illegible"]) == ({1: 2}, 1, 1, 0)
    doubled = tally([event("AB12CDE", 8.0), event("AB12CDE", 400.0)], visits, names.__getitem__, 0.0)
    assert (dict(doubled.per_visit), doubled.doubled) == ({2: 1, 0: 1}, ["parked AB12CDE at 0.000 h: AB12CDE, AB12CDE"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hours", "0"], "--hours 0"),
        (["--traffic", "-1"], "--traffic -1"),
        (["--pictures", "."], "--empty"),
        (["--hours", "0.1", "--folder", "."], "not empty"),
        (["--empty", "--hours", "0.1", "--pictures", "tests/soak"], "holds no picture"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert said in capsys.readouterr().err


def test_the_web_hook_is_down_in_the_middle_of_its_rhythm() -> None:
    plan = Plan.of(24.0)
    down = [hour / 60 for hour in range(180) if plan.is_down(60 * hour)]
    assert (round(down[0], 2), round(down[-1], 2), plan.sample_s) == (1.27, 1.73, 300.0)


@pytest.mark.parametrize(("scores", "reason"), [([0.45, 0.51, 0.42], {"low detection": 1}), ([0.45, 0.53, 0.42], {})])
def test_what_is_never_found_surely_is_no_event(scores: list[float], reason: dict[str, int]) -> None:
    """Lettering that reads like a plate in every look, but is hardly believed to be one in any."""
    judge, tracker = Judge(TrackingConfig()), Tracker(1.0)
    looks = [a_sighting("AB12CDE", index / 10, score=score) for index, score in enumerate(scores)]
    events = [event for look in looks for track in tracker.update([look], look.seen_at) if (event := judge.judge(track, look.seen_at)) is not None]
    events += [event for track in tracker.update([], 9.0) if (event := judge.judge(track, 9.0)) is not None]
    assert dict(judge.reasons) == reason
    assert bool(events) != bool(reason)
