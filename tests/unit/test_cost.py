"""Counting instructions: the arithmetic, the budgets and the bad inputs; nothing is emulated here (see tests/emulated)."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert import cost
from convert.cli import main
from convert.cost import budgets, emulator, measure, tools
from convert.cost.cpus import CPUS, choose
from convert.cost.estimate import estimate
from convert.cost.measure import Bench, Cost
from convert.cost.userland import Userland
from edge.errors import ConfigError

A72 = CPUS["cortex-a72"]
ONE = Cost("reader network", "cortex-a72", "ab" * 32, "ai-edge-litert 2.3.0", 31_438_704)


NO_NUMBER = "[[budget]]\nwhat='x'\ncpu='y'\nof='z'\nversions=''\ninstructions='many'\n"


def test_the_cost_of_an_interval_is_the_median_less_what_a_mark_costs():
    """Unlabelled gaps are left out; one run in three that was disturbed does not count."""
    gaps = [(7, ""), (20, "nothing"), (5, ""), (1020, "invoke"), (20, "nothing"), (9020, "invoke"), (22, "nothing"), (1021, "invoke")]
    marks = [100]
    for gap, _ in gaps:
        marks.append(marks[-1] + gap)
    assert emulator.intervals(marks, [label for _, label in gaps]) == {"invoke": 1001}


def test_marks_that_do_not_fit_their_labels_are_refused():
    with pytest.raises(tools.CostError, match="2 marks for 2 intervals"):
        emulator.intervals([1, 2], ["nothing", "invoke"])


def test_what_runs_in_the_emulated_system_imports_the_device_alone():
    """And the standard library: neither train nor the rest of convert is there."""
    tree = ast.parse(emulator.GUEST.read_text())
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    tops = {module.split(".")[0] for module in modules}
    assert "edge" in tops
    assert tops - set(sys.stdlib_module_names) == {"edge", "numpy", "ai_edge_litert"}


@pytest.mark.parametrize("cpu", CPUS.values(), ids=CPUS)
def test_a_board_shows_its_own_processor(cpu):
    """Four cores with ARM's number for it; the dot product only where there is one."""
    text = cpu.cpuinfo()
    assert re.findall(r"processor\t: (\d)", text) == ["0", "1", "2", "3"]
    assert text.count(f"CPU part\t: {cpu.part:#05x}\n") == 4
    assert ("asimddp" in text) == (cpu.name == "cortex-a76")


@pytest.mark.parametrize("words", ["max", "cortex-a72,cortex-a99", "", ","])
def test_an_unknown_processor_is_named(words, capsys):
    assert main(["cost", "--cpu", words]) == 1
    assert re.fullmatch(r"convert: --cpu .*: \S+ is not known; known are cortex-a53, cortex-a72, cortex-a76\n", capsys.readouterr().err)


def test_processors_are_chosen_in_their_order_and_once():
    assert [cpu.name for cpu in choose("cortex-a76, cortex-a72,cortex-a76")] == ["cortex-a76", "cortex-a72"]


@given(st.integers(1, 10**12), st.sampled_from(list(CPUS.values())))
def test_an_estimate_is_instructions_by_clock_and_instructions_a_cycle(count, cpu):
    """Both ends; the fast one never after the slow one."""
    found = estimate(count, cpu)
    assert found.fast_ms == pytest.approx(1000 * count / (cpu.clocks_hz[1] * cpu.per_cycle[1]))
    assert found.slow_ms == pytest.approx(1000 * count / (cpu.clocks_hz[0] * cpu.per_cycle[0]))
    assert found.fast_ms <= found.slow_ms


@pytest.mark.parametrize(("share", "state"), [(1.0, "kept"), (1.019, "kept"), (1.021, "over"), (0.981, "kept"), (0.979, "under")])
def test_a_budget_has_two_per_cent_of_slack(share, state):
    spent = Cost(ONE.what, ONE.cpu, ONE.of, ONE.versions, round(ONE.instructions * share))
    assert budgets.judge(spent, [ONE]).state == state


