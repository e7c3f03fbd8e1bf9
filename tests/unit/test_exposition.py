"""The metrics: the format by a strict reader of its own, the figures by what a daemon says, and never a plate."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge.metrics.exposition import Family, Sample, render
from edge.metrics.figures import LOSSES, TROUBLES, Surroundings, families
from edge.metrics.histogram import STAGE_S, Histogram
from edge.metrics.process import Footprint, footprint
from edge.tracking.looks import LOOKS
from edge.tracking.reasons import REASONS

NOT_BASE = ("ms", "milliseconds", "mb", "kb", "minutes", "percent")


class Line(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


def parse(text: str) -> tuple[dict[str, str], list[Line]]:
    """A strict reader of the text format: ValueError for anything that Prometheus would not take. {family: type} and the samples."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    helped, kinds, found, seen = set[str](), dict[str, str](), list[Line](), set[tuple[str, tuple[tuple[str, str], ...]]]()
    current = ""
    for line in text.splitlines():
        if meta := re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)", line):
            what, current, rest = meta.groups()
            if what == "HELP":
                if current in helped:
                    raise ValueError(f"{current}: two HELP lines")
                helped.add(current)
            else:
                if current in kinds or rest not in ("counter", "gauge", "histogram"):
                    raise ValueError(f"{line}: a second type, or none")
                kinds[current] = rest
            continue
        sample = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
        if sample is None:
            raise ValueError(f"{line!r}: no sample")
        name, inside, value = sample.groups()
        pair = r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"'
        if inside and not re.fullmatch(rf"{pair}(?:,{pair})*", inside):
            raise ValueError(f"{inside!r}: no labels")
        labels = {key: re.sub(r"\\(.)", lambda hit: {"n": "\n"}.get(hit[1], hit[1]), said) for key, said in re.findall(pair, inside or "")}
        family = re.sub(r"_(bucket|sum|count)$", "", name) if kinds.get(current) == "histogram" else name
        if family != current or family not in helped or family not in kinds:
            raise ValueError(f"{name}: stands outside of its family")
        mark = (name, tuple(sorted(labels.items())))
        if mark in seen:
            raise ValueError(f"{line}: twice")
        seen.add(mark)
        found.append(Line(name, labels, float(value)))
    return kinds, found


def a_histogram(bounds: list[float], counts: list[int], total: float) -> dict[str, Any]:
    return {"bounds": bounds, "counts": counts, "sum": total}


def a_status(**changes: Any) -> dict[str, Any]:
    return {
        "v": 1, "version": "0.1", "pid": 1, "state": "watching", "detail": "", "started_at": "2026-11-22T21:00:00.000+00:00",
        "updated_at": "2026-11-22T21:00:10.000+00:00", "fps": 14.5,
        "camera": {"name": "gate", "frames": 900, "dropped": 12, "skipped": 1, "reopened": 2, "fps": 15.0, "losses": {"gone": 2}},
        "stages_ms": {"detect": {"median": 5.0, "p95": 8.0}}, "totals": {"previews": 4, "lost": 0, "stages": {"detect": {"frames": 200, "seconds": 1.25}},
            "detections": 31, "looks": {"text": 20, "not read: too small": 11}, "took": {"detect": a_histogram([0.005, 0.01], [150, 49, 1], 1.25)},
            "sight": {"preview": a_histogram([0.5, 1.0], [3, 1, 0], 1.6), "final": a_histogram([0.5, 1.0], [0, 0, 3], 15.0)}},
        "plates_in_view": [{"text": "SECRET1", "quad": [], "confidence": 1.0}], "events": 3, "store": {"waiting": 2, "forgotten": {"age": 9}},
        "reasons": {"too small": 7},
        "attention": {"moving": True, "looked": 800, "passed_over": 100}, "governor": {"temperature_c": 61.0, "troubles": ["throttled"], "step": 1},
        "bundles": {"detector": {"name": "d-1", "sha256": "ab"}, "reader": {"name": "r-1", "sha256": "cd"}},
        "targets": [{"name": "ha", "pending": 5, "refused": 0, "delivered": 40, "dropped": 1, "failing": True, "last_error": "SECRET1",
            "took": a_histogram([1.0], [39, 1], 55.5)}], "reload": {"taken": 2, "refused": 1, "busy": False, "words": "SECRET1"},
    } | changes  # fmt: skip


AROUND = Surroundings("0.1", True, 61.0, 3, 4096, 10**9, Footprint(70_000_000, 1234, 5.5))


def told(status: dict[str, Any] | None = None, around: Surroundings = AROUND) -> dict[tuple[str, ...], float]:
    """{(name without prefix, label values...): value}."""
    _, lines = parse(render(families(a_status() if status is None else status, around)))
    return {(line.name.removeprefix("platewatch_"), *line.labels.values()): line.value for line in lines}


