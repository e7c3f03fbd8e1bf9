"""The governor: step by step, with patience, and in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.attention import governor as module
from edge.attention.governor import DOWN_TICKS, SLOWNESS, UP_TICKS, Governor, Heat, Step, after
from edge.attention.settings import GovernorConfig
from edge.bench.result import save_result
from edge.config import ModelsConfig
from edge.errors import ConfigError
from edge.wiring import threads_for

CONFIG = GovernorConfig()
HOT, WARM, COOL = Heat(82.0), Heat(74.0), Heat(60.0)


def run(heats: list[Heat], step: Step = Step()) -> list[int]:  # noqa: B008 (a frozen value)
    levels = []
    for heat in heats:
        step = after(step, heat, CONFIG)
        levels.append(step.level)
    return levels


def test_it_slows_down_step_by_step_while_it_is_hot() -> None:
    """A step every third tick, to the last and no further."""
    assert run([HOT] * 12) == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]


def test_it_speeds_up_more_slowly_than_it_slowed_down() -> None:
    levels = run([COOL] * (2 * DOWN_TICKS), Step(2))
    assert levels == [2] * (DOWN_TICKS - 1) + [1] * DOWN_TICKS + [0]
    assert DOWN_TICKS > UP_TICKS


def test_between_the_limits_nothing_changes_and_ticks_begin_anew() -> None:
    """So it does not swing: hot, warm, hot, warm is no reason for a step."""
    assert run([HOT, HOT, WARM] * 10) == [0] * 30
    assert run([WARM] * 100, Step(2)) == [2] * 100


def test_the_firmwares_word_counts_as_heat() -> None:
    """Throttled at 60 degrees: a poor supply, perhaps, but slower all the same. A board that says nothing is cool."""
    assert run([Heat(60.0, ("throttled",))] * 3)[-1] == 1
    assert run([Heat(None)] * 100, Step(1))[-1] == 0


def test_it_says_what_it_does_and_why() -> None:
    heats = iter([Heat(82.4, ("throttled",))] * 3)
    governor = Governor(CONFIG, read=lambda: next(heats))
    assert (governor.words(), governor.slowness) == ("", 1.0)
    for _ in range(3):
        governor.tick()
    assert governor.words() == "the processor is at 82 °C and throttled: new plates are looked for 2 times less often"
    assert governor.as_json() == {"temperature_c": 82.4, "troubles": ["throttled"], "step": 1, "words": governor.words()}
    assert governor.slowness == SLOWNESS[1]


def test_under_voltage_is_said_before_anything_slows() -> None:
    governor = Governor(CONFIG, read=lambda: Heat(50.0, ("under-voltage",)))
    governor.tick()
    assert "proper power supply" in governor.words()


@pytest.mark.parametrize(("text", "troubles"), [("0\n", ()), ("50005\n", ("under-voltage", "throttled")), ("80000", ())])
def test_the_firmwares_file_is_read_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, troubles: tuple[str, ...]) -> None:
    """What is so now, not what was so once; where there is no `vcgencmd`, or it may not ask."""
    monkeypatch.setattr(module, "ask", lambda *words: None)
    monkeypatch.setattr(module, "FIRMWARE", tmp_path / "get_throttled")
    (tmp_path / "get_throttled").write_text(text)
    assert module.heat().troubles == troubles


def test_without_a_word_from_the_firmware_there_is_only_the_temperature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `vcgencmd` is asked, where it is."""
    monkeypatch.setattr(module, "FIRMWARE", tmp_path / "none")
    monkeypatch.setattr(module, "ask", lambda *words: None)
    monkeypatch.setattr(module, "temperature_c", lambda: 55.5)
    assert module.heat() == Heat(55.5)
    monkeypatch.setattr(module, "ask", lambda *words: "throttled=0x8")
    assert module.heat().troubles == ("soft temperature limit",)


def test_it_runs_in_a_thread_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_S", 0.001)
    governor = Governor(CONFIG, read=lambda: HOT)
    governor.start()
    while governor.step.level < len(SLOWNESS) - 1:
        governor._stop.wait(0.001)
    governor.stop()


def test_it_must_cool_below_hot() -> None:
    with pytest.raises(ValueError, match="is not below"):
        GovernorConfig(hot_c=70, cool_c=70)


def test_threads_are_as_set_or_guessed(tmp_path: Path) -> None:
    assert threads_for(ModelsConfig(threads=3)) == (3, "set")
    count, why = threads_for(ModelsConfig(threads=0, measured=str(tmp_path / "none.json")))
    assert (1 <= count <= 2, why) == (True, "guessed")


def test_threads_are_what_was_measured_here(tmp_path: Path) -> None:
    """The fewest within a tenth of the fastest, of a measurement on as many cores; another machine's is refused, and so is no measurement at all."""
    from tests.unit.test_convert_bench import a_result  # the benchmark's own example

    path = tmp_path / "bench.json"
    result = a_result()
    save_result(result.model_copy(update={"machine": result.machine.model_copy(update={"cores": os.cpu_count()})}), path)
    count, why = threads_for(ModelsConfig(threads=0, measured=str(path)))
    assert (count >= 1, why) == (True, "measured")
    save_result(result.model_copy(update={"machine": result.machine.model_copy(update={"cores": 99})}), path)
    with pytest.raises(ConfigError, match="was not measured on this device"):
        threads_for(ModelsConfig(threads=0, measured=str(path)))
    path.write_text("{}")
    with pytest.raises(ConfigError, match="no result of a benchmark"):
        threads_for(ModelsConfig(threads=0, measured=str(path)))