@pytest.mark.parametrize("change", [{"of": "cd" * 32}, {"cpu": "cortex-a76"}, {"versions": "ai-edge-litert 2.4.0"}, {"what": "detector network"}])
def test_what_was_not_budgeted_has_no_budget(change):
    """Another model, processor, version or run is neither kept nor over: it is measured."""
    facts = {"what": ONE.what, "cpu": ONE.cpu, "of": ONE.of, "versions": ONE.versions, "instructions": 10 * ONE.instructions} | change
    assert budgets.judge(Cost(**facts), [ONE]) == budgets.Verdict("none")


def test_budgets_are_written_and_read_back(tmp_path):
    """A new bundle takes the place of the old one; other processors stay."""
    path = tmp_path / "budgets.toml"
    pi5 = Cost("read", "cortex-a76", "a+b", "python 3.11", 5)
    new = Cost(ONE.what, ONE.cpu, "ef" * 32, ONE.versions, 30_000_000)
    budgets.write(budgets.updated([ONE, pi5], [new]), path)
    assert budgets.read(path) == [new, pi5]
    assert budgets.read(tmp_path / "none.toml") == []


@pytest.mark.parametrize("text", ["[[budget]]\nwhat = 'x'\n", "budget = 3\n", "[[budget\n", NO_NUMBER])
def test_a_broken_budget_file_is_named(tmp_path, text):
    path = tmp_path / "budgets.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not a file of budgets"):
        budgets.read(path)


def test_the_shipped_budgets_can_be_read_and_are_one_for_each_run_and_processor():
    kept = budgets.read()
    assert {one.cpu for one in kept} == set(CPUS)
    assert len({(one.what, one.cpu) for one in kept}) == len(kept)


@pytest.fixture
def no_tools(monkeypatch):
    monkeypatch.setattr(tools.shutil, "which", lambda program: None if program in ("qemu-aarch64", "gcc") else f"/usr/bin/{program}")


def test_missing_packages_are_one_sentence_with_the_command(no_tools, capsys):
    assert main(["cost"]) == 1
    assert capsys.readouterr().err == "convert: qemu-user, gcc are missing: sudo apt-get install -y qemu-user gcc\n"
    assert main(["cost", "--golden"]) == 1
    assert capsys.readouterr().err == "convert: qemu-user is missing: sudo apt-get install -y qemu-user\n"


def test_other_systems_than_debian_are_told_so(monkeypatch):
    monkeypatch.setattr(tools.shutil, "which", lambda program: None)
    assert tools.missing().startswith("no apt-get here")