def test_the_page_is_well_formed_and_named_by_the_rules():
    """Base units, counters end in _total and nothing else does, every family is ours and has its help."""
    kinds, lines = parse(render(families(a_status(), AROUND)))
    assert len(kinds) > 25
    assert all(name.startswith("platewatch_") for name in kinds)
    assert {name for name, kind in kinds.items() if kind == "counter"} == {name for name in kinds if name.endswith("_total")}
    assert [name for name in kinds if set(name.split("_")) & set(NOT_BASE)] == []
    assert all(line.value >= 0 for line in lines if line.name.endswith("_total"))


def test_the_figures_are_those_of_the_status():
    found = told()
    assert found["up",] == 1
    assert found["events_total", "gate", "final"] == 3
    assert found["events_total", "gate", "preview"] == 4
    assert found["passes_without_event_total", "gate", "too small"] == 7
    assert (found["events_forgotten_total", "age"], found["events_waiting",]) == (9, 2)
    assert found["frames_dropped_total", "gate", "newer came"] == 12
    assert found["frames_dropped_total", "gate", "nothing moved"] == 100
    assert found["camera_state", "gate", "watching"] == 1
    assert found["camera_state", "gate", "camera lost"] == 0
    assert found["camera_losses_total", "gate", "gone"] == 2
    assert [found["stage_duration_seconds_bucket", "detect", bound] for bound in ("0.005", "0.01", "+Inf")] == [150, 199, 200]
    assert (found["stage_duration_seconds_sum", "detect"], found["stage_duration_seconds_count", "detect"]) == (1.25, 200)
    assert (found["sight_to_event_seconds_bucket", "gate", "preview", "0.5"], found["sight_to_event_seconds_count", "gate", "final"]) == (3, 3)
    assert (found["detections_total", "gate"], found["reads_total", "gate", "text"], found["reads_total", "gate", "not read: too small"]) == (31, 20, 11)
    assert (found["target_latency_seconds_bucket", "ha", "1"], found["target_latency_seconds_count", "ha"]) == (39, 40)
    assert (found["reloads_total", "taken"], found["reloads_total", "refused"]) == (2, 1)
    assert found["throttled", "throttled"] == 1
    assert found["throttled", "under-voltage"] == 0
    assert (found["outbox_pending", "ha"], found["outbox_delivered_total", "ha"], found["target_failing", "ha"]) == (5, 40, 1)
    assert found["process_resident_memory_bytes",] == 70_000_000
    assert found["build_info", "0.1", "d-1", "ab", "r-1", "cd"] == 1
    assert found["status_time_seconds",] - found["start_time_seconds",] == 10


def test_every_reason_is_there_from_the_start():
    """A counter that appears only with its first count hides the first increase."""
    found = told(a_status(reasons={}))
    assert {key[2] for key in found if key[0] == "passes_without_event_total"} == set(REASONS)
    assert {key[2] for key in told(a_status(totals={})) if key[0] == "reads_total"} == set(LOOKS)
    assert {key[2] for key in found if key[0] == "camera_losses_total"} == set(LOSSES)
    assert {key[1] for key in found if key[0] == "throttled"} == set(TROUBLES)


def test_no_plate_is_among_them():
    """Neither from what is in view nor from an error of a target."""
    assert "SECRET1" not in render(families(a_status(), AROUND))


def test_without_a_daemon_there_is_little_to_say_and_it_is_well_formed():
    _, lines = parse(render(families(None, Surroundings("0.1", False))))
    assert Counter(line.name for line in lines) == {"platewatch_up": 1, "platewatch_build_info": 1}
    assert next(line.value for line in lines if line.name == "platewatch_up") == 0


def test_a_daemon_that_is_gone_is_in_no_state():
    """Its last word was `watching`, which is not so any more; its counts stay, and what was only so just then is not told."""
    found = told(around=Surroundings("0.1", False))
    assert {value for key, value in found.items() if key[0] == "camera_state"} == {0.0}
    assert found["events_total", "gate", "final"] == 3
    assert {"camera_fps", "worked_fps", "motion", "plates_in_view", "throttled", "governor_step"} & {key[0] for key in found} == set()
    assert {"camera_fps", "worked_fps", "motion", "plates_in_view", "throttled", "governor_step"} <= {key[0] for key in told()}


@pytest.mark.parametrize("key", [key for key in a_status() if key != "v"])
@pytest.mark.parametrize("value", [None, "x", [1], {"a": "b"}, -1])
def test_whatever_a_status_holds_a_scrape_does_not_fail(key, value):
    parse(render(families(a_status(**{key: value}), AROUND)))


