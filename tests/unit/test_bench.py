"""The benchmarks: turns, figures, machine facts, the JSON and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.bench import machine as board
from edge.bench.advice import advice, best_count
from edge.bench.figures import Samples, Timing, geometric_mean, processor_ratio, ratio
from edge.bench.machine import Clocks, throttling, warnings
from edge.bench.power import Counters, Sampled, board_watts, find_meter, measure_power
from edge.bench.result import STAGES, Busy, Cell, Result, Setting, State, load_result
from edge.bench.rounds import interleave, share, takes_part
from edge.bench.scenes import drawn_scenes
from edge.cli import main
from edge.errors import ConfigError

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "convert" / "results" / "bench"
INT8 = Setting(variant="int8", runtime="litert", threads=1)


def samples(*turns: list[float], cpu_ms: float = 0.0) -> Samples:
    return Samples(dict(enumerate(turns)), cpu_ms)


def cell(median: float, threads: int = 1, what: str = "whole frame", scene: str = "yard", cpu: float | None = None, variant: str = "int8") -> Cell:
    ms = Timing(runs=5, median=median, p95=median * 1.2, minimum=median * 0.9, q1=median * 0.95, q3=median * 1.05, cpu=cpu)
    return Cell(setting=Setting(variant=variant, runtime="litert", threads=threads), what=what, scene=scene, ms=ms)


# Figures


def test_a_timing_tells_median_quarters_tail_and_processor_time():
    timing = samples([4.0, 1.0, 2.0], [3.0, 5.0], cpu_ms=30.0).timing()
    assert (timing.runs, timing.median, timing.minimum, timing.q1, timing.q3, timing.cpu) == (5, 3.0, 1.0, 2.0, 4.0, 6.0)
    assert timing.p95 == pytest.approx(4.8)


def test_noise_that_hits_both_alike_does_not_widen_the_ratio():
    """Half of the turns are five times slower for both: drawn together the ratio stays 2, drawn apart it may be anything."""
    rng = np.random.default_rng(1)
    noise = np.where(rng.random(60) < 0.5, 1.0, 5.0)
    slow = samples(*([2.0 * factor] * 5 for factor in noise))
    fast = samples(*([1.0 * factor] * 5 for factor in noise))
    together = ratio(slow, fast)
    apart = ratio(slow, Samples({turn + 1: ms for turn, ms in fast.turns.items()}))
    assert (together.value, together.low, together.high) == (2.0, 2.0, 2.0)
    assert apart.high - apart.low > 1.0


def test_the_interval_of_a_ratio_holds_the_truth_and_its_seed_repeats_it():
    rng = np.random.default_rng(2)
    slow, fast = (samples(*rng.gamma(50, middle / 50, (20, 5)).tolist()) for middle in (3.0, 1.0))
    found = ratio(slow, fast, seed=7)
    assert found.low < 3.0 < found.high
    assert found.high - found.low < 0.6
    assert ratio(slow, fast, seed=7) == found


def test_turns_of_different_lengths_are_compared_without_filling_in():
    assert ratio(samples([8.0], [8.0]), samples([2.0, 2.0, 2.0], [2.0])).value == 4.0


def test_processor_times_are_compared_by_run():
    assert processor_ratio(samples([1.0, 1.0], cpu_ms=8.0), samples([1.0], cpu_ms=2.0)) == 2.0
    assert processor_ratio(samples([1.0]), samples([1.0], cpu_ms=2.0)) is None
    assert geometric_mean([2.0, 0.5]) == pytest.approx(1.0)


# Turns


@pytest.mark.parametrize(("turns", "rounds"), [(1, 1), (2, 20), (3, 7), (20, 20), (19, 20)])
def test_a_thing_gets_all_its_turns_spread_over_the_rounds(turns: int, rounds: int):
    taken = [turn for turn in range(rounds) if takes_part(turn, turns, rounds)]
    assert len(taken) == turns
    assert max(np.diff([-1, *taken, rounds])) <= -(-rounds // turns) + 1


def test_slow_things_run_as_often_as_their_budget_allows_and_at_least_twice():
    assert share(1.0, 100, 2.0).turns * share(1.0, 100, 2.0).burst == 100
    assert (share(100.0, 100, 1.0).turns, share(100.0, 100, 1.0).burst) == (10, 1)
    assert (share(60_000.0, 100, 1.0).turns, share(60_000.0, 100, 1.0).warm) == (2, False)


def test_everything_takes_turns_in_an_order_that_the_seed_repeats():
    def order(seed: int) -> list[str]:
        called: list[str] = []
        found = interleave({name: lambda name=name: called.append(name) for name in "abc"}, repeat=50, seed=seed)
        assert [len(one.ms) for one in found.values()] == [50, 50, 50]
        return called

    first = order(1)
    assert first == order(1)
    assert first != order(2)
    # After a third of all calls each has had about a third of its own: nobody waits until another is done.
    assert min(first[: len(first) // 3].count(name) for name in "abc") > len(first) // 3 // 4


def test_what_is_known_to_be_slow_is_not_run_for_an_estimate():
    calls: list[int] = []
    found = interleave({"slow": lambda: calls.append(1)}, repeat=100, budget_s=1.0, known={"slow": 9000.0})
    assert len(calls) == len(found["slow"].ms) == 2


# The machine


def test_a_pi_tells_its_name_and_its_dot_product(tmp_path: Path):
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd aes asimdhp asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal:        8254336 kB\n")
    found = board.machine(tmp_path)
    assert (found.model, found.processor, found.memory_mb) == ("Raspberry Pi 5 Model B Rev 1.0", "0x41 0xd0b", 8061)
    assert set(found.flags) == {"neon", "dotprod"}


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path):
    found = board.machine(tmp_path)
    assert found.flags == ()
    assert found.processor is found.governor is found.memory_mb is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, None),
        ("throttled=0x0", ()),
        ("throttled=0x50005", ("under-voltage now", "throttled now", "under-voltage since the start", "throttled since the start")),
        ("throttled=0x80000", ("soft temperature limit since the start",)),
    ],
)
def test_the_firmwares_bits_become_words(answer: str | None, words: tuple[str, ...] | None):
    assert throttling(answer) == words


def test_trouble_while_measuring_is_told_and_old_trouble_is_not():
    old = State(throttled=("throttled since the start",), temperature_c=50.0, frequency_mhz=(2400.0,), load=(0.1, 0.1, 0.1))
    assert warnings(old, old, Busy(others=0.05, stolen=0.0), 4) == []
    new = State(throttled=("throttled now", "throttled since the start"), temperature_c=84.0, frequency_mhz=(1500.0,), load=(1.0, 1.0, 1.0))
    said = warnings(old, new, Busy(others=1.4, stolen=0.3), 4)
    assert [next(word for word in ("other programs", "host", "throttled now", "84 C", "2400 to 1500") if word in one) for one in said] == [
        "other programs", "host", "throttled now", "84 C", "2400 to 1500",
    ]  # fmt: skip


def test_others_are_those_who_are_not_us():
    assert Clocks(0, 100, 5, 10).until(Clocks(10, 118, 6, 18)) == Busy(others=1.0, stolen=0.1)


# Energy


def rapl(root: Path, energy: int, most: int = 1_000_000) -> Path:
    folder = root / "sys/class/powercap/intel-rapl:0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder


def test_energy_is_counted_over_the_counters_end(tmp_path: Path):
    meter = Counters([rapl(tmp_path, 900_000)])
    meter.start()
    rapl(tmp_path, 100_000)
    assert meter.joules() == pytest.approx(0.2)


def test_the_meter_is_looked_for_and_its_absence_has_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.bench.power.ask", lambda *_: None)
    assert "no energy counter here" in str(find_meter(tmp_path))
    (tmp_path / "sys/class/powercap/intel-rapl:1").mkdir(parents=True)
    assert "root alone" in str(find_meter(tmp_path))
    sensor = tmp_path / "sys/class/hwmon/hwmon0"
    sensor.mkdir(parents=True)
    (sensor / "power1_input").write_text("2500000\n")
    (sensor / "name").write_text("ina219\n")
    meter = find_meter(tmp_path)
    assert isinstance(meter, Sampled)
    assert meter.source == "hwmon sensor ina219"
    meter.start()
    assert meter.joules() == pytest.approx(0.0, abs=0.5)
    rapl(tmp_path, 1)
    assert isinstance(find_meter(tmp_path), Counters)


def test_the_pi_5s_rails_are_multiplied_and_added():
    rails = ("3V3_SYS_A current(1)=0.10000000A", "VDD_CORE_A current(7)=2.00000000A", "3V3_SYS_V volt(9)=3.30000000V", "VDD_CORE_V volt(15)=0.80000000V")
    answer = "\n".join(f"   {rail}" for rail in (*rails, "EXT5V_V volt(24)=5.1V"))
    assert board_watts(answer) == pytest.approx(0.33 + 1.6)
    assert board_watts('error=1 error_msg="Command not registered"') is None


def test_a_frame_costs_what_is_above_rest():
    class Meter:
        source = "a fake of 2 W, and 4 W at work"

        def __init__(self) -> None:
            self.works = False

        def start(self) -> None:
            import time

            self._began = time.monotonic()

        def joules(self) -> float:
            import time

            return (4.0 if self.works else 2.0) * (time.monotonic() - self._began)

    meter = Meter()
    frames: list[int] = []

    def frame() -> None:
        import time

        meter.works = True
        frames.append(1)
        time.sleep(0.01)

    (found,) = measure_power({INT8: frame}, meter, seconds=0.1)
    assert (round(found.rest_w, 1), round(found.work_w, 1)) == (2.0, 4.0)
    assert found.frame_mj == pytest.approx(2.0 * 1000 * 0.1 / (len(frames) - 1), rel=0.5)


# Threads


def test_the_fewest_threads_within_a_tenth_of_the_best_are_advised():
    assert best_count({1: (10.0, 10.0), 2: (5.4, 10.0), 4: (5.0, 19.0)}) == 2
    assert best_count({1: (5.4, 5.4), 2: (5.0, 9.0)}) == 1
    said = advice([cell(10.0, 1, cpu=10.0), cell(5.4, 2, cpu=10.5), cell(5.0, 4, cpu=19.0)])
    assert said is not None
    assert said.startswith("models.threads = 2:")
    assert "4 threads 5.00 ms (19.00 ms of processor)" in said
    assert advice([cell(10.0, 1)]) is None


# Scenes


def test_the_scenes_are_the_same_pixels_on_every_machine():
    """Hashes of the luma: a codec or a resize that gave other pixels would make other machines' figures incomparable."""
    assert {scene.name: scene.facts.sha256[:8] for scene in drawn_scenes()} == PIXELS