def test_a_qemu_without_plugins_is_told_apart(monkeypatch):
    monkeypatch.setattr(tools.shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(tools, "_finds", lambda header: True)
    monkeypatch.setattr(tools, "_said", lambda words: "usage: qemu-aarch64 [options] program")
    assert "takes no plugins" in tools.missing()
    assert tools.missing(counting=False) == ""  # the self-tests need none


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """One whose emulator answers at once, and counts how often it is asked."""
    monkeypatch.setattr(tools, "missing", lambda counting=True: "")
    made = Bench(tmp_path)
    made.__dict__["system"] = Userland(tmp_path, "3.11", {"ai-edge-litert": "2.3.0"})
    made.__dict__["counter"] = tmp_path / "counter.so"
    asked = []
    code = tmp_path / "code.py"
    code.write_text("one")

    def run(system, cpu, words, counter=None):
        asked.append((cpu.name, words[0]))
        return emulator.Ran({"delegated": True}, {"invoke": 1000 * len(asked)}, [code])

    monkeypatch.setattr(emulator, "run", run)
    return made, asked


def test_a_measurement_is_kept_until_the_model_the_processor_or_the_code_is_another(bench, tmp_path):
    made, _ = bench
    file = tmp_path / "a.tflite"
    file.write_bytes(b"one")
    assert [made.network("reader network", file, A72).instructions for _ in range(2)] == [1000, 1000]
    assert made.network("reader network", file, CPUS["cortex-a76"]).instructions == 2000
    file.write_bytes(b"two")
    assert made.network("reader network", file, A72).instructions == 3000
    (tmp_path / "code.py").write_text("two")
    assert [made.network("reader network", file, A72).instructions for _ in range(2)] == [4000, 4000]


def test_a_measurement_that_failed_is_not_kept(bench, tmp_path, monkeypatch):
    made, _ = bench
    file = tmp_path / "a.tflite"
    file.write_bytes(b"one")
    good = emulator.run

    def fails(*_):
        raise tools.CostError("the guest gave up")

    monkeypatch.setattr(emulator, "run", fails)
    with pytest.raises(tools.CostError):
        made.network("reader network", file, A72)
    monkeypatch.setattr(emulator, "run", good)
    assert made.network("reader network", file, A72).instructions == 1000


def test_any_variant_of_a_network_can_be_counted(monkeypatch, bench, tmp_path):
    """A file, or a bundle's folder; what is not there is named."""
    made, _ = bench
    monkeypatch.setattr(measure, "Bench", lambda cache: made)
    (tmp_path / "model.tflite").write_bytes(b"one")
    assert (
        cost.instructions(tmp_path, "reader", "cortex-a72", tmp_path) == cost.instructions(tmp_path / "model.tflite", "reader", "cortex-a72", tmp_path) == 1000
    )
    with pytest.raises(ConfigError, match="no TFLite file there"):
        cost.instructions(tmp_path / "none.tflite", "reader", "cortex-a72", tmp_path)
    with pytest.raises(ConfigError, match="max: not a processor known here"):
        cost.instructions(tmp_path, "reader", "max", tmp_path)


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """The command with everything measured already; what it finds can be changed."""
    found = {"costs": [ONE], "goldens": [{"name": "reader-0", "state": "exact"}]}

    class Ready:
        def __init__(self, cache, counting):
            self.say = print

        def goldens(self, folders, cpu):
            return found["goldens"]

        def network(self, what, file, cpu):
            return found["costs"][0]

        def frames(self, detector, reader, cpu):
            return []

    monkeypatch.setattr(measure, "Bench", Ready)
    monkeypatch.setattr(budgets, "FILE", tmp_path / "budgets.toml")
    return found


def test_a_bundle_without_budget_is_named_and_measured_and_can_be_written_down(measured, capsys, tmp_path):
    out = tmp_path / "cost.json"
    assert main(["cost", "--cpu", "cortex-a72", "--json", str(out)]) == 0
    assert f"No budget for reader network ({ONE.of[:16]}): measured only" in capsys.readouterr().out
    row = json.loads(out.read_text())["costs"][0]
    assert (row["budget"], row["instructions"]) == ("none", ONE.instructions)
    assert main(["cost", "--cpu", "cortex-a72", "--update-budgets"]) == 0
    assert main(["cost", "--cpu", "cortex-a72", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["costs"][0]["budget"] == "kept"


def test_a_budget_that_is_not_kept_is_exit_1(measured, capsys):
    assert main(["cost", "--cpu", "cortex-a72", "--update-budgets"]) == 0
    measured["costs"] = [Cost(ONE.what, ONE.cpu, ONE.of, ONE.versions, ONE.instructions * 11 // 10)]
    assert main(["cost", "--cpu", "cortex-a72"]) == 1
    said = capsys.readouterr().out
    assert "cortex-a72: reader network costs 10.00 % more than its budget\n" in said
    assert "estimate" in said


def test_other_bytes_on_a_board_are_exit_1(measured, capsys):
    measured["goldens"] = [{"name": "reader-0", "state": "xnnpack off"}]
    assert main(["cost", "--cpu", "cortex-a53", "--golden"]) == 1
    assert "cortex-a53: reader-0: xnnpack off" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_named(measured, capsys, tmp_path):
    assert main(["cost", "--cpu", "cortex-a72", "--json", str(tmp_path / "no" / "cost.json")]) == 1
    assert "cost.json: cannot be written" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(tools, "missing", lambda counting=True: "")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="name another folder with --cache"):
        Bench(tmp_path / "file")


def test_the_command_is_quick_to_say_what_it_is_for():
    """Its module loads nothing of what it measures with."""
    tree = ast.parse((Path(measure.__file__).parents[1] / "commands/cost.py").read_text())
    modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert modules <= {"__future__", "collections.abc", "pathlib", "typing", "convert.commands.shared"}