WRONG_HISTOGRAMS = [
    None, [], {}, a_histogram([1.0], [1], 1.0), a_histogram([2.0, 1.0], [1, 1, 1], 1.0), a_histogram([1.0, 1.0], [1, 1, 1], 1.0),
    a_histogram([1.0], [1, -1], 1.0), a_histogram([1.0], [1, "x"], 1.0), a_histogram([float("inf")], [1, 1], 1.0), {"bounds": [], "counts": [1]},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_HISTOGRAMS)
def test_what_is_no_histogram_is_left_out(wrong):
    """Another version's, or a broken one: those beside it are told."""
    found = told(a_status(totals={"took": {"detect": wrong, "read": a_histogram([0.1], [1, 0], 0.05)}}))
    assert {key[1] for key in found if key[0].startswith("stage_duration_seconds")} == {"read"}


def test_prometheus_own_reader_takes_the_page():
    """The official client's parser: every family with its kind, its help and its samples, and histograms that are whole."""
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed; ./setup.sh test installs it")
    text = render(families(a_status(camera={"name": 'a"b\\c\nd', "frames": 1}), AROUND))
    kinds, lines = parse(text)
    found = list(parser.text_string_to_metric_families(text))
    assert {one.name + ("_total" if one.type == "counter" else ""): one.type for one in found} == kinds
    assert all(one.documentation for one in found)
    assert [(sample.name, sample.labels, sample.value) for one in found for sample in one.samples] == [tuple(line) for line in lines]
    for one in (one for one in found if one.type == "histogram"):
        series: dict[tuple[tuple[str, str], ...], list[float]] = {}
        for sample in one.samples:
            mark = tuple((key, said) for key, said in sample.labels.items() if key != "le")
            series.setdefault(mark, []).append(sample.value)
        for *counts, _, count in series.values():
            assert counts == sorted(counts)
            assert counts[-1] == count
    assert {one.type for one in found} == {"counter", "gauge", "histogram"}


def test_a_histogram_counts_what_is_at_most_a_bound():
    """As Prometheus does; and a clock that was set back breaks nothing."""
    found = Histogram((1.0, 2.0))
    for seconds in (1.0, 1.5, 9.0, -3.0):
        found.add(seconds)
    assert found.as_json() == {"bounds": [1.0, 2.0], "counts": [2, 1, 1], "sum": 11.5}
    assert list(STAGE_S) == sorted(set(STAGE_S))
    assert (STAGE_S[0], STAGE_S[-1]) == (0.001, 1.0)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a,b={}", "Zufahrt Süd", ""])
def test_a_camera_may_have_any_name(name):
    found = told(a_status(camera={"name": name, "frames": 1}))
    assert found["frames_total", name] == 1


def test_numbers_are_written_as_prometheus_reads_them():
    samples = tuple(Sample(value, {"n": str(place)}) for place, value in enumerate((3.0, 0.1, math.inf, -math.inf, math.nan, 1e20)))
    _, lines = parse(render([Family("x", "gauge", "two\nlines", samples)]))
    assert str([line.value for line in lines]) == "[3.0, 0.1, inf, -inf, nan, 1e+20]"


@pytest.mark.parametrize(("name", "kind"), [("x_total", "gauge"), ("x", "counter"), ("9x", "gauge"), ("a b", "gauge")])
def test_a_wrong_name_is_a_mistake_of_ours(name, kind):
    with pytest.raises(ValueError, match=name):
        Family(name, kind, "", ())


def test_the_strict_reader_is_strict():
    for text in ("x 1\n", "# HELP x h\n# TYPE x gauge\nx 1", '# HELP x h\n# TYPE x gauge\nx{a="b} 1\n', "# HELP x h\n# TYPE x gauge\nx 1\nx 2\n"):
        with pytest.raises(ValueError, match=r"."):
            parse(text)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")
def test_a_process_is_measured_by_the_kernel(tmp_path: Path):
    """Ours here, one with a strange name, one that is gone."""
    mine = footprint(os.getpid())
    assert mine.resident_bytes is not None
    assert 5e6 < mine.resident_bytes < 5e10
    assert mine.cpu_s is not None
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "status").write_text("Name:\tx\nVmRSS:\t  100 kB\n")
    (folder / "io").write_text("rchar: 1\nwrite_bytes: 5000\ncancelled_write_bytes: 904\n")
    (folder / "stat").write_text("7 (a) b 9) S 1 1 1 0 -1 4194304 1 0 0 0 250 50 0 0 20 0 1 0 1 1 1\n")
    assert footprint(7, tmp_path) == Footprint(102_400, 4096, 3.0)
    assert footprint(8, tmp_path) == Footprint()