PIXELS = {
    "0 plates, 1280x720": "2032b24e",
    "1 plate, 1280x720": "7febdbb2",
    "4 plates, 1280x720": "f47046bd",
    "0 plates, 1920x1080": "1ee3362e",
    "1 plate, 1920x1080": "4294ba2b",
    "4 plates, 1920x1080": "56e79cf5",
}


# A device's result


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real, tiny run of the command."""
    path = tmp_path_factory.mktemp("bench") / "this-machine.json"
    assert main(["bench", "--threads", "1", "--repeat", "3", "--budget", "0.01", "--json", str(path)]) == 0
    return path


def test_the_device_measures_every_stage_and_whole_frames_of_every_scene(device: Path):
    result = load_result(device)
    assert {one.what for one in result.cells} == set(STAGES)
    assert all(one.ms is not None and one.ms.runs >= 2 for one in result.cells)
    frames = [one for one in result.cells if one.what == "whole frame"]
    assert [one.scene for one in frames] == [scene.name for scene in result.scenes]
    assert all(one.detector_runs for one in frames)
    assert {model.kind for model in result.models} == {"detector", "reader"}


def test_memory_is_measured_in_processes_of_their_own(device: Path):
    result = load_result(device)
    (loading,) = result.loading
    assert loading.why is None
    assert loading.growth_mb is not None
    assert loading.peak_mb is not None
    assert 1 < loading.growth_mb < loading.peak_mb
    assert result.reading_peak_mb is not None
    assert result.reading_private_mb is not None
    assert 20 < result.reading_private_mb < result.reading_peak_mb < 160


def test_power_is_there_or_its_reason(device: Path):
    result = load_result(device)
    assert bool(result.power) != bool(result.no_power)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--repeat", "2"], "--repeat 2: at least 3"),
        (["--threads", "two"], "--threads two: numbers"),
        (["--threads", "0"], "--threads 0: numbers"),
        (["--budget", "0"], "--budget 0:"),
        (["--json", "nowhere/at/all.json"], "--json nowhere/at/all.json: cannot be written"),
        (["none.jpg"], "none.jpg: no such file"),
        (["--detector", "nowhere"], "nowhere: no "),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_measured(words: list[str], told: str, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", *words]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2]", b'{"v": 1, "machine": "aarch64", "threads": {}}', b'{"schema": "other", "v": 2}'])
def test_a_file_that_is_no_result_is_refused_in_one_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "some.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"some\.json: is no") as refused:
        load_result(path)
    assert "\n" not in str(refused.value)


def test_a_key_that_the_schema_does_not_know_is_refused(device: Path, tmp_path: Path):
    told = json.loads(device.read_text())
    told["machine"]["owner"] = "me"
    path = tmp_path / "some.json"
    path.write_text(json.dumps(told))
    with pytest.raises(ConfigError, match=r"machine\.owner"):
        load_result(path)


def test_every_committed_result_is_valid_and_lies_where_it_belongs():
    """The schema holds for the files of others too; nothing but results lies there."""
    files = sorted(COMMITTED.iterdir()) if COMMITTED.is_dir() else []
    assert [file.name for file in files if file.suffix != ".json"] == []
    for file in files:
        result = load_result(file)
        assert isinstance(result, Result)
        assert any(one.ms for one in result.cells), f"{file.name}: nothing was measured"
